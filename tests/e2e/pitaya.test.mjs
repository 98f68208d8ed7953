// Clients of Pitaya on the port that Pomelo's clients use: Pitaya's own client, in a room with the stock client of Pomelo, and
// the bytes that a raw connection sees.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {deflateSync, gzipSync, inflateSync} from 'node:zlib';

import {PitayaClient} from './pitaya_client.mjs';
import {DATA, HANDSHAKE, KICK, RawTcp, RawWebSocket, handshake, pack} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const SEND = 'chat.chatHandler.send';
// As libpitaya sends it.
const SYS = {platform: 'linux', libVersion: '4.6.3-release', clientBuildNumber: '1', clientVersion: '1.0'};
const TRANSPORTS = [['TCP', undefined], ['WebSocket', '/']];

let suite;
let port;
const open = [];

before(async () => {
  suite = await Suite.start({flags: {connector: ['--heartbeat=1']}});
  port = suite.connectors[0].clientPort;
});
after(async () => {
  for (const client of open) await client.close();
  await suite?.stop();
});

async function pitaya(path) {
  const client = await PitayaClient.connect(port, path);
  open.push(client);
  return client;
}

async function stock(name, room) {
  const client = await new StockClient().connect(suite.gatePort, name);
  open.push(client);
  await client.enter(name, room);
  return client;
}

for (const [transport, path] of TRANSPORTS) {
  const room = `pitaya over ${transport}`;
  const ada = `ada over ${transport}`;

  test(`${transport}: Pitaya's client and Pomelo's hear each other in one room`, async () => {
    const pomelo = await stock(`bob ${transport}`, room);
    const client = await pitaya(path);
    const {users} = await client.ask(ENTER, {username: ada, rid: room});
    assert.deepEqual([...users].sort(), [ada, `bob ${transport}`].sort());
    await pomelo.received('onAdd', ({user}) => user === ada);

    await pomelo.send(room, 'from Pomelo 😂');
    const {msg, from, target} = await client.received('onChat', ({msg}) => msg.startsWith('from Pomelo'));
    assert.deepEqual([msg, from, target], ['from Pomelo 😂', `bob ${transport}`, '*']);

    await client.ask(SEND, {rid: room, content: 'from Pitaya 😂', from: 'nobody', target: '*'});
    assert.equal((await pomelo.received('onChat', ({msg}) => msg.startsWith('from Pitaya'))).msg, 'from Pitaya 😂');
    await client.received('onChat', ({msg}) => msg === 'from Pitaya 😂');

    client.notify(SEND, {rid: room, content: 'by notify', from: '', target: '*'});
    await pomelo.received('onChat', ({msg}) => msg === 'by notify');

    await client.close();
    await pomelo.received('onLeave', ({user}) => user === ada);
  });

  test(`${transport}: long bodies arrive, whether compressed or not`, async () => {
    const client = await pitaya(path);
    await client.ask(ENTER, {username: `long ${transport}`, rid: `long ${transport}`});
    for (const content of ['far and wide '.repeat(2000), '日本語'.repeat(3000)]) {
      await client.ask(SEND, {rid: `long ${transport}`, content, from: '', target: '*'});
      await client.received('onChat', ({msg}) => msg === content);
    }
  });

  test(`${transport}: a route of two parts stands for the only one that ends with it`, async () => {
    const client = await pitaya(path);
    assert.ok((await client.ask('entryHandler.enter', {username: `two ${transport}`, rid: 'two'})).users);
    await client.ask('chatHandler.send', {rid: 'two', content: transport, from: '', target: '*'});
    await client.received('onChat', ({msg}) => msg === transport);
  });

  test(`${transport}: what fails is answered as an error, with Pitaya's codes`, async () => {
    const client = await pitaya(path);
    await client.ask(ENTER, {username: `eve ${transport}`, rid: 'errors'});
    const cases = [
      ['an unknown method', 'connector.entryHandler.nonsense', {}, 'PIT-404', /nonsense/],
      ['an unknown server type', 'area.areaHandler.move', {}, 'PIT-404', /area/],
      ['an unknown route of two parts', 'no.such', {}, 'PIT-404', /no\.such/],
      ['a route without dots', 'enter', {}, 'PIT-400', /./],
      ['a route of four parts', 'a.b.c.d', {}, 'PIT-400', /./],
      ['a blank part', 'chat..send', {}, 'PIT-400', /./],
      ['a send without content', SEND, {rid: 'errors', target: '*'}, 'PIT-400', /content/],
      ['a send to another room', SEND, {rid: 'other', content: 'x', target: '*'}, 'PIT-403', /other/],
      ['a send to nobody', SEND, {rid: 'errors', content: 'x', target: 'nobody'}, 'PIT-404', /nobody/],
      ['entering again', ENTER, {username: `eve ${transport}`, rid: 'errors'}, 'PIT-500', /already/],
    ];
    for (const [name, route, body, code, msg] of cases) {
      const answer = await client.request(route, body);
      assert.equal(answer.error, true, `${name}: ${JSON.stringify(answer)}`);
      assert.equal(answer.body.code, code, `${name}: ${JSON.stringify(answer)}`);
      assert.match(answer.body.msg, msg, name);
    }
    assert.ok(client.open);
  });

  test(`${transport}: heartbeats keep a client that says nothing else`, async () => {
    const client = await pitaya(path);
    await client.ask(ENTER, {username: `quiet ${transport}`, rid: 'quiet'});
    // This one says nothing at all, and is closed after two heartbeats. It begins after the other one's last request.
    const silent = await RawTcp.connect(port);
    open.push(silent);
    silent.send(handshake(SYS));
    await until(() => silent.of(HANDSHAKE).length, 'the answer to the handshake');
    silent.send(pack(2));
    await silent.ended();
    assert.ok(client.open, `${client}`);
    await client.ask(SEND, {rid: 'quiet', content: 'still here', from: '', target: '*'});
  });
}

