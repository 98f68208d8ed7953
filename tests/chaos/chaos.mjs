// The chaos test: see ./dev chaos --help.
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {Suite} from '../e2e/suite.mjs';
import {until} from '../e2e/wait.mjs';
import {audit, sqliteFile} from './audit.mjs';
import {check, checkPresence} from './checker.mjs';
import {distribution, pausesOf, watchOwnPauses} from './pauses.mjs';
import {now, Person, sleep} from './person.mjs';
import {Random} from './random.mjs';
import {EVENTS, eventNames, GROUPS, steps} from './schedule.mjs';
import {SocketIoPerson} from './socketio_person.mjs';
import {callChat, Storm} from './storm.mjs';
import {StockPerson, Wanderer} from './wanderers.mjs';

const USAGE = `usage: ./dev chaos [--seed N] [--minutes M] [--events LIST] [--store KIND] [--history MODE] [--clients N]
                   [--socketio N] [--wanderers N] [--stock N] [--rooms N] [--rate R] [--hot R] [--logs]

Runs a gate, three connectors and three chat servers under load, which reach each other and their store by links that can be
made bad. Kills, halts, restarts, adds, removes and cuts them off as the seed says, and proves from what every client saw that
nothing was lost, doubled or reordered, after each event that everybody is in the rooms that they should be in, and by SQL that the
store has what was acknowledged, once, at its place.

  --seed N       what is random; without it, the time
  --minutes M    for how long things happen; default 5
  --events LIST  only these, with commas: ${Object.keys(EVENTS).join(', ')}; or all of ${GROUPS.join(', ')}
  --store KIND   sqlite or postgres, a server of its own of Debian's package postgresql; default sqlite
  --history MODE what the chat servers promise of a message that they have acknowledged: memory, where it may die with its chat
                 server, or durable, where nothing may; default durable
  --clients N    clients that stay, each of them in two rooms; default 200
  --socketio N   clients of Socket.IO that stay, each of them in one room; default 10
  --wanderers N  clients that leave rooms, vanish and come back; default 10
  --stock N      stock JavaScript clients, which come and go too; default 10
  --rooms N      default 20
  --rate R       messages a second in each room; default 4
  --hot R        messages a second in one more room, which ten clients are in; default 50
  --logs         print the servers' logs at the end, if something was violated`;
const CALM_MS = 30000;
const SETTLE_MS = 10000;
const AGREE_MS = 10000;  // Time after which everybody should be where they should be.
const HOT_MEMBERS = 10;
const HOT = 'hot';
const MAX_SHOWN = 10;  // Violations of a kind.
const MAX_PENDING = 2;  // Sends of one client that wait for an answer.
const MAX_PENDING_HOT = 8;

const {values: options} = parseArgs({options: {
  seed: {type: 'string'}, minutes: {type: 'string', default: '5'}, events: {type: 'string', default: ''},
  store: {type: 'string', default: 'sqlite'}, history: {type: 'string', default: 'durable'},
  clients: {type: 'string', default: '200'}, socketio: {type: 'string', default: '10'}, wanderers: {type: 'string', default: '10'}, stock: {type: 'string', default: '10'},
  rooms: {type: 'string', default: '20'}, rate: {type: 'string', default: '4'}, hot: {type: 'string', default: '50'},
  logs: {type: 'boolean', default: false}, help: {type: 'boolean', default: false},
}});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const number = (name, least = 1) => {
  const value = Number(options[name]);
  if (!(value > 0 || value >= least)) throw new Error(`--${name} is '${options[name]}': it must be a number, and not below ${least}.`);
  return value;
};
const oneOf = (name, words) => {
  if (!words.includes(options[name])) throw new Error(`--${name} is '${options[name]}': it must be ${words.join(' or ')}.`);
  return options[name];
};
const seed = options.seed === undefined ? Date.now() % 2 ** 32 : Number(options.seed);
if (!Number.isInteger(seed) || seed < 0) throw new Error(`--seed is '${options.seed}': it must be a whole number from 0 up.`);
const [minutes, clients, roomCount, rate] = ['minutes', 'clients', 'rooms', 'rate'].map((name) => number(name));
const [socketIoCount, wandererCount, stockCount, hotRate] = ['socketio', 'wanderers', 'stock', 'hot'].map((name) => number(name, 0));
const store = oneOf('store', ['sqlite', 'postgres']);
const history = oneOf('history', ['memory', 'durable']);
const names = eventNames(options.events, store);
const random = new Random(seed);
const say = (text) => console.log(`${(now() / 1000).toFixed(2).padStart(8)} s  ${text}`);
const replay = `./dev chaos --seed ${seed} --minutes ${minutes}` + (options.events ? ` --events ${options.events}` : '') +
               ` --store ${store} --history ${history} --clients ${clients} --socketio ${socketIoCount}` +
               ` --wanderers ${wandererCount} --stock ${stockCount} --rooms ${roomCount} --rate ${rate} --hot ${hotRate}`;

