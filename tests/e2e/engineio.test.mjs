// The cases of the documents of Engine.IO and Socket.IO, by requests and frames that are written by hand, and clients that
// break the protocols: the answers are those that the documents ask for, and nobody else notices.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';

import {WebSocket} from 'ws';

import {SocketIo} from './socketio_client.mjs';
import {Suite} from './suite.mjs';
import {until, withDeadline} from './wait.mjs';

const SEPARATOR = '\x1e';

let suite;
let witness;  // Somebody else, who must not notice anything.
before(async () => {
  suite = await Suite.start({connectors: 2});
  witness = await SocketIo.connect(port(), {transports: ['websocket']});
  await witness.ask('enter', {username: 'witness', rid: 'witnesses'});
});
after(async () => {
  if (witness) {
    const answer = await witness.ask('send', {rid: 'witnesses', content: 'all is well', target: '*'});
    assert.equal(answer.error, undefined, JSON.stringify(answer));
    assert.deepEqual(witness.events, [['connect', undefined]]);
    witness.close();
  }
  await suite?.stop();
});

const port = (connector = 0) => suite.connectors[connector].clientPort;
const url = (query, at = port()) => `http://127.0.0.1:${at}/socket.io/?${query}`;

function request(query, options = {}, at = port()) {
  return withDeadline(fetch(url(query, at), options), `the answer to ${options.method ?? 'GET'} ${query}`);
}

// A session that polls. `eio` 3 has lengths where 4 has separators.
class Poller {
  static async open(eio = 4) {
    const poller = new Poller();
    poller.eio = eio;
    const response = await request(`EIO=${eio}&transport=polling`);
    assert.equal(response.status, 200);
    [poller.first, ...poller.more] = poller.split(await response.text());
    poller.handshake = JSON.parse(poller.first.slice(1));
    poller.query = `EIO=${eio}&transport=polling&sid=${poller.handshake.sid}`;
    return poller;
  }

  split(payload) {
    if (this.eio === 4) return payload.split(SEPARATOR);
    const packets = [];
    while (payload) {
      const colon = payload.indexOf(':');
      const end = colon + 1 + Number(payload.slice(0, colon));
      assert.ok(end > colon, `no payload: ${payload}`);
      packets.push(payload.slice(colon + 1, end));
      payload = payload.slice(end);
    }
    return packets;
  }
  join(packets) {
    return this.eio === 4 ? packets.join(SEPARATOR) : packets.map((packet) => `${packet.length}:${packet}`).join('');
  }

  async poll() {
    const response = await request(this.query);
    const text = await response.text();
    return {status: response.status, packets: response.status === 200 ? this.split(text) : text};
  }
  async post(...packets) {
    const response = await request(this.query, {method: 'POST', body: this.join(packets)});
    return {status: response.status, text: await response.text()};
  }
}

class Socket {
  messages = [];
  closed = null;  // [code, reason], or an HTTP status.

  static async open(query, at = port()) {
    const socket = new Socket();
    socket.ws = new WebSocket(url(query, at).replace('http', 'ws'));
    socket.ws.on('message', (data, binary) => socket.messages.push(binary ? data : String(data)));
    socket.ws.on('close', (code, reason) => {
      socket.closed ??= [code, String(reason)];
    });
    socket.ws.on('unexpected-response', (_, response) => {
      socket.closed = response.statusCode;
      response.destroy();
    });
    socket.ws.on('error', () => {});
    await until(() => socket.closed !== null || socket.ws.readyState === WebSocket.OPEN, 'the WebSocket');
    return socket;
  }

