// The chaos test: see ./dev chaos --help.
import {parseArgs} from 'node:util';

import {Suite} from '../e2e/suite.mjs';
import {until} from '../e2e/wait.mjs';
import {check, checkPresence} from './checker.mjs';
import {distribution, pausesOf} from './pauses.mjs';
import {now, Person} from './person.mjs';
import {Random} from './random.mjs';
import {EVENTS, eventNames, steps} from './schedule.mjs';
import {callChat, Storm} from './storm.mjs';

const USAGE = `usage: ./dev chaos [--seed N] [--minutes M] [--events LIST] [--clients N] [--rooms N] [--rate R] [--logs]

Runs a gate, three connectors and three chat servers under load, kills, halts, restarts, adds and removes them as the
seed says, and proves from what every client saw that nothing was lost, doubled or reordered.

  --seed N       what is random; without it, the time
  --minutes M    for how long things happen; default 5
  --events LIST  only these, with commas: ${Object.keys(EVENTS).join(', ')}
  --clients N    default 200, each of them in two rooms
  --rooms N      default 20
  --rate R       messages a second in each room; default 4
  --logs         print the servers' logs at the end, if something was violated`;
const CALM_MS = 30000;
const SETTLE_MS = 10000;
const MAX_SHOWN = 10;  // Violations of a kind.
const MAX_PENDING = 2;  // Sends of one client that wait for an answer.

const {values: options} = parseArgs({options: {
  seed: {type: 'string'}, minutes: {type: 'string', default: '5'}, events: {type: 'string', default: ''},
  clients: {type: 'string', default: '200'}, rooms: {type: 'string', default: '20'}, rate: {type: 'string', default: '4'},
  logs: {type: 'boolean', default: false}, help: {type: 'boolean', default: false},
}});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const number = (name) => {
  const value = Number(options[name]);
  if (!(value > 0)) throw new Error(`--${name} is '${options[name]}': it must be a number above 0.`);
  return value;
};
const seed = options.seed === undefined ? Date.now() % 2 ** 32 : Number(options.seed);
if (!Number.isInteger(seed) || seed < 0) throw new Error(`--seed is '${options.seed}': it must be a whole number from 0 up.`);
const [minutes, clients, roomCount, rate] = ['minutes', 'clients', 'rooms', 'rate'].map(number);
const names = eventNames(options.events);
const random = new Random(seed);
const say = (text) => console.log(`${(now() / 1000).toFixed(2).padStart(8)} s  ${text}`);
const replay = `./dev chaos --seed ${seed} --minutes ${minutes}` + (options.events ? ` --events ${options.events}` : '') +
               ` --clients ${clients} --rooms ${roomCount} --rate ${rate}`;

const rooms = Array.from({length: roomCount}, (_, i) => `room-${i + 1}`);
const sends = [];
const violations = [];
const violate = (kind, text) => violations.push({kind, text});

// Each client is in the room of its number and in one that chance chooses.
function makePeople(gatePort) {
  const chance = random.of('rooms');
  return Array.from({length: clients}, (_, i) => {
    const first = rooms[i % rooms.length];
    const others = rooms.filter((room) => room !== first);
    return new Person(`user-${i + 1}`, gatePort, others.length ? [first, chance.pick(others)] : [first], sends);
  });
}

// Steady talk in every room, until stop().
function talk(people) {
  let timers = rooms.map((room) => {
    const chance = random.of(`talk in ${room}`);
    const members = people.filter((person) => person.rooms.includes(room));
    return setInterval(() => {
      const person = chance.pick(members);
      if (person?.pending < MAX_PENDING) person.say(room);
    }, 1000 / rate * chance.between(0.9, 1.1));
  });
  return () => timers.splice(0).forEach(clearInterval);
}