const rooms = Array.from({length: roomCount}, (_, i) => `room-${i + 1}`);
if (hotRate) rooms.push(HOT);
const rateOf = (room) => (room === HOT ? hotRate : rate);
const sends = [];
const violations = [];
const violate = (kind, text) => violations.push({kind, text});

// Each client is in the room of its number and in one that chance chooses; one of Socket.IO, and a stock one, in the first.
function makePeople(gatePort) {
  const chance = random.of('rooms');
  const usual = rooms.filter((room) => room !== HOT);
  const roomsOf = (i) => {
    const first = usual[i % usual.length];
    const others = usual.filter((room) => room !== first);
    return others.length ? [first, chance.pick(others)] : [first];
  };
  const make = (count, name, Kind, wanted) =>
    Array.from({length: count}, (_, i) => new Kind(`${name}-${i + 1}`, gatePort, wanted(i), sends));
  const staying = make(clients, 'user', Person, (i) => [...roomsOf(i), ...hotRate && i < HOT_MEMBERS ? [HOT] : []]);
  const alone = (i) => roomsOf(i).slice(0, 1);
  const wandering = [...make(wandererCount, 'wanderer', Wanderer, roomsOf), ...make(stockCount, 'stock', StockPerson, alone)];
  staying.push(...make(socketIoCount, 'socketio', SocketIoPerson, alone));
  return {staying, wandering, all: [...staying, ...wandering]};
}

// Steady talk in every room, until stop().
function talk(people) {
  let timers = rooms.map((room) => {
    const chance = random.of(`talk in ${room}`);
    const pause = 1000 / rateOf(room) * chance.between(0.9, 1.1);
    // A timer is late now and then: what is due is said together.
    let due = now();
    return setInterval(() => {
      for (; due <= now(); due += pause) {
        const person = chance.pick(people.filter((one) => one.present.includes(room)));
        if (person && person.pending < (room === HOT ? MAX_PENDING_HOT : MAX_PENDING)) person.say(room);
      }
    }, Math.max(10, pause));
  });
  return () => timers.splice(0).forEach(clearInterval);
}

// Until every client that stays is back in its rooms and every room has a message that was sent after `t`.
async function calm(people, t, what) {
  const quiet = () => rooms.filter((room) => !sends.some((send) => send.room === room && send.sent >= t && send.acked));
  const away = () => people.staying.filter((person) => !person.whole);
  await until(() => !away().length && !quiet().length, () => 'calm', CALM_MS).catch(() => {
    violate('pause', `${CALM_MS / 1000} s after ${what} ${quiet().length} rooms take no message (${quiet().slice(0, 5)}), and ` +
                     `${away().length} clients are not back (${away().slice(0, 5).map(({user}) => user)})`);
  });
}

// Those who come and go stop for a while, and then everybody is where they should be, and is seen there by all.
const agreements = [];
const ownPause = watchOwnPauses();
async function agree(suite, people, what) {
  await Promise.all(people.wandering.map((one) => one.settle()));
  const expected = new Map(rooms.map((room) => [room, people.all.filter(({present}) => present.includes(room)).map(({user}) => user)]));
  const look = async () => {
    const views = people.all.flatMap((one) => one.present.flatMap((room) => {
      const users = one.usersOf(room);
      return users ? [{who: one.user, room, users}] : [];
    }));
    for (const [i, room] of rooms.entries()) {
      const {members = []} = await callChat(suite.chats[i % suite.chats.length], 'GetRoom', {room}).catch(({message}) => {
        views.push({who: `nobody (${message})`, room, users: []});
        return {};
      });
      views.push({who: 'its chat server', room, users: members.map(({user}) => user)});
    }
    return checkPresence(views, expected);
  };
  const begin = now();
  let last = await look();
  while (last.length && now() < begin + 2 * AGREE_MS) {
    await sleep(200);
    last = await look();
  }
  agreements.push(now() - begin);
  for (const violation of last) violations.push({...violation, text: `after ${what}: ${violation.text}`});
  if (last.length) for (const {user, where} of people.wandering) if (where) say(`${user} is ${where}`);
}

// Asks the store itself; how many events it has.
async function auditStore(suite, what) {
  const ask = suite.postgres ? (sql) => suite.postgres.query(sql) : sqliteFile(join(suite.folder, 'store.db'));
  const result = await audit(ask, store, history === 'durable' ? sends : []);
  for (const violation of result.violations) violations.push({...violation, text: `after ${what}: ${violation.text}`});
  return result.rows;
}

