// Rooms move to another chat server while what the old one says reaches a connector late: the new one is ahead of it. Nobody
// misses a message for that.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {callChat} from '../chaos/storm.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOMS = Array.from({length: 8}, (_, i) => `room${i}`);
const LATE_MS = 5000;
const PAUSE_MS = 20;

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2, network: true});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

async function enter(user, connector) {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: connector.clientPort});
  for (const room of ROOMS) await client.enter(user, room);
  return client;
}

test('the new owner of a room does not overtake the old one', async () => {
  const {chats: [old, next], connectors: [here, there], network} = suite;
  const ann = await enter('ann', here);
  const bob = await enter('bob', there);
  let talking = true;
  const talk = Promise.all(ROOMS.map(async (room) => {
    let said = 0;
    // One at a time, each answered before the next: so their order is known. Not so many that those who wait are too many.
    for (; talking; await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))) {
      const {offset} = await bob.send(room, `${room} ${said + 1}`);
      if (offset !== undefined) said += 1;
    }
    return said;
  }));
  await until(() => ROOMS.every((room) => ann.texts.some((text) => text.startsWith(`${room} `))), 'talk in all rooms');

  network.oneWay(old.id, here.id, {delay: LATE_MS});
  await suite.remove(old);
  const moved = async () => (await callChat(next, 'ListRooms', {page_size: 100})).rooms.map(({room}) => room);
  await until(async () => (await moved()).filter((room) => ROOMS.includes(room)).length === ROOMS.length, 'the rooms to move');
  // Somebody enters each room, at its new owner, by the connector that hears the old one late.
  await enter('cat', here);
  await until(() => clients.at(-1).texts.length >= ROOMS.length, 'cat to hear what is said');
  network.heal();
  await old.stop();
  await until(() => ann.pushes.onAdd.filter(({user}) => user === 'cat').length === ROOMS.length, 'cat in all rooms');
  talking = false;
  const said = await talk;
  for (const [i, room] of ROOMS.entries()) {
    const wanted = Array.from({length: said[i]}, (_, n) => `${room} ${n + 1}`);
    const heard = () => ann.texts.filter((text) => text.startsWith(`${room} `));
    await until(() => heard().at(-1) === wanted.at(-1), () => `the last word in ${room}, ${wanted.at(-1)}; there was ${heard().at(-1)}, ${ann.open ? 'connected' : ann.events}`);
    assert.deepEqual(heard(), wanted, `all that was said in ${room}`);
  }
});
