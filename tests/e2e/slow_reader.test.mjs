// A client that stops reading is closed; the others in its room go on, and nothing of theirs is lost.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {HEARTBEAT, pack, RawTcp} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOM = 'flood';
const TEXT = 'x'.repeat(30000);
const MOST_MESSAGES = 3000;  // 90 MB: more than the buffers of any network between two processes.

let suite;
const clients = [];

// A room with a talker, and a member who does not read.
async function slowMember(room, talker, member) {
  const sender = await new StockClient().connect(suite.gatePort, talker);
  const reader = await RawTcp.connect(suite.connectors[0].clientPort);
  clients.push(sender, reader);
  await sender.enter(talker, room);
  await reader.join();
  const entered = await reader.request('connector.entryHandler.enter', {username: member, rid: room});
  assert.ok(entered.users);
  reader.socket.pause();
  return {sender, reader, entered};
}

// Says more to everybody than the server keeps for a client, with what the systems of both sides may take; answers the offsets.
// The member shows that it is there, for as long as the server still reads from it.
async function flood(sender, reader, room) {
  const offsets = [];
  for (let i = 0; i < 20; ++i) {
    const answers = await Promise.all(Array.from({length: 25}, (_, j) => sender.send(room, `${i} ${j} ${TEXT}`)));
    offsets.push(...answers.map(({offset}) => offset).sort((a, b) => a - b));
    reader.send(pack(HEARTBEAT));
  }
  return offsets;
}

const offsetsOf = (bodies) => bodies.map(({offset}) => offset);
const within = (gaps) => (offset) => gaps.some(({since, until}) => offset > since.offset && offset <= until.offset);

before(async () => {
  suite = await Suite.start({flags: {connector: ['--max_bytes_per_second=1073741824']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

test('a client that reads too slowly stays, and is told what was left out', async () => {
  const {sender, reader} = await slowMember('busy', 'talker', 'slow');
  const texts = () => offsetsOf(reader.pushes('onChat'));
  const offsets = await flood(sender, reader, 'busy');
  reader.socket.resume();
  await until(() => reader.pushes('onGap').length, 'the gap');
  offsets.push((await sender.send('busy', 'the last')).offset);
  await until(() => texts().at(-1) === offsets.at(-1), 'the last message');
  assert.ok(!reader.closed);

  const gaps = reader.pushes('onGap');
  const leftOut = offsets.filter(within(gaps));
  assert.ok(leftOut.length > 0);
  assert.deepEqual([...texts(), ...leftOut].sort((a, b) => a - b), offsets, 'each is there or was said to be left out');
  const [first] = leftOut;
  const page = await reader.request('chat.chatHandler.history', {rid: 'busy', before: first + 1, limit: 1});
  assert.equal(page.events[0].offset, first);
});

test('who has read what lies behind a gap has been told of the gap, and comes back without a loss', async () => {
  const {sender, reader, entered} = await slowMember('private', 'whisperer', 'listener');
  const offsets = await flood(sender, reader, 'private');
  const {offset: last} = await sender.send('private', 'for you alone', 'listener');
  reader.socket.resume();
  // As if the connection broke with that message: what has come behind it is not looked at.
  await until(() => offsetsOf(reader.pushes('onChat')).includes(last), 'the message to one');
  reader.close();
  const {messages} = reader;
  const read = messages.slice(0, messages.findIndex(({body}) => body.offset === last) + 1);
  const of = (route) => read.filter((message) => message.route === route).map(({body}) => body);

  const again = await RawTcp.connect(suite.connectors[0].clientPort);
  clients.push(again);
  await again.join();
  const answer = await again.request('connector.entryHandler.enter', {username: 'listener', rid: 'private', resume: entered.resume,
                                                                      epoch: entered.epoch, offset: last, attempt: 2});
  assert.equal(answer.recovered, true);
  const leftOut = offsets.filter(within(of('onGap')));
  assert.ok(leftOut.length > 0);
  assert.deepEqual([...offsetsOf(of('onChat')), ...leftOut, ...offsetsOf(answer.events)].sort((a, b) => a - b), [...offsets, last],
                   'each is there or was said to be left out');
});

test('who leaves a room is told before the answer what was left out', async () => {
  const {sender, reader} = await slowMember('hasty', 'orator', 'leaver');
  const offsets = await flood(sender, reader, 'hasty');
  const left = reader.request('connector.entryHandler.leave', {rid: 'hasty'});
  reader.socket.resume();
  assert.equal((await left).code, 200);
  const leftOut = offsets.filter(within(reader.pushes('onGap')));
  assert.deepEqual([...offsetsOf(reader.pushes('onChat')), ...leftOut].sort((a, b) => a - b), offsets);
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
