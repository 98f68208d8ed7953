// Connection state recovery with Socket.IO's own client: one that was away gets what it has missed, also through another
// connector, and `recovered` is true; and it is false wherever something is missing.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {after, afterEach, before, test} from 'node:test';

import {Link, Port} from './link.mjs';
import {SocketIo} from './socketio_client.mjs';
import {StockClient} from './stock_client.mjs';
import {freePorts, Suite} from './suite.mjs';
import {Issuer} from './tokens.mjs';
import {until} from './wait.mjs';

const WAYS = [['websocket'], ['polling'], ['polling', 'websocket']];
const MORE_THAN_A_ROOM_KEEPS = 1100;
const AT_ONCE = 50;

let suite;
let door;  // What clients dial: a load balancer that leads to one connector, and then to another.
const clients = [];
let rooms = 0;

class Door {
  static async open(connector) {
    const self = new Door();
    const [port] = await freePorts(1);
    self.link = new Link('clients', 'connector', () => self.port);
    self.port = await new Port('127.0.0.1', port, {host: '127.0.0.1', port: connector.clientPort}, () => [self.link]).open();
    return self;
  }
  leadTo(connector) {
    this.port.target = {host: '127.0.0.1', port: connector.clientPort};
    return this.port.look();
  }
}

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
  door = await Door.open(suite.connectors[0]);
});
afterEach(async () => {
  for (const connector of suite.connectors) if (!connector.process) await connector.start();
  await suite.serves();
});
after(async () => {
  for (const client of clients) client.close();
  await door?.port.close();
  await suite?.stop();
});

// `auth` may be a function, as Socket.IO takes it.
async function connect(username, {auth = {username, recover: true}, ...options} = {}) {
  const client = await SocketIo.connect(door.port.port, {auth, reconnectionDelayMax: 200, transports: ['websocket'], ...options});
  clients.push(client);
  client.extra = [];
  for (const event of ['onRooms', 'onMembers']) client.socket.on(event, (body) => client.extra.push([event, body]));
  return client;
}

async function pomelo(user, ...rids) {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: suite.connectors[1].clientPort});
  for (const rid of rids) await client.enter(user, rid);
  return client;
}

const ask = async (client, event, body) => {
  const answer = await client.ask(event, body);
  assert.equal(answer.error, undefined, `${event}: ${JSON.stringify(answer)}`);
  return answer;
};
const has = (client, ...texts) => until(() => client.texts.length >= texts.length, () => `${texts}; there are ${client.texts}`)
    .then(() => assert.deepEqual(client.texts, texts));
// A client that polls notices when a poll is cut off.
const cutOff = (client, count = 1) => until(() => {
  door.link.cut();
  return client.events.filter(([event]) => event === 'disconnect').length >= count;
}, 'the client to notice');
const back = (client, count = 2) => client.happened('connect', count);

for (const transports of WAYS) {
  test(`a connector that is killed (${transports}): what was missed comes by another one, once and in order`, async () => {
    const [first, second] = suite.connectors;
    await door.leadTo(first);
    const rid = `room-${++rooms}`;
    const bob = await pomelo('bob', rid);
    const carol = await connect('carol', {transports});
    await ask(carol, 'enter', {rid});
    await until(() => carol.transport === transports.at(-1), 'the upgrade');
    await bob.send(rid, 'one');
    await has(carol, 'one');
    const {id} = carol.socket;

    await first.stop('SIGKILL');
    await carol.happened('disconnect');
    await bob.send(rid, 'two');
    await bob.request('chat.chatHandler.send', {rid, content: 'for carol alone', target: 'carol'});
    await bob.send(rid, 'three');
    await door.leadTo(second);
    await back(carol);
    assert.equal(carol.socket.recovered, true);
    assert.equal(carol.socket.id, id);
    await bob.send(rid, 'four');
    await has(carol, 'one', 'two', 'for carol alone', 'three', 'four');
    assert.deepEqual(carol.extra, [['onRooms', {rooms: [rid]}], ['onRooms', {rooms: [rid]}],
                                   ['onMembers', {users: ['bob', 'carol'], total: 2, rid}]]);
    assert.deepEqual(bob.pushes.onLeave, [], 'nobody has seen carol leave');
    await ask(carol, 'send', {rid, content: 'here I am', target: '*'});
    await bob.received('onChat', ({msg}) => msg === 'here I am');

    // And again, from there, where the connector lives on.
    await cutOff(carol, 2);
    await bob.send(rid, 'five');
    await back(carol, 3);
    assert.equal(carol.socket.recovered, true);
    await has(carol, 'one', 'two', 'for carol alone', 'three', 'four', 'here I am', 'five');
    carol.close();
  });
}

