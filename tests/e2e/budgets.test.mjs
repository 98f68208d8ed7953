// What one client, one address and all slow clients together may take of a server; what is more is refused with a reason, and
// nobody else notices.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import http from 'node:http';
import net from 'node:net';
import {after, before, test} from 'node:test';

import WebSocket from 'ws';

import {handshake, KICK, notify, RawTcp} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const LEAVE = 'connector.entryHandler.leave';
const SEND = 'chat.chatHandler.send';
const MOST_WAITING = 8 << 20;

let suite;
const ends = [];
before(async () => {
  suite = await Suite.start({flags: {connector: [`--max_waiting_bytes=${MOST_WAITING}`, '--max_connections_per_address=60']}});
});
after(async () => {
  for (const end of ends.reverse()) end();
  await suite?.stop();
});

async function session(user, room) {
  const client = await RawTcp.connect(suite.connectors[0].clientPort);
  ends.push(() => client.close());
  await client.join();
  if (room) assert.ok((await client.request(ENTER, {username: user, rid: room})).users);
  return client;
}

const kickOf = (client) => JSON.parse(client.of(KICK)[0]?.body ?? '{}').reason;

// Two who talk while others do harm: each says that everything of the other has come, once and in order.
class Innocents {
  static async in(room) {
    const self = new Innocents();
    self.room = room;
    self.clients = [];
    for (const user of [`${room}-ann`, `${room}-bob`]) {
      const client = await new StockClient().connect(suite.gatePort, user);
      ends.push(() => client.close());
      await client.enter(user, room);
      self.clients.push(client);
    }
    return self;
  }

  #said = 0;
  async talk(count = 10) {
    for (let i = 0; i < count; ++i) {
      const answer = await this.clients[i % 2].send(this.room, `word ${this.#said}`);
      assert.ok(answer.offset > 0, JSON.stringify(answer));
      this.#said += 1;
    }
    const words = Array.from({length: this.#said}, (_, i) => `word ${i}`);
    for (const client of this.clients) {
      await until(() => client.texts.length >= words.length, 'the words');
      assert.deepEqual(client.texts, words);
      assert.ok(client.open);
    }
  }
}

test('a session that sends too many bytes is refused with a reason, and goes on later', async () => {
  const innocents = await Innocents.in('bytes');
  const client = await session('loud', 'loud-room');
  const content = 'x'.repeat(30000);
  let refusal;
  for (let i = 0; i < 200 && !refusal; ++i) {
    const answers = await Promise.all(Array.from({length: 10}, () => client.request(SEND, {rid: 'loud-room', content, target: '*'})));
    refusal = answers.find(({offset}) => !offset);
  }
  assert.equal(refusal?.code, 429);
  assert.match(refusal.message, /^more than 1048576 bytes a second: slow down$/);
  await innocents.talk();
  await until(async () => (await client.request(SEND, {rid: 'loud-room', content: 'later', target: '*'})).offset, 'a send to pass again');
});

test('a session that floods with bytes is kicked', async () => {
  const innocents = await Innocents.in('flood');
  const client = await session('flood', 'flood-room');
  const content = 'x'.repeat(30000);
  client.socket.write(Buffer.concat(Array.from({length: 500}, () => notify(SEND, {rid: 'flood-room', content, target: '*'}))));
  await client.ended();
  assert.match(kickOf(client), /far more than a client may/);
  await innocents.talk();
});

// Pings, pongs and fragments, which no protocol is shown.
for (const [what, path, first, opcode] of [
  ['pings', '/', [], 0x89], ['pongs', '/', [], 0x8a], ['empty fragments', '/', [0x02, 0x80, 0, 0, 0, 0], 0],
  ['pings', '/socket.io/?EIO=4&transport=websocket', [], 0x89],
]) {
  test(`a WebSocket at ${path} that floods with ${what} is closed`, async () => {
    const innocents = await Innocents.in(`frames-${what}-${path.length}`);
    const socket = new WebSocket(`ws://127.0.0.1:${suite.connectors[0].clientPort}${path}`);
    ends.push(() => socket.terminate());
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    // Whoever says nothing is closed anyway.
    if (path !== '/') for (const text of ['40', `421["enter",{"username":"flooder","rid":"frames"}]`]) socket.send(text);
    const frame = Buffer.from([opcode, 0x80, 0, 0, 0, 0]);
    socket._socket.write(Buffer.concat([Buffer.from(first), ...Array.from({length: 20000}, () => frame)]));
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1008, 'you send far more pings, pongs or fragments than a client may: slow down']);
    await innocents.talk();
  });
}

