// A chat server comes back whose way to the store is long: others hand it rooms before it has all its connections there.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {WebSocket} from 'ws';

import {callChat} from '../chaos/storm.mjs';
import {HubbubClient} from './library.mjs';
import {STORE} from './network.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOMS = Array.from({length: 12}, (_, i) => `room-${i}`);
const STORE_IS_FAR = {delay: 15};  // Milliseconds, each way.
const SAY_EVERY_MS = 50;

let suite;
let client;
let timer;
after(async () => {
  clearInterval(timer);
  client?.close();
  await suite?.stop({evenIfBad: true});
});

const roomsOf = async (chat) => {
  const {rooms = []} = await callChat(chat, 'ListRooms', {page_size: 1000}).catch(() => ({}));
  return rooms.map(({room}) => room).filter((room) => ROOMS.includes(room));
};

test('a chat server takes rooms over only once it could keep what is said there', async () => {
  suite = await Suite.start({chats: 2, store: 'postgres', network: true});
  const [, back] = suite.chats;
  client = new HubbubClient({gate: `ws://127.0.0.1:${suite.gatePort}`, WebSocket, backoff: {min: 50, max: 500}});
  await client.connect('ann');
  for (const room of ROOMS) await client.enter(room);
  const said = [];
  let n = 0;
  timer = setInterval(() => {
    for (const room of ROOMS) said.push(client.send(room, `${n += 1}`, '*', {id: `ann ${n}`, within: 60000}));
  }, SAY_EVERY_MS);

  const before = await roomsOf(back);
  assert.ok(before.length > 0, 'it has rooms');
  await back.stop();
  suite.network.bothWays(back.id, STORE, STORE_IS_FAR);
  await back.start();
  await until(async () => (await roomsOf(back)).length === before.length, 'it to have its rooms again', 60000);
  clearInterval(timer);
  suite.network.heal();
  const answers = await Promise.all(said);
  assert.ok(answers.every(({offset}) => offset > 0));
  assert.equal(back.exit, null, back.log);
});