test('in several rooms each has its own position', async () => {
  await door.leadTo(suite.connectors[0]);
  for (const namespace of ['/', '/chat']) {
    const rids = [0, 1, 2].map(() => `"room", ${++rooms} 房`);
    const bob = await pomelo('bob', ...rids);
    const carol = await connect('carol', {namespace});
    for (const rid of rids) await ask(carol, 'enter', {rid});
    const texts = [];
    // Rooms have orders of their own, and none between them.
    const hasAll = async () => {
      await until(() => carol.texts.length >= texts.length, () => `${texts}; there are ${carol.texts}`);
      const ofRoom = (all, rid) => all.filter((text) => text.endsWith(` in ${rid}`));
      for (const rid of rids) assert.deepEqual(ofRoom(carol.texts, rid), ofRoom(texts, rid));
      assert.equal(carol.texts.length, texts.length);
    };
    const say = async (rid) => {
      texts.push(`${texts.length} in ${rid}`);
      await bob.send(rid, texts.at(-1));
    };
    for (let round = 0; round < 4; ++round) {
      for (const rid of [...rids, rids[round % 3]]) await say(rid);
      await hasAll();
      await cutOff(carol, round + 1);
      for (const rid of rids.slice(0, round)) await say(rid);
      await back(carol, round + 2);
      assert.equal(carol.socket.recovered, true);
      await hasAll();
    }
    carol.close();
  }
});

test('a room that was left, or from which a user was removed, is not come back to', async () => {
  await door.leadTo(suite.connectors[0]);
  const [left, removed, kept] = [1, 2, 3].map(() => `room-${++rooms}`);
  const bob = await pomelo('bob', left, removed, kept);
  const carol = await connect('carol');
  for (const rid of [left, removed, kept]) await ask(carol, 'enter', {rid});
  await ask(carol, 'leave', {rid: left});
  const kick = JSON.stringify({room: removed, user: 'carol'});
  const {status, stderr} = spawnSync('grpcurl', ['-plaintext', '-d', kick, `127.0.0.1:${suite.chats[0].port}`, 'hubbub.chat.v1.ChatService/Kick'],
                                     {encoding: 'utf8'});
  assert.equal(status, 0, stderr);
  await until(() => carol.extra.at(-1)[1].rooms.length === 1, 'carol to be told where she is');
  door.link.cut();
  await back(carol);
  assert.equal(carol.socket.recovered, true);
  await ask(carol, 'send', {rid: kept, content: 'hello', target: '*'});
  for (const rid of [left, removed]) assert.equal((await carol.ask('send', {rid, content: 'hello', target: '*'})).code, 403);
  await ask(carol, 'leave', {rid: kept});
  door.link.cut();
  await back(carol, 3);
  assert.equal(carol.socket.recovered, false, 'there is no state to recover');
  await ask(carol, 'enter', {rid: left});
  await bob.received('onAdd', ({user, rid}) => user === 'carol' && rid === left);
  carol.close();
});