// What a Pitaya client sends and gets, byte by byte.
class RawPitaya {
  #answers = 0;

  static async connect(Kind = RawTcp) {
    const client = new RawPitaya();
    client.raw = await Kind.connect(port);
    open.push(client.raw);
    client.raw.send(handshake(SYS));
    const {body} = await until(() => client.raw.of(HANDSHAKE)[0], 'the answer to the handshake');
    client.answer = JSON.parse(body[0] === 0x78 ? inflateSync(body) : body);
    client.raw.send(pack(2));
    return client;
  }

  // A request with id 1; the flag byte of the answer, and its JSON.
  async request(route, body, flag = 0) {
    this.raw.send(pack(DATA, Buffer.concat([Buffer.from([flag, 1, route.length]), Buffer.from(route), body])));
    const answers = () => this.raw.of(DATA).filter((one) => (one.body[0] & 0x0e) === 4);
    const bytes = (await until(() => answers()[this.#answers], `an answer to ${route}`)).body;
    this.#answers += 1;
    assert.equal(bytes[1], 1, 'the id of the request');
    const text = bytes.subarray(2);
    return {flag: bytes[0], body: JSON.parse(bytes[0] & 0x10 ? inflateSync(text) : text)};
  }
}

test('the answer to the handshake is Pitaya\'s', async () => {
  const {answer} = await RawPitaya.connect();
  assert.equal(answer.code, 200);
  assert.deepEqual(Object.keys(answer.sys).sort(), ['dict', 'heartbeat', 'serializer']);
  assert.equal(answer.sys.heartbeat, 1);
  assert.equal(answer.sys.serializer, 'json');
  assert.ok(answer.sys.dict[ENTER] && answer.sys.dict[SEND]);
});

test('requests may be compressed, by zlib or gzip, and what cannot be inflated is an error', async () => {
  const client = await RawPitaya.connect();
  const body = (room) => JSON.stringify({username: 'raw', rid: room});
  for (const [room, compress] of [['zlib', deflateSync], ['gzip', gzipSync]]) {
    const {flag, body: answer} = await client.request(ENTER, compress(body(room)), 0x10);
    assert.equal(flag, 4, JSON.stringify(answer));
    assert.deepEqual(answer.users, ['raw']);
  }
  const bad = [Buffer.from(body('no')), deflateSync(body('no')).subarray(0, 20), Buffer.concat([deflateSync(body('no')), Buffer.alloc(1)]),
    deflateSync(Buffer.alloc(10 << 20))];
  for (const bytes of bad) {
    const {flag, body: answer} = await client.request(ENTER, bytes, 0x10);
    assert.equal(flag, 0x24, JSON.stringify(answer));
    assert.equal(answer.code, 'PIT-400');
  }
  assert.ok(!client.raw.closed);
});

test('what a compressed body holds comes out of the budget of bytes', async () => {
  const client = await RawPitaya.connect();
  const bytes = deflateSync(JSON.stringify({rid: 'x'.repeat(150000)}), {level: 9});
  const codes = [];
  for (let i = 0; i < 40; ++i) codes.push((await client.request('connector.entryHandler.leave', bytes, 0x10)).body);
  const refused = codes.filter(({code}) => code === 'PIT-429');
  assert.ok(refused.length > 0 && refused.length < 40, JSON.stringify(codes.slice(-3)));
  assert.match(refused[0].msg, /^more than 1048576 bytes a second: slow down$/);
  assert.ok(!client.raw.closed);
  await until(async () => (await client.request(ENTER, deflateSync(JSON.stringify({username: 'later', rid: 'later'})), 0x10)).body.users,
    'a request to pass again');
});

test('long pushes are compressed, short ones are not', async () => {
  const client = await RawPitaya.connect(RawWebSocket);
  const ask = (route, body) => client.request(route, Buffer.from(JSON.stringify(body)));
  await ask(ENTER, {username: 'flags', rid: 'flags'});
  const pushes = () => client.raw.of(DATA).map(({body}) => body).filter((body) => (body[0] & 0x0e) === 6);
  await ask(SEND, {rid: 'flags', content: 'short', from: '', target: '*'});
  await until(() => pushes().length === 1, 'the short message');
  await ask(SEND, {rid: 'flags', content: 'long '.repeat(1000), from: '', target: '*'});
  await until(() => pushes().length === 2, 'the long message');
  assert.deepEqual(pushes().map((body) => body[0]), [0x06, 0x16]);
  assert.ok(pushes()[1].length < 300);
  assert.ok(client.raw.frames.every((packages) => packages === 1), 'one package in each frame');
});

// The last one: it stops the connector. Whether Pitaya's own client still handles the kick is left to chance: it reads packages in
// one goroutine and handles them in another, and the end of the connection, which follows at once, stops both. So the raw
// clients prove what the server sends, and Pitaya's own client has to end cleanly.
test('a client that is sent away sees a kick, which has no body, and the end', async () => {
  const clients = await Promise.all(TRANSPORTS.map(([, path]) => pitaya(path)));
  const raws = await Promise.all([RawTcp, RawWebSocket].map((Kind) => RawPitaya.connect(Kind)));
  await suite.connectors[0].stop();
  for (const {raw} of raws) {
    await raw.ended();
    assert.deepEqual(raw.of(KICK).map(({body}) => body.length), [0], raw.constructor.name);
    assert.equal(raw.packages.at(-1).type, KICK, `${raw.constructor.name}: the kick is the last package`);
  }
  for (const client of clients) {
    await until(() => client.exit !== null, () => `the client to end: ${client}`);
    assert.equal(client.exit, 0, `${client}`);
    assert.ok(client.of('disconnected').length, `${client}`);
  }
});