test('a WebSocket that pings each second and sends in pieces is not closed', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${suite.connectors[0].clientPort}/`);
  ends.push(() => socket.terminate());
  await once(socket, 'open');
  let pongs = 0;
  socket.on('pong', () => pongs++);
  for (let i = 0; i < 20; ++i) socket.ping('x'.repeat(100));
  const hello = handshake();
  for (const byte of hello.subarray(0, -1)) socket.send(Buffer.from([byte]), {fin: false});
  socket.send(hello.subarray(-1), {fin: true});
  const [answer] = await once(socket, 'message');
  assert.equal(answer[0], 1);
  await until(() => pongs === 20, 'the pongs');
});

test('one address keeps a part of the connections that may be kept, and loses its own oldest', async () => {
  const port = suite.connectors[0].clientPort;
  const get = (from) => new Promise((resolve, reject) => {
    const socket = net.connect({port, host: '127.0.0.1', localAddress: from});
    ends.push(() => socket.destroy());
    const one = {socket, closed: false, head: ''};
    socket.on('error', reject);
    socket.on('close', () => (one.closed = true));
    socket.on('data', (bytes) => {
      one.head += bytes;
      if (one.head.includes('\r\n\r\n')) resolve(one);
    });
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });
  const greedy = [];
  for (let i = 0; i < 300; ++i) greedy.push(await get('127.0.0.78'));
  const other = await get('127.0.0.79');
  for (const one of [...greedy, other]) assert.match(one.head, /connection: keep-alive/i);
  const open = () => greedy.filter((one) => !one.closed).length;
  await until(() => open() <= 64, () => `${open()} are open`);
  assert.ok(open() >= 32, `${open()}`);
  assert.ok(greedy.slice(-32).every((one) => !one.closed), 'the oldest have gone');
  assert.ok(!other.closed);
  for (const one of greedy) one.socket.destroy();
});

test('a session may enter so many rooms a second', async () => {
  const client = await session('visitor');
  const enters = Array.from({length: 500}, () => {
    const enter = client.request(ENTER, {username: 'visitor', rid: 'visited'});
    client.send(notify(LEAVE, {rid: 'visited'}));
    return enter;
  });
  const answers = await Promise.all(enters);
  const refused = answers.filter(({users}) => !users);
  assert.ok(refused.length < 400, `${refused.length} of 500: a client that comes back enters all its rooms at once`);
  assert.match(refused[0].message, /^more than 50 enters a second: slow down$/);
  assert.equal(refused[0].code, 429);
  await until(async () => (await client.request(ENTER, {username: 'visitor', rid: 'visited'})).users, 'an enter to pass again');
});

test('clients that never read are bounded together', async () => {
  const innocents = await Innocents.in('readers');
  const sender = await new StockClient().connect(suite.gatePort, 'sender');
  ends.push(() => sender.close());
  await sender.enter('sender', 'sleepers');
  const sleepers = [];
  for (let i = 0; i < 20; ++i) {
    const sleeper = await session(`sleeper-${i}`, 'sleepers');
    sleeper.socket.pause();
    sleepers.push(sleeper);
  }
  const content = 'x'.repeat(30000);
  const connector = suite.connectors[0];
  for (let i = 0; i < 400 && !/clients were closed: \d+ bytes waited/.test(connector.log); ++i) {
    await until(async () => (await sender.send('sleepers', content)).offset > 0, 'a send to pass');
    if (i % 20 === 19) await innocents.talk(2);
  }
  assert.match(connector.log, /clients were closed: \d+ bytes waited for clients that do not read/);
  const {users} = await (await session('asker')).request(ENTER, {username: 'asker', rid: 'sleepers'});
  assert.ok(users.length > 2, 'no more are closed than has to be');
  await innocents.talk();
  for (const sleeper of sleepers) sleeper.close();
});

test('one address may have so many connections', async () => {
  const innocents = await Innocents.in('addresses');
  const port = suite.connectors[0].clientPort;
  const sockets = [];
  ends.push(() => sockets.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 60; ++i) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
  }
  const late = await RawTcp.connect(port);
  ends.push(() => late.close());
  late.send(handshake());
  await late.ended();
  assert.equal(kickOf(late), 'too-many', 'and not that the server is full, for there is room');
  const page = await new Promise((resolve, reject) => {
    http.get({port, host: '127.0.0.1', path: '/', agent: false}, resolve).on('error', reject);
  });
  page.setEncoding('utf8');
  assert.equal(page.statusCode, 429);
  assert.match(page.headers['retry-after'], /^\d+$/);
  assert.match((await page.toArray()).join(''), /^Your address has as many clients here as one may have\./);
  for (const [path, frames] of [['/', [[KICK, {reason: 'too-many'}]]], ['/socket.io/?EIO=4&transport=websocket', []]]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const heard = [];
    socket.on('message', (bytes) => heard.push([bytes[0], JSON.parse(bytes.subarray(4))]));
    const [code, reason] = await once(socket, 'close');
    assert.deepEqual({code, reason: String(reason), heard}, {code: 1013, reason: 'too-many', heard: frames});
  }
  assert.match(suite.connectors[0].log, /the machine of 127\.0\.0\.1 has 60 clients, as many as one may have/);

  // Another address of this machine is another client's.
  const other = await RawTcp.connect(port, '127.0.0.1', '127.0.0.77');
  ends.push(() => other.close());
  assert.equal((await other.join()).code, 200);
  await innocents.talk();
});

test('a room that is too loud is refused, and the others go on; a refused enter does not end the time to sign in', async () => {
  const short = await Suite.start({flags: {connector: ['--sign_in_timeout=1s'], chat: ['--max_room_bytes_per_second=2000']}});
  try {
    const ann = await new StockClient().connect(short.gatePort, 'ann');
    ends.push(() => ann.close());
    for (const room of ['loud', 'quiet']) await ann.enter('ann', room);
    const answers = [];
    while (answers.at(-1)?.code !== 429 && answers.length < 50) answers.push(await ann.send('loud', 'x'.repeat(900)));
    assert.match(answers.at(-1).message, /^what is said in room "loud" is more than 2000 bytes a second for its 1 members together: send slower$/);
    assert.ok((await ann.send('quiet', 'a word')).offset > 0);
    await until(async () => (await ann.send('loud', 'later')).offset > 0, 'the room to be heard again');

    const client = await RawTcp.connect(short.connectors[0].clientPort);
    await client.join();
    assert.notEqual((await client.request(ENTER, {username: 'ann', rid: ''})).code, 200);
    await client.ended();
  } finally {
    await short.stop();
  }
});