test('over a gap in one of its rooms nothing is recovered, and the client enters again', async () => {
  await door.leadTo(suite.connectors[0]);
  const rids = [1, 2].map(() => `room-${++rooms}`);
  const bob = await pomelo('bob', ...rids);
  const carol = await connect('carol');
  for (const rid of rids) await ask(carol, 'enter', {rid});
  for (const rid of rids) await bob.send(rid, 'before');
  await has(carol, 'before', 'before');
  const {id} = carol.socket;
  await door.port.refuse(true);
  door.link.cut();
  await carol.happened('disconnect');
  for (let i = 0; i < MORE_THAN_A_ROOM_KEEPS; i += AT_ONCE) {
    await Promise.all(Array.from({length: AT_ONCE}, () => bob.send(rids[1], 'flood')));
  }
  await door.port.refuse(false);
  await back(carol);
  assert.equal(carol.socket.recovered, false);
  assert.notEqual(carol.socket.id, id);
  // Its name waits for it, for it has shown its token.
  for (const rid of rids) await ask(carol, 'enter', {rid});
  await bob.send(rids[0], 'after');
  await has(carol, 'before', 'before', 'after');

  // From here on it goes on as before.
  door.link.cut();
  await back(carol, 3);
  assert.equal(carol.socket.recovered, true);
  carol.close();
});

test('an enter that tells what was missed moves the position when it is answered, and not before', async () => {
  await door.leadTo(suite.connectors[0]);
  const rid = `room-${++rooms}`;
  const bob = await pomelo('bob', rid);
  const carol = await connect('carol');
  const {epoch, offset} = await ask(carol, 'enter', {rid});
  await ask(carol, 'leave', {rid});
  await bob.send(rid, 'missed');
  const came = [];
  carol.socket.on('onRooms', (_, position) => came.push(position));
  carol.socket.emit('enter', {rid, epoch, offset}, (answer) => came.push(answer));
  // So a client that is cut off before the answer is not taken for one that has it.
  const [before, answer, afterwards] = await until(() => came.length >= 3 && came, 'the answer, and where carol is');
  assert.equal(answer.recovered, true);
  assert.equal(answer.events.find(({msg}) => msg).msg, 'missed');
  assert.deepEqual([before, afterwards], [`${epoch} ${offset} ${rid}`, `${epoch} ${answer.offset} ${rid}`]);
  carol.close();
});

test('more rooms than a state holds: nothing is recovered', async () => {
  await door.leadTo(suite.connectors[0]);
  const rids = Array.from({length: 17}, () => `room-${++rooms}`);
  const carol = await connect('carol');
  for (const rid of rids) await ask(carol, 'enter', {rid});
  await ask(carol, 'send', {rid: rids[0], content: 'hello', target: '*'});
  await has(carol, 'hello');
  door.link.cut();
  await back(carol);
  assert.equal(carol.socket.recovered, false);
  carol.close();
});

test('nobody comes back as somebody else', async () => {
  await door.leadTo(suite.connectors[0]);
  const rid = `room-${++rooms}`;
  const carol = await connect('carol');
  await ask(carol, 'enter', {rid});
  await ask(carol, 'send', {rid, content: 'hello', target: '*'});
  await has(carol, 'hello');
  const offset = carol.socket._lastOffset;
  assert.match(offset, new RegExp(`^\\d+ \\d+ ${rid}$`));
  const pids = ['', 'x', 'f'.repeat(48), `${carol.socket._pid.slice(0, 16)}${'0'.repeat(32)}`, 'f'.repeat(10000)];
  for (const pid of pids) {
    const mallory = await connect('mallory', {auth: {username: 'carol', recover: true, pid, offset}});
    assert.notEqual(mallory.socket._pid, pid);
    mallory.close();
  }
  // Nor does a token help under another name: the name's place has another one.
  const mallory = await connect('mallory', {auth: {username: 'bob', recover: true, pid: carol.socket._pid, offset: 'x'.repeat(10000)}});
  assert.notEqual(mallory.socket._pid, carol.socket._pid);
  mallory.close();
  await ask(carol, 'send', {rid, content: 'still here', target: '*'});
  carol.close();
});

