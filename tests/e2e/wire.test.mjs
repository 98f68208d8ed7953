// The protocol below the routes: packages in any fragmentation, the order of the handshake, and what ends a connection.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';

import {ACK, DATA, HANDSHAKE, HEARTBEAT, KICK, RawTcp, RawWebSocket, handshake, pack, request} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until, withDeadline} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const SEND = 'chat.chatHandler.send';

let suite;
const open = [];
let users = 0;

before(async () => {
  suite = await Suite.start({flags: {connector: ['--old_clients=ancient,js-websocket/0.0.0']}});
});
after(async () => {
  for (const client of open) client.close();
  await suite?.stop();
});

async function connect(Kind, port = suite.connectors[0].clientPort) {
  const client = await Kind.connect(port);
  open.push(client);
  return client;
}

// The answer to one HTTP request, as text.
function http(port, head) {
  return withDeadline(new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect({port, host: '127.0.0.1'}, () => socket.write(head));
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  }), 'an HTTP answer');
}

test('over TCP a whole life works with each byte sent alone', async () => {
  const client = await connect(RawTcp);
  const drip = (bytes) => {
    for (const byte of bytes) client.send(Buffer.from([byte]));
  };
  drip(handshake());
  await until(() => client.of(HANDSHAKE).length, 'the answer to the handshake');
  assert.equal(JSON.parse(client.of(HANDSHAKE)[0].body).code, 200);
  drip(pack(ACK));
  await until(() => client.of(HEARTBEAT).length, 'the first heartbeat');
  drip(request(1, ENTER, {username: 'drip', rid: 'tcp'}));
  await until(() => client.responses(1).length, 'enter');
  drip(request(2, SEND, {rid: 'tcp', content: '一滴 💧', target: '*'}));
  await until(() => client.pushes('onChat').length && client.responses(2).length, 'the message and its answer');
  assert.equal(client.pushes('onChat')[0].msg, '一滴 💧');
  drip(request(3, 'connector.entryHandler.leave', {rid: 'tcp'}));
  await until(() => client.responses(3).length, 'leave');
  assert.ok(!client.closed);
});

test('a client that this server does not serve any more is told to update', async () => {
  for (const [sys, code] of [[{type: 'ancient', version: '9'}, 501], [{type: 'js-websocket', version: '0.0.0'}, 501],
                             [{type: 'js-websocket', version: '0.0.1'}, 200]]) {
    const client = await connect(RawTcp);
    client.send(handshake(sys));
    await until(() => client.of(HANDSHAKE).length, 'the answer to the handshake');
    const answer = JSON.parse(client.of(HANDSHAKE)[0].body);
    assert.equal(answer.code, code, JSON.stringify(sys));
    if (code === 200) continue;
    assert.deepEqual(answer, {code: 501});
    await client.ended();
  }
});

