// The suite of deploy/compose.yaml as containers, each with an address of its own: run by run.sh, which starts it.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {isDeepStrictEqual} from 'node:util';

import {check} from '../chaos/checker.mjs';
import {callChat} from '../chaos/storm.mjs';
import {until} from '../e2e/wait.mjs';
import {Container, composeStop, podman} from './containers.mjs';
import {Talk} from './talk.mjs';

// README promises a pause of 6 seconds for a chat server that hangs; a busy machine may take longer for it.
const FLOWS_WITHIN_MS = 20000;
const START_WITHIN_MS = 60000;
// The containers' DNS may be silent for a while after a container has gone.
const STORE_WITHIN_MS = 60000;
const ROOMS = Array.from({length: 12}, (_, i) => `room-${i}`);
const talk = new Talk(ROOMS);
const deaths = [];  // As the checker wants them.
let servers;
let store;
let connectors;
let chats;
let homes;  // The rooms of each chat server when all is well.

const roomsOf = async ({host}) => {
  const {rooms = []} = await callChat({host, port: 6050}, 'ListRooms', {page_size: 1000});
  return rooms.map(({room}) => room).filter((room) => ROOMS.includes(room));
};
const owned = () => Promise.all(chats.map(async (chat) => roomsOf(await chat.look())));
// A room belongs to the same chat server whenever that one is there.
const restored = () => until(async () => isDeepStrictEqual(await owned().catch(() => []), homes),
                             'each chat server to have its rooms again', FLOWS_WITHIN_MS);
const dies = async (chat) => deaths.push({name: chat.service, rooms: await roomsOf(chat), t: performance.now()});

before(async () => {
  const all = await Container.all();
  servers = all.filter(({program}) => program?.startsWith('hubbub-'));
  store = all.find(({service}) => service === 'store');
  assert.equal(all.length, servers.length + 1);
  connectors = servers.filter(({program}) => program === 'hubbub-connector');
  chats = servers.filter(({program}) => program === 'hubbub-chat');
  // A ready server may still look for the others, and a new database takes a while to make its files.
  const listed = `http://127.0.0.1:${servers.at(-1).portFor(3014)}/servers.json`;
  const states = async () => (await (await fetch(listed)).json()).servers.filter(({state}) => state === 'SERVER_STATE_READY');
  await until(async () => (await states().catch(() => [])).length === servers.length, 'the gate to know all servers', START_WITHIN_MS);
  const speaks = async ({host}) => callChat({host, port: 6050}, 'Send', {room: 'probe', from: 'test', content: 'there?'});
  await until(async () => Promise.all(chats.map(speaks)).catch(() => null), 'chat servers to own rooms', START_WITHIN_MS);
});
after(() => talk.close());

test('each server has an address of its own, no right and nothing to write on', async () => {
  assert.deepEqual(servers.map(({service}) => service), ['chat-1', 'chat-2', 'connector-1', 'connector-2', 'gate']);
  assert.equal(new Set([store, ...servers].map(({host}) => host)).size, servers.length + 1);
  for (const {service, pid, id} of [store, ...servers]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const user = service === 'store' ? 999 : 65532;
    assert.match(status, new RegExp(`^Uid:\t${user}\t${user}\t${user}\t${user}$`, 'm'), service);
    assert.match(status, new RegExp(`^Gid:\t${user}\t${user}\t${user}\t${user}$`, 'm'), service);
    for (const set of ['Prm', 'Eff', 'Bnd']) assert.match(status, new RegExp(`^Cap${set}:\\t0+$`, 'm'), service);
    assert.match(status, /^NoNewPrivs:\t1$/m, service);
    assert.match(readFileSync(`/proc/${pid}/mounts`, 'utf8'), /^\S+ \/ \S+ ro,/m, `${service} can write on its root file system`);
    if (service !== 'store') await assert.rejects(podman('exec', id, 'sh', '-c', 'true'), /not found/, `${service} has a shell`);
  }
});

test('people on two connectors chat in rooms of two chat servers', async () => {
  const gatePort = servers.at(-1).portFor(3014);
  for (const name of ['ann', 'bob']) {
    for (const connector of connectors) await talk.join(name, gatePort, connector.portFor(3050));
  }
  talk.begin();
  await talk.flows('at the start', FLOWS_WITHIN_MS);
  homes = await owned();
  for (const [i, rooms] of homes.entries()) assert.notEqual(rooms.length, 0, `${chats[i].service} has no room`);
  assert.deepEqual(homes.flat().sort(), ROOMS.toSorted(), 'each room has one chat server');
});

test("the store's container is killed, and starts again: each room stays where it is, and what is said waits", async () => {
  const before = await Promise.all(chats.map((chat) => chat.log()));
  const say = (text) => until(async () => (await Promise.all(chats.map((chat) => chat.log()))).every((log, i) =>
                                  log.slice(before[i].length).includes(text)), `all chat servers to say '${text}'`, STORE_WITHIN_MS);
  await store.kill();
  await say('the store does not answer');
  assert.equal((await store.look()).state, 'exited');
  assert.deepEqual(await owned(), homes);
  await store.start();
  await say('the store answers again');
  await talk.flows('with the store again', FLOWS_WITHIN_MS);
  assert.deepEqual(await owned(), homes);
});

// Which takes a store that answers.
test('a chat container is killed, and starts again', async () => {
  const [chat] = chats;
  await dies(chat);
  await chat.kill();
  await talk.flows(`without ${chat.service}`, FLOWS_WITHIN_MS);
  assert.equal((await chat.look()).state, 'exited');
  await chat.start();
  await restored();
  await talk.flows(`with ${chat.service} again`, FLOWS_WITHIN_MS);
});

test('a chat container is paused, and goes on', async () => {
  const chat = chats[1];
  await dies(chat);
  await chat.pause();
  try {
    await talk.flows(`while ${chat.service} is paused`, FLOWS_WITHIN_MS);
    assert.equal((await chat.look()).state, 'paused');
  } finally {
    await chat.unpause();
  }
  await restored();
  await talk.flows(`with ${chat.service} again`, FLOWS_WITHIN_MS);
});

test('nothing was doubled, reordered, or lost that had not died with its chat server; nobody saw anybody come or go', async (t) => {
  const seen = talk.people.map(({client: {pushes}}) => [pushes.onAdd.length, pushes.onLeave.length, pushes.onKick.length]);
  await talk.end();
  let result;
  await until(() => (result = check({...talk, deaths})).violations.length === 0, 'all to arrive').catch(() => {});
  assert.deepEqual(result.violations, []);
  assert.equal(result.counts.unanswered, 0);
  for (const [what, count] of Object.entries(result.counts)) t.diagnostic(`${what}: ${count}`);
  // Each client saw the clients that entered after it come, and saw nothing else.
  assert.deepEqual(seen, talk.people.map((_, i) => [ROOMS.length * (talk.people.length - 1 - i), 0, 0]));
});

test('each server ends by itself when it is told to', async () => {
  await composeStop();
  for (const server of [store, ...servers]) {
    const {service, state, exitCode} = await server.look();
    assert.deepEqual([service, state, exitCode], [service, 'exited', 0]);
  }
});
