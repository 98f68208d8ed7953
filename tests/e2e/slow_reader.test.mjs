// A client that stops reading is closed; the others in its room go on, and nothing of theirs is lost.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {RawTcp} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOM = 'flood';
const TEXT = 'x'.repeat(30000);
const MOST_MESSAGES = 3000;  // 90 MB: more than the buffers of any network between two processes.

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({flags: {connector: ['--max_bytes_per_second=1073741824']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

test('a client that reads too slowly stays, and is told what was left out', async () => {
  const [sender, reader] = [await new StockClient().connect(suite.gatePort, 'talker'), await RawTcp.connect(suite.connectors[0].clientPort)];
  clients.push(sender, reader);
  await sender.enter('talker', 'busy');
  await reader.join();
  assert.ok((await reader.request('connector.entryHandler.enter', {username: 'slow', rid: 'busy'})).users);
  const texts = () => reader.pushes('onChat').map(({offset}) => offset);
  reader.socket.pause();
  // More than the server keeps for a client, what the systems of both sides may take with it.
  const offsets = [];
  for (let i = 0; i < 20; ++i) {
    const answers = await Promise.all(Array.from({length: 25}, (_, j) => sender.send('busy', `${i} ${j} ${TEXT}`)));
    offsets.push(...answers.map(({offset}) => offset).sort((a, b) => a - b));
  }
  reader.socket.resume();
  await until(() => reader.pushes('onGap').length, 'the gap');
  offsets.push((await sender.send('busy', 'the last')).offset);
  await until(() => texts().at(-1) === offsets.at(-1), 'the last message');
  assert.ok(!reader.closed);

  const gaps = reader.pushes('onGap');
  const leftOut = offsets.filter((offset) => gaps.some(({since, until}) => offset > since.offset && offset <= until.offset));
  assert.ok(leftOut.length > 0);
  assert.deepEqual([...texts(), ...leftOut].sort((a, b) => a - b), offsets, 'each is there or was said to be left out');
  const [first] = leftOut;
  const page = await reader.request('chat.chatHandler.history', {rid: 'busy', before: first + 1, limit: 1});
  assert.equal(page.events[0].offset, first);
});

test('a client that stops reading is closed while the others go on', async () => {
  for (const user of ['sender', 'reader', 'sleeper']) {
    const client = await new StockClient().connect(suite.gatePort, user);
    clients.push(client);
    await client.enter(user, ROOM);
  }
  const [sender, reader, sleeper] = clients.slice(-3);
  sleeper.socket.pause();

  const gone = (client) => client.pushes.onLeave.some(({user}) => user === 'sleeper');
  let sent = 0;
  while (!gone(reader) && sent < MOST_MESSAGES) {
    assert.ok((await sender.send(ROOM, `${sent} ${TEXT}`)).offset > 0);
    sent += 1;
  }
  await until(() => gone(reader), 'the sleeper to be closed', 30000);
  await sender.send(ROOM, 'the last');
  await reader.received('onChat', ({msg}) => msg === 'the last');
  assert.deepEqual(reader.texts, [...Array.from({length: sent}, (_, i) => `${i} ${TEXT}`), 'the last']);
  assert.ok(reader.open && sender.open);
});