test('a client that does not ask for it is not affected', async () => {
  await door.leadTo(suite.connectors[0]);
  for (const major of [2, 3, 4]) {
    const rid = `room-${++rooms}`;
    const client = await connect('carol', {major, auth: {username: 'carol'}});
    const args = [];
    client.socket.on('onChat', (...all) => args.push(all));
    await ask(client, 'enter', {username: 'carol', rid});
    await ask(client, 'send', {rid, content: 'hello', target: '*'});
    await has(client, 'hello');
    assert.deepEqual(args.map((all) => all.length), [1]);
    assert.deepEqual(client.extra, []);
    assert.equal(client.socket._pid, undefined);
    client.close();
  }
  // One that knows nothing of it may ask all the same.
  const client = await connect('carol', {major: 3});
  const rid = `room-${++rooms}`;
  await ask(client, 'enter', {rid});
  await ask(client, 'send', {rid, content: 'hello', target: '*'});
  await has(client, 'hello');
  client.close();
});

test('a client that asks for it has to say who it is', async () => {
  const client = new SocketIo(door.port.port, {auth: {recover: true}});
  clients.push(client);
  const [, error] = await client.happened('connect_error');
  assert.match(error.message, /recover needs a username/);
  assert.equal(error.data.code, 400);
});

test('the example in the README works', async () => {
  await door.leadTo(suite.connectors[0]);
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [code] = readme.match(/const socket = io\([^\n]*recover: true[^`]*/);
  const {io} = createRequire(import.meta.url)('socket.io-client-4');
  const make = (url, options) => {
    assert.equal(url, 'http://127.0.0.1:3050');
    return io(`http://127.0.0.1:${door.port.port}`, {...options, forceNew: true, reconnectionDelay: 100});
  };
  const socket = new Function('io', `${code}; return socket;`)(make);
  clients.push(socket);
  const bob = await pomelo('bob', 'lobby');
  await until(() => socket._lastOffset, 'alice to be in the lobby');
  socket.io.engine.close();
  await until(() => !socket.connected, 'the connection to end');
  socket.connect();
  await until(() => socket.recovered, 'alice to be back');
  assert.deepEqual(bob.pushes.onLeave.filter(({user}) => user !== 'alice'), []);
});

test('where a sign-in is demanded, the token is checked again', async () => {
  const issuer = await Issuer.make();
  const keys = [`--signin_keys=${issuer.folder}`];
  const signed = await Suite.start({flags: {gate: keys, connector: keys}, tokenFor: (user) => issuer.token(user)});
  const entrance = await Door.open(signed.connectors[0]);
  try {
    let token = issuer.token('carol');
    const auth = (give) => give({username: 'carol', recover: true, token});
    const carol = await SocketIo.connect(entrance.port.port, {auth, transports: ['websocket'], reconnectionDelayMax: 200});
    clients.push(carol);
    await ask(carol, 'enter', {rid: 'lobby'});
    entrance.link.cut();
    await back(carol);
    assert.equal(carol.socket.recovered, true);

    token = issuer.token('carol', {hubbub_rooms: ['elsewhere']});
    entrance.link.cut();
    await back(carol, 3);
    assert.equal(carol.socket.recovered, false);
    assert.equal((await carol.ask('enter', {rid: 'lobby'})).code, 403);

    token = issuer.token('carol');
    carol.socket.disconnect().connect();
    await back(carol, 4);
    assert.equal(carol.socket.recovered, true, 'what it has seen is still true');
    token = issuer.token('carol', {exp: 1000});
    entrance.link.cut();
    const [, error] = await carol.happened('connect_error');
    assert.match(error.message, /token/);
    assert.equal(error.data.code, 401);
  } finally {
    await entrance.port.close();
    await signed.stop();
    await issuer.remove();
  }
});