for (const Kind of [RawTcp, RawWebSocket]) {
  test(`${Kind.name}: several packages at once are taken in order`, async () => {
    const client = await connect(Kind);
    const username = `many-${++users}`;
    client.send(handshake());
    await until(() => client.of(HANDSHAKE).length, 'the answer to the handshake');
    client.send(Buffer.concat([
      pack(ACK), pack(HEARTBEAT), request(1, ENTER, {username, rid: 'many'}),
      ...[2, 3, 4].map((id) => request(id, SEND, {rid: 'many', content: `${username} ${id}`, target: '*'})),
    ]));
    await until(() => client.pushes('onChat').filter(({from}) => from === username).length === 3, 'three messages');
    const own = client.pushes('onChat').filter(({from}) => from === username);
    assert.deepEqual(own.map(({msg}) => msg), [2, 3, 4].map((id) => `${username} ${id}`));
    // A message may reach its sender before the answer does.
    const answers = () => client.messages.filter(({id}) => id).map(({id}) => id);
    await until(() => answers().length >= 4, 'four answers');
    assert.deepEqual(answers(), [1, 2, 3, 4]);
  });

  test(`${Kind.name}: data and heartbeats before the acknowledgement are ignored, a second handshake too`, async () => {
    const client = await connect(Kind);
    client.send(request(1, 'x.y.z', {}));
    client.send(pack(HEARTBEAT));
    client.send(pack(ACK));
    client.send(handshake());
    await until(() => client.of(HANDSHAKE).length, 'the answer to the handshake');
    client.send(request(2, 'x.y.z', {}));
    client.send(pack(ACK));
    client.send(handshake());
    client.send(pack(ACK));
    client.send(request(3, 'x.y.z', {}));
    await until(() => client.responses(3).length, 'the answer to a request after the acknowledgement');
    assert.deepEqual(client.packages.map(({type}) => type), [HANDSHAKE, HEARTBEAT, DATA]);
  });

  for (const [name, body] of [['without sys', '{"user":{}}'], ['that is no JSON', 'hello'], ['that is empty', '']]) {
    test(`${Kind.name}: a handshake ${name} is answered with 500 and the end`, async () => {
      const client = await connect(Kind);
      client.send(pack(HANDSHAKE, body));
      await client.ended();
      assert.equal(client.packages.length, 1);
      assert.deepEqual(JSON.parse(client.of(HANDSHAKE)[0].body), {code: 500});
    });
  }

  for (const [name, bytes] of [
    ['a package of an unknown type', pack(9, 'x')],
    ['a package of type 0', pack(0)],
    ['a kick', pack(KICK, '{"reason":"no, you"}')],
    ['a response', pack(DATA, Buffer.from([4, 1, 0x7b, 0x7d]))],
    ['a message that ends in its id', pack(DATA, Buffer.from([0, 0x80]))],
    ['a message whose id has 11 bytes', pack(DATA, Buffer.from([0, ...Array(10).fill(0x80), 1, 1, 0x61]))],
    ['a message whose route is longer than itself', pack(DATA, Buffer.from([0, 1, 200, 0x61]))],
    ['an empty message', pack(DATA)],
    ['a package that is larger than allowed', Buffer.from([DATA, 0xff, 0xff, 0xff])],
  ]) {
    test(`${Kind.name}: ${name} from a client ends the connection`, async () => {
      const client = await connect(Kind);
      await client.join();
      await until(() => client.of(HEARTBEAT).length, 'the first heartbeat');
      client.send(bytes);
      await client.ended();
      for (const {body} of client.of(KICK)) assert.ok(JSON.parse(body).reason, 'a kick tells its reason in JSON');
    });
  }
}

test('a WebSocket frame that is empty or ends within a package ends the connection', async () => {
  for (const frame of [Buffer.alloc(0), pack(HEARTBEAT).subarray(0, 2), request(1, 'a.b.c', {}).subarray(0, 9)]) {
    const client = await connect(RawWebSocket);
    await client.join();
    await until(() => client.of(HEARTBEAT).length, 'the first heartbeat');
    client.send(frame);
    await client.ended();
  }
});

test('HTTP that asks for no WebSocket gets a clear answer from a connector, and the page from a gate', async () => {
  for (const method of ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
    const text = await http(suite.connectors[0].clientPort, `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 4\d\d /, `${method}: ${text}`);
    if (method !== 'HEAD') assert.match(text, /WebSocket|only GET/i, `${method} tells what is possible here`);
  }
  const page = await http(suite.gatePort, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(page, /^HTTP\/1\.1 200 /);
  assert.match(page, /content-type: text\/html/i);
  assert.match(page, /content-security-policy: default-src 'self'/i);
  assert.match(page, /<title>Hubbub<\/title>/);
  const missing = await http(suite.gatePort, 'GET /../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(missing, /^HTTP\/1\.1 40\d /);
});

test('a client that goes away without a word leaves the room', async () => {
  const stays = await connect(RawTcp);
  await stays.join();
  await stays.request(ENTER, {username: 'stays', rid: 'gone'});
  for (const Kind of [RawTcp, RawWebSocket]) {
    const goes = await connect(Kind);
    await goes.join();
    await goes.request(ENTER, {username: Kind.name, rid: 'gone'});
    goes.close();
    await until(() => stays.pushes('onLeave').some(({user}) => user === Kind.name), `${Kind.name} to leave`);
  }
});