// Until every client is back in its rooms and every room has a message that was sent after `t`.
async function calm(people, t, what) {
  const quiet = () => rooms.filter((room) => !sends.some((send) => send.room === room && send.sent >= t && send.acked));
  const away = () => people.filter((person) => !person.whole);
  await until(() => !away().length && !quiet().length, () => 'calm', CALM_MS).catch(() => {
    violate('pause', `${CALM_MS / 1000} s after ${what} ${quiet().length} rooms take no message (${quiet().slice(0, 5)}), and ` +
                     `${away().length} clients are not back (${away().slice(0, 5).map(({user}) => user)})`);
  });
}

async function presence(suite, people) {
  const expected = new Map(rooms.map((room) => [room, people.filter((one) => one.rooms.includes(room)).map(({user}) => user)]));
  const look = async () => {
    const views = people.flatMap(({user, client}) => client.rooms.map((room) => ({who: user, room, users: client.users(room)})));
    for (const room of rooms) {
      const {members = []} = await callChat(suite.chats[0], 'GetRoom', {room}).catch(() => ({}));
      views.push({who: 'its chat server', room, users: members.map(({user}) => user)});
    }
    return checkPresence(views, expected);
  };
  let last = [];
  await until(async () => (last = await look()).length === 0, 'presence to agree').catch(() => {});
  violations.push(...last);
}

function report(result, storm, records, people) {
  const {counts} = result;
  console.log('\nCounts');
  counts['joins seen of clients that were there all the time'] = people.reduce((sum, {joins}) => sum + joins, 0);
  counts['leaves seen of clients that were there all the time'] = people.reduce((sum, {leaves}) => sum + leaves, 0);
  for (const [name, count] of Object.entries(counts)) console.log(`  ${String(count).padStart(9)}  ${name}`);
  console.log('\nPauses in milliseconds: from an event until each room that it touched has reached all its members again');
  for (const [name, values] of Object.entries(pausesOf(storm.events, records, sends))) {
    if (!values.length) continue;
    const {count, p50, p99, max} = distribution(values);
    console.log(`  ${name.padEnd(22)} rooms ${String(count).padStart(4)}   p50 ${p50.toFixed(0).padStart(6)}   ` +
                `p99 ${p99.toFixed(0).padStart(6)}   max ${max.toFixed(0).padStart(6)}`);
  }
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
  const suite = await Suite.start({connectors: 3, chats: 3});
  let people = [];
  try {
    people = makePeople(suite.gatePort);
    for (const person of people) await person.start();
    const size = new Map(rooms.map((room) => [room, people.filter((one) => one.rooms.includes(room)).length]));
    await until(() => people.every(({client}) => client.rooms.every((room) => client.users(room).length === size.get(room))),
                'everybody to see everybody');
    for (const person of people) person.joins = 0;
    say(`${clients} clients are in ${rooms.length} rooms`);
    const stop = talk(people);
    const storm = new Storm(suite, rooms, say);
    await calm(people, now(), 'the start');
    const end = now() + minutes * 60000;
    for (const step of steps(random.of('steps'), names)) {
      await storm.run(step);
      await calm(people, now(), step.name);
      if (now() >= end || violations.length) break;
    }
    stop();
    await until(() => people.every(({pending}) => !pending), 'every send to end', 70000)
        .catch((error) => violate('pause', error.message));
    await presence(suite, people);
    const records = () => people.flatMap(({user, records}) => [...records].map(([room, entries]) => ({user, room, entries})));
    // What was said last may still be on its way to members whose rooms are just moving.
    let result;
    await until(() => (result = check({records: records(), sends, deaths: storm.deaths})).violations.length === 0,
                'every message to arrive', SETTLE_MS).catch(() => {});
    violations.push(...result.violations);
    for (const {troubles} of people) for (const {text} of troubles) violate('put out', text);
    for (const {id, error} of sends) if (error) violate('unanswered', `'${id}' was given up: ${error}`);
    report(result, storm, records(), people);
    if (violations.length && options.logs) {
      for (const server of [suite.gate, ...suite.connectors, ...suite.chats]) console.log(`\n== ${server.id}\n${server.log}`);
    }
  } finally {
    for (const person of people) person.close();
    await suite.stop({evenIfBad: violations.length > 0});
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
await main();
process.exit(violations.length ? 1 : 0);