  // The next message that has not been taken.
  #taken = 0;
  async next() {
    await until(() => this.messages.length > this.#taken, () => `a message; it is ${JSON.stringify(this.closed)}`);
    return this.messages[this.#taken++];
  }
  send(...messages) {
    for (const message of messages) this.ws.send(message);
  }
  end() {
    return until(() => this.closed, 'the end of the WebSocket');
  }
}

// A WebSocket that is connected to the main namespace of Socket.IO.
async function connected(eio = 4) {
  const socket = await Socket.open(`EIO=${eio}&transport=websocket`);
  assert.match(await socket.next(), /^0\{/);
  if (eio === 4) socket.send('40');
  assert.match(await socket.next(), /^40/);
  return socket;
}

for (const eio of [3, 4]) {
  test(`EIO ${eio}: a handshake by polls and by WebSocket`, async () => {
    const {first, more, handshake} = await Poller.open(eio);
    assert.equal(first[0], '0');
    assert.deepEqual(Object.keys(handshake).sort(), ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades']);
    assert.deepEqual(handshake.upgrades, ['websocket']);
    assert.deepEqual([handshake.pingInterval, handshake.pingTimeout], [25000, 20000]);
    assert.match(handshake.sid, /^[0-9a-f]{32}\.\d+\.connector-server-1$/);
    assert.deepEqual(more, eio === 3 ? ['40'] : []);

    const socket = await Socket.open(`EIO=${eio}&transport=websocket`);
    const own = JSON.parse((await socket.next()).slice(1));
    assert.deepEqual(own.upgrades, []);
    assert.notEqual(own.sid, handshake.sid);
    socket.ws.close();
  });

  test(`EIO ${eio}: a session that polls connects, asks and is answered`, async () => {
    const poller = await Poller.open(eio);
    if (eio === 4) {
      assert.deepEqual(await poller.post('40'), {status: 200, text: 'ok'});
      assert.match((await poller.poll()).packets[0], /^40\{"sid":"/);
    }
    const polled = poller.poll();
    assert.deepEqual(await poller.post('420["nothing"]', '421["nothing",{}]'), {status: 200, text: 'ok'});
    const packets = [...(await polled).packets];
    while (packets.length < 2) packets.push(...(await poller.poll()).packets);
    assert.match(packets[0], /^430\[\{"code":404/);
    assert.match(packets[1], /^431\[\{"code":404/);
  });

  test(`EIO ${eio}: a poll that waits ends when the client closes`, async () => {
    const poller = await Poller.open(eio);
    const polled = poller.poll();
    assert.equal((await poller.post('1')).status, 200);
    // The requests are of two connections, and either may come first.
    const {status, packets} = await polled;
    assert.ok(status === 400 || packets[0] === '6', `${status} ${packets}`);
    assert.equal((await poller.poll()).status, 400);
  });

  test(`EIO ${eio}: two polls at once end the session`, async () => {
    const poller = await Poller.open(eio);
    const [first, second] = await Promise.all([poller.poll(), poller.poll()]);
    assert.deepEqual([first.status, second.status].sort(), [200, 400]);
    assert.deepEqual((first.status === 200 ? first : second).packets, ['1']);
    assert.equal((await poller.poll()).status, 400);
  });

  test(`EIO ${eio}: a payload that cannot be read ends the session`, async () => {
    for (const body of ['abc', '', eio === 3 ? '7:4hello' : '4a\x1e', eio === 3 ? '2:b!' : 'b!']) {
      const poller = await Poller.open(eio);
      const response = await request(poller.query, {method: 'POST', body});
      assert.equal(response.status, 400, body);
      assert.equal((await poller.poll()).status, 400);
    }
  });

  test(`EIO ${eio}: an upgrade with a probe`, async () => {
    const poller = await Poller.open(eio);
    if (eio === 4) {
      await poller.post('40');
      await poller.poll();
    }
    const polled = poller.poll();
    const socket = await Socket.open(`EIO=${eio}&transport=websocket&sid=${poller.handshake.sid}`);
    socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    assert.deepEqual(await polled, {status: 200, packets: ['6']});
    assert.deepEqual(await poller.poll(), {status: 200, packets: ['6']}, 'polls are answered at once now');
    const rival = await Socket.open(`EIO=${eio}&transport=websocket&sid=${poller.handshake.sid}`);
    rival.send('2probe');
    await rival.end();
    socket.send('5', '427["nothing",{}]');
    assert.match(await socket.next(), /^437\[\{"code":404/);
    assert.equal((await poller.poll()).status, 400);
    assert.equal((await poller.post('428["nothing"]')).status, 400);
    const late = await Socket.open(`EIO=${eio}&transport=websocket&sid=${poller.handshake.sid}`);
    late.send('2probe');
    await late.end();
    socket.send('429["nothing"]');
    assert.match(await socket.next(), /^439\[/);
    socket.ws.close();
  });

  test(`EIO ${eio}: a WebSocket that is not upgraded leaves the session as it is`, async () => {
    const poller = await Poller.open(eio);
    for (const words of [[], ['hello'], ['2probe', '4hello'], ['2probe', '2probe']]) {
      const socket = await Socket.open(`EIO=${eio}&transport=websocket&sid=${poller.handshake.sid}`);
      socket.send(...words);
      words.length ? await socket.end() : socket.ws.close();
      await until(() => socket.closed, 'the end');
    }
    const polled = poller.poll();
    await poller.post(...(eio === 4 ? ['40'] : []), '421["nothing"]');
    assert.match((await polled).packets.join(' '), eio === 4 ? /^40/ : /^431/);
  });
}

test('requests that no session can be made of are refused', async () => {
  const unknown = `${'0'.repeat(32)}.0.connector-server-1`;
  const cases = [
    ['transport=polling', 'GET', 5],
    ['EIO=abc&transport=polling', 'GET', 5],
    ['EIO=2&transport=polling', 'GET', 5],
    ['EIO=5&transport=polling', 'GET', 5],
    ['EIO=4', 'GET', 0],
    ['EIO=4&transport=abc', 'GET', 0],
    ['EIO=4&transport=websocket', 'GET', 3],
    ['EIO=4&transport=polling', 'POST', 2],
    ['EIO=4&transport=polling', 'PUT', 2],
    ['EIO=4&transport=polling&j=0', 'GET', 3],
    ['EIO=4&transport=polling&sid=abc', 'GET', 1],
    ['EIO=4&transport=polling&sid=', 'POST', 2],
    [`EIO=4&transport=polling&sid=${unknown}`, 'GET', 1],
    [`EIO=4&transport=polling&sid=${unknown}`, 'POST', 1],
    [`EIO=4&transport=polling&sid=${unknown}`, 'DELETE', 2],
    [`EIO=4&transport=polling&sid=${unknown.replace('.0.', '.99999999999999999999.')}`, 'GET', 1],
    [`EIO=4&transport=polling&sid=${'%'.repeat(2000)}`, 'GET', 1],
  ];
  for (const [query, method, code] of cases) {
    const response = await request(query, {method, body: method === 'POST' ? '40' : undefined});
    const answer = await response.json();
    assert.deepEqual([response.status, answer.code], [400, code], `${method} ${query}: ${JSON.stringify(answer)}`);
    assert.ok(answer.message && answer.reason, JSON.stringify(answer));
  }
  for (const query of ['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4', 'EIO=4&transport=abc',
    'EIO=4&transport=websocket&sid=abc']) {
    assert.equal(await (await Socket.open(query)).end(), 400, query);
  }
  const socket = await Socket.open(`EIO=4&transport=websocket&sid=${unknown}`);
  socket.send('2probe');
  await socket.end();
  assert.equal((await withDeadline(fetch(`http://127.0.0.1:${port()}/socket.io/socket.io.js`), 'an answer')).status, 404);
});

test('a session is told at which connector it lives', async () => {
  const {query, handshake} = await Poller.open();
  const response = await request(query, {}, port(1));
  const answer = await response.json();
  assert.deepEqual([response.status, answer.code], [400, 1]);
  assert.match(answer.reason, /this is connector-server-2.*sid ends with/);
  assert.equal(await (await Socket.open(`EIO=4&transport=websocket&sid=${handshake.sid}`, port(1))).end(), 400);
  // It lives on.
  const poller = Object.assign(new Poller(), {eio: 4, query});
  assert.equal((await poller.post('40')).status, 200);
});

test('a POST that is too large is refused, and the session goes on', async () => {
  const poller = await Poller.open();
  const response = await request(poller.query, {method: 'POST', body: `4${'x'.repeat(poller.handshake.maxPayload)}`}).catch(() => null);
  assert.ok(response === null || response.status === 413);
  assert.equal((await poller.post('40')).status, 200);
});

test('pages of origins that may use the server may ask, and no others', async () => {
  const origin = 'http://127.0.0.1:8080';
  const query = 'EIO=4&transport=polling';
  const answer = await request(query, {headers: {origin}});
  assert.equal(answer.headers.get('access-control-allow-origin'), origin);
  assert.equal(answer.headers.get('vary'), 'Origin');
  assert.equal(answer.headers.get('set-cookie'), null);
  const preflight = await request(query, {method: 'OPTIONS', headers: {origin, 'access-control-request-method': 'POST'}});
  assert.equal(preflight.status, 200);
  assert.match(preflight.headers.get('access-control-allow-methods'), /POST/);
  assert.match(preflight.headers.get('access-control-allow-headers'), /content-type/i);
  assert.equal((await request(query)).headers.get('access-control-allow-origin'), null);
  const strangers = {origin: 'http://elsewhere.example'};
  for (const method of ['GET', 'POST', 'OPTIONS']) assert.equal((await request(query, {method, headers: strangers})).status, 403, method);
});

test('EIO 3: the client pings', async () => {
  const socket = await connected(3);
  socket.send('2', '2again');
  assert.equal(await socket.next(), '3');
  assert.equal(await socket.next(), '3again');
  socket.send('1');
  await socket.end();
});

test('Socket.IO 5: namespaces', async () => {
  const socket = await connected();
  socket.send('40/chat,{"token":"abc"}');
  assert.match(await socket.next(), /^40\/chat,\{"sid":"/);
  socket.send('40/random');
  assert.equal(await socket.next(), '44/random,{"message":"Invalid namespace"}');
  socket.send('42/chat,1["nothing"]');
  assert.match(await socket.next(), /^43\/chat,1\[/);
  socket.send('41/');
  socket.send('42/chat,2["nothing"]');
  assert.match(await socket.next(), /^43\/chat,2\[/);
  socket.send('41/chat');
  await socket.end();
});

test('Socket.IO 4: namespaces', async () => {
  const socket = await connected(3);
  socket.send('40/chat?token=abc');
  assert.equal(await socket.next(), '40/chat,');
  socket.send('40/random');
  assert.equal(await socket.next(), '44/random,"Invalid namespace"');
  socket.ws.close();
});

test('acks that nobody waits for, and binary events, change nothing', async () => {
  const socket = await connected();
  socket.send('43999[]', '461-7[{"_placeholder":true,"num":0}]', Buffer.from([1]));
  socket.send('452-5["x",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]]', Buffer.from([1]), Buffer.from([2]));
  assert.match(await socket.next(), /^435\[\{"code":400,.*binary/);
  socket.send('426["nothing"]');
  assert.match(await socket.next(), /^436\[/);
  socket.send('1');
  await socket.end();
});

test('clients that break the protocol are closed', async () => {
  const deep = `42["x",${'['.repeat(10000)}${']'.repeat(10000)}]`;
  const cases = [
    ['no packet', ['abc']],
    ['an unknown type of Engine.IO', ['7']],
    ['an unknown type of Socket.IO', ['4abc']],
    ['an empty message', ['']],
    ['a ping of protocol 3', ['2']],
    ['an upgrade without a probe', ['5']],
    ['an open', ['0{}']],
    ['data that is no array', ['42{}']],
    ['an id that is no number', ['42abc["x"]']],
    ['an endless id', [`42${'1'.repeat(100)}["x"]`]],
    ['an event without a name', ['42[]']],
    ['an event with a name that is none', ['42[{}]']],
    ['endless attachments', ['45999999999-["x"]']],
    ['an attachment that nobody has announced', [Buffer.from([1])]],
    ['text in the place of an attachment', ['451-["x",{"_placeholder":true,"num":0}]', '42["x"]']],
    ['a namespace that is not connected', ['42/chat,["x"]']],
    ['a namespace that cannot be', ['42/other,["x"]']],
    ['an endless namespace', [`40/${'a'.repeat(1000)}`]],
    ['auth that is no JSON', ['40{"token":']],
    ['auth that is too deep', [`40{"a":${'['.repeat(1000)}`]],
    ['an error', ['44{"message":"no"}']],
  ];
  for (const [what, words] of cases) {
    const socket = await connected();
    socket.send(...words);
    const [code, reason] = await socket.end();
    assert.ok(code === 1002 && reason.length > 10, `${what}: ${code} ${reason}`);
  }
  const early = await Socket.open('EIO=4&transport=websocket');
  await early.next();
  early.send('42["enter",{"username":"a","rid":"r"}]');
  await early.end();

  const socket = await connected();
  socket.send(deep.replace('42', '421'));
  assert.match(await socket.next(), /^431\[\{"code":400/);
  socket.send(`422["x"${',[]'.repeat(20000)}]`);
  assert.match(await socket.next(), /^432\[\{"code":40/);
  socket.ws.close();
});

test('a client that leaves in the middle of a poll is forgotten', async () => {
  const poller = await Poller.open();
  const raw = net.connect(port(), '127.0.0.1');
  raw.write(`GET /socket.io/?${poller.query} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until(() => raw.bytesWritten > 0 && !raw.connecting, 'the request to leave');
  raw.destroy();
  // The next poll is a second one, or the first if the other never came.
  const polled = poller.poll();
  assert.equal((await poller.post('40')).status === 200 || (await polled).status === 400, true);
});
