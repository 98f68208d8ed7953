// What people in rooms notice when chat servers die, hang, drain, come and go: a short pause, and nothing else.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOMS = Array.from({length: 12}, (_, i) => `room-${i}`);
let suite;
let members;  // Two of each room.
let round = 0;

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 3});
  members = await Promise.all(ROOMS.flatMap((room) => ['ann', 'bob'].map(async (name) => {
    const client = new StockClient();
    const user = `${name} of ${room}`;
    await client.connect(suite.gatePort, user);
    await client.enter(user, room);
    return Object.assign(client, {user, room});
  })));
});
after(async () => {
  for (const client of members ?? []) client.close();
  await suite?.stop();
});

// Everybody says something, which reaches the whole room once; nobody came, nobody left.
async function allIsWell() {
  round += 1;
  const quiet = members.map(({pushes}) => [pushes.onAdd.length, pushes.onLeave.length]);
  const before = members.map(({texts}) => texts.length);
  const answers = await Promise.all(members.map((client) => client.request('chat.chatHandler.send', {
    rid: client.room, content: `${client.user}, round ${round}`, target: '*', id: `round-${round}`})));
  for (const answer of answers) assert.equal(answer.error, undefined, JSON.stringify(answer));
  const heard = (client) => client.texts.slice(before[members.indexOf(client)]);
  await until(() => members.every((client) => heard(client).length >= 2), 'every message to reach its room');
  for (const client of members) {
    const expected = ['ann', 'bob'].map((name) => `${name} of ${client.room}, round ${round}`);
    assert.deepEqual(heard(client).toSorted(), expected, `${client.user} hears each once`);
    const twin = members.find((other) => other.room === client.room && other !== client);
    assert.deepEqual(heard(client), heard(twin), `one order in ${client.room}`);
  }
  assert.deepEqual(members.map(({pushes}) => [pushes.onAdd.length, pushes.onLeave.length]), quiet, 'nobody came or left');
}

test('everybody hears everybody', async () => {
  // The first of the two clients in a room is told that the second has come.
  const comings = (room) => members.filter((client) => client.room === room).flatMap(({pushes}) => pushes.onAdd);
  await until(() => ROOMS.every((room) => comings(room).length === 1), 'all to have come');
  await allIsWell();
});

for (const index of [0, 1, 2]) {
  test(`chat-server-${index + 1} is killed, and comes back`, async () => {
    await suite.chats[index].stop('SIGKILL');
    await allIsWell();
    await suite.chats[index].start();
    await allIsWell();
  });
}

test('a chat server is killed and restarted at once', async () => {
  await suite.chats[1].stop('SIGKILL');
  await suite.chats[1].start();
  await allIsWell();
});

test('a chat server hangs, and wakes up', async () => {
  suite.chats[0].halt();
  try {
    await allIsWell();
  } finally {
    suite.chats[0].goOn();
  }
  await allIsWell();
});

test('every chat server is restarted in turn, while people talk', async () => {
  for (const chat of suite.chats) {
    const talking = allIsWell();
    await chat.stop();
    await talking;
    await allIsWell();
    await chat.start();
    await allIsWell();
  }
});