function report(result, storm, records, people) {
  const {counts} = result;
  console.log('\nCounts');
  counts['comings seen'] = people.all.reduce((sum, {joins}) => sum + joins, 0);
  counts['leavings seen'] = people.all.reduce((sum, {leaves}) => sum + leaves, 0);
  counts['recoveries of Socket.IO clients\' states'] = people.staying.reduce((sum, {recoveries = 0}) => sum + recoveries, 0);
  counts['returns of Socket.IO clients by an enter, with all that they had missed'] = people.staying.reduce((sum, {returns = 0}) => sum + returns, 0);
  counts['connections of stock clients that the servers ended'] = people.wandering.reduce((sum, {ends = 0}) => sum + ends, 0);
  for (const [name, count] of Object.entries(counts)) console.log(`  ${String(count).padStart(9)}  ${name}`);
  console.log('\nPauses in milliseconds: from an event until each room that it touched has reached all its members again');
  for (const [name, values] of Object.entries(pausesOf(storm.events, records, sends))) {
    if (!values.length) continue;
    const {count, p50, p99, max} = distribution(values);
    console.log(`  ${name.padEnd(22)} rooms ${String(count).padStart(4)}   p50 ${p50.toFixed(0).padStart(6)}   ` +
                `p99 ${p99.toFixed(0).padStart(6)}   max ${max.toFixed(0).padStart(6)}`);
  }
  const {count, p50, max} = distribution(agreements);
  console.log(`  until everybody saw the same members as the chat servers: ${count} times, p50 ${p50.toFixed(0)}, max ${max.toFixed(0)}`);
  console.log(`  longest time for which this test itself did not run: ${ownPause().toFixed(0)}`);
  if (!violations.length) return console.log(`\nNothing was lost, doubled or reordered. Seed ${seed}; again: ${replay}`);
  console.log(`\n${violations.length} VIOLATIONS`);
  for (const kind of new Set(violations.map(({kind}) => kind))) {
    const all = violations.filter((one) => one.kind === kind);
    console.log(`  ${kind}: ${all.length}`);
    for (const {text} of all.slice(0, MAX_SHOWN)) console.log(`    ${text}`);
    if (all.length > MAX_SHOWN) console.log(`    … and ${all.length - MAX_SHOWN} more`);
  }
  console.log(`\nSeed ${seed}. To replay: ${replay}`);
}

async function main() {
  say(`seed ${seed}; to replay: ${replay}`);
  const flags = {chat: [`--history=${history}`]};
  const suite = await Suite.start({connectors: 3, chats: 3, network: true, store, flags});
  let people = {staying: [], wandering: [], all: []};
  try {
    people = makePeople(suite.gatePort);
    for (const person of people.all) await person.start();
    const size = new Map(rooms.map((room) => [room, people.all.filter((one) => one.present.includes(room)).length]));
    await until(() => people.staying.every((one) => one.rooms.every((room) => one.usersOf(room).length === size.get(room))),
                'everybody to see everybody');
    for (const person of people.all) person.joins = 0;
    say(`${people.all.length} clients are in ${rooms.length} rooms`);
    const stop = talk(people.all);
    const storm = new Storm(suite, rooms, say);
    await calm(people, now(), 'the start');
    const end = now() + minutes * 60000;
    const chances = people.wandering.map(({user}) => random.of(user));
    for (const step of steps(random.of('steps'), names)) {
      people.wandering.forEach((one, i) => one.begin(chances[i]));
      await storm.run(step);
      await calm(people, now(), step.name);
      say('calm');
      await agree(suite, people, step.name);
      await auditStore(suite, step.name);
      if (now() >= end || violations.length) break;
    }
    stop();
    await until(() => people.staying.every(({pending}) => !pending), 'every send to end', 70000)
        .catch((error) => violate('pause', error.message));
    const recordsOf = (those) => those.flatMap(({user, records}) => [...records].map(([room, entries]) => ({user, room, entries})));
    // What was said last may still be on its way to members whose rooms are just moving.
    let result;
    const deaths = history === 'durable' ? [] : storm.deaths;
    await until(() => (result = check({records: recordsOf(people.all), sends, deaths})).violations.length === 0,
                'every message to arrive', SETTLE_MS).catch(() => {});
    violations.push(...result.violations);
    result.counts['events in the store'] = await auditStore(suite, 'all');
    for (const {troubles} of people.all) for (const {text} of troubles) violate('put out', text);
    for (const {id, error, once} of sends) if (error && !once) violate('unanswered', `'${id}' was given up: ${error}`);
    report(result, storm, recordsOf(people.staying), people);
    if (violations.length && options.logs) {
      for (const server of [suite.gate, ...suite.connectors, ...suite.chats]) console.log(`\n== ${server.id}\n${server.log}`);
    }
  } finally {
    await Promise.all(people.wandering.map((one) => one.settle()));
    for (const person of people.all) person.close();
    await suite.stop({evenIfBad: violations.length > 0});
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
await main();
process.exit(violations.length ? 1 : 0);
