// Stock clients of Socket.IO, in one room with Pomelo's: by WebSocket, by polls, and from the one to the other.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {Browser} from './browser.mjs';
import {MAJORS, PomeloOverSocketIo, SocketIo} from './socketio_client.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const TEXTS = ['plain', 'Grüße, señor', '你好，世界', '"quotes" \\ / \n\t', '😂 and 𝒳', '語'.repeat(3000)];
const WAYS = [
  {name: 'by WebSocket', transports: ['websocket'], ends: 'websocket'},
  {name: 'by polls', transports: ['polling'], ends: 'polling'},
  {name: 'by polls, then by WebSocket', transports: ['polling', 'websocket'], ends: 'websocket'},
];

let suite;
const clients = [];
let rooms = 0;

before(async () => {
  suite = await Suite.start({connectors: 2});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

const port = () => suite.connectors[0].clientPort;

async function connect(options) {
  const client = await SocketIo.connect(port(), options);
  clients.push(client);
  return client;
}

async function pomelo(user) {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: suite.connectors[1].clientPort});
  return client;
}

test('null in auth, and in a request, is nothing', async () => {
  const client = await connect({auth: {token: null, username: null, recover: null}});
  const entered = await client.ask('enter', {username: 'nil', rid: 'nil', token: null, resume: null, attempt: null, epoch: null, offset: null});
  assert.deepEqual(entered.users, ['nil'], JSON.stringify(entered));
  const said = await client.ask('send', {rid: 'nil', content: 'x', target: '*', id: null});
  assert.ok(said.offset > 0, JSON.stringify(said));
});

for (const major of MAJORS) {
  for (const {name, transports, ends} of WAYS) {
    for (const namespace of ['/', '/chat']) {
      test(`client ${major} ${name} in ${namespace} talks with one of Pomelo`, async () => {
        const rid = `room-${++rooms}`;
        const other = await pomelo();
        const client = await connect({major, transports, namespace});
        const entered = await client.ask('enter', {username: 'ada', rid});
        assert.deepEqual(entered.users, ['ada'], JSON.stringify(entered));
        assert.deepEqual((await other.enter('bob', rid)).users, ['ada', 'bob']);
        await client.received('onAdd', ({user}) => user === 'bob');

        for (const content of TEXTS) {
          const answer = await client.ask('send', {rid, content, target: '*'});
          assert.equal(answer.error, undefined, JSON.stringify(answer));
        }
        await until(() => other.texts.length === TEXTS.length, 'the messages of Socket.IO');
        assert.deepEqual(other.texts, TEXTS);
        for (const content of TEXTS) await other.send(rid, content);
        await until(() => client.texts.length === 2 * TEXTS.length, () => `all messages; there are ${JSON.stringify(client.texts).slice(0, 500)}`);
        assert.deepEqual(client.texts, [...TEXTS, ...TEXTS]);

        await client.ask('chat.chatHandler.send', {rid, content: 'for you alone', target: 'bob'});
        await other.received('onChat', ({msg, target}) => msg === 'for you alone' && target === 'bob');
        await until(() => client.transport === ends, () => `${ends}; it is ${client.transport}`);
        assert.equal((await client.ask('leave', {rid})).code, 200);
        await other.received('onLeave', ({user}) => user === 'ada');
      });
    }
  }

  test(`client ${major} that disconnects gives its place up`, async () => {
    const rid = `room-${++rooms}`;
    const other = await pomelo();
    await other.enter('bob', rid);
    for (const {transports} of WAYS) {
      const client = await connect({major, transports});
      await client.ask('enter', {username: 'ada', rid});
      client.socket.disconnect();
      await until(() => other.pushes.onLeave.length > 0, 'onLeave');
      other.pushes.onLeave.length = 0;
    }
  });

  test(`client ${major}: mistakes are answered, and the connection goes on`, async () => {
    const client = await connect({major});
    const cases = [
      ['no.such.route', [{}], 404],
      ['message', ['hello'], 400],
      ['enter', [], 400],
      ['enter', [{username: 'ada'}], 400],
      ['enter', ['ada'], 400],
      ['enter', [{username: 'ada'}, 'more'], 400],
      ['enter', [{username: 'ada', rid: 'r', picture: Buffer.from([1, 2, 3])}], 400],
      ['send', [{rid: 'elsewhere', content: 'x', target: '*'}], 403],
    ];
    for (const [event, args, code] of cases) {
      const answer = await client.ask(event, ...args);
      assert.equal(answer.code, code, `${event} ${JSON.stringify(args)}: ${JSON.stringify(answer)}`);
      assert.equal(answer.error, true);
      assert.ok(answer.message.length > 10, answer.message);
    }
    assert.deepEqual((await client.ask('enter', {username: 'ada', rid: `room-${++rooms}`})).users, ['ada']);
  });

  test(`client ${major} is told of a namespace that is not there`, async () => {
    const client = new SocketIo(port(), {major, namespace: '/other'});
    clients.push(client);
    const [, error] = await client.happened(major === 2 ? 'error' : 'connect_error');
    assert.equal(error.message ?? error, 'Invalid namespace');
  });
}

test('a client shows its name when it connects', async () => {
  const rid = `room-${++rooms}`;
  const client = await connect({auth: {username: 'carol'}});
  assert.deepEqual((await client.ask('enter', {rid})).users, ['carol']);
  assert.match((await client.ask('enter', {rid: 'other', username: 'mallory'})).message, /belongs to 'carol'/);

  const bad = new SocketIo(port(), {auth: {username: 'x'.repeat(1000)}});
  clients.push(bad);
  const [, error] = await bad.happened('connect_error');
  assert.match(error.message, /username/);
  assert.equal(error.data.code, 400);
});

test('a user who enters by another connection replaces the first, which stays away', async () => {
  const rid = `room-${++rooms}`;
  const first = await connect();
  const {resume} = await first.ask('enter', {username: 'dora', rid});
  const second = await connect();
  await second.ask('enter', {username: 'dora', rid, resume});
  await first.received('onKick', ({reason}) => reason === 'replaced');
  assert.deepEqual((await first.happened('disconnect'))[1], 'io server disconnect');
});

test('clients come back by themselves from a connector that goes', async () => {
  const connector = suite.connectors[1];
  for (const {transports} of WAYS) {
    const client = await SocketIo.connect(connector.clientPort, {transports});
    clients.push(client);
    await client.ask('enter', {username: 'erin', rid: `room-${++rooms}`});
    await connector.stop();
    await client.received('onKick', ({reason}) => reason === 'reconnect');
    await client.happened('disconnect');
    await connector.start();
    await client.happened('connect', 2);
    client.close();
  }
});

test('the gate names a connector', async () => {
  for (const major of MAJORS) {
    const client = await SocketIo.connect(suite.gatePort, {major});
    clients.push(client);
    const entry = await client.ask('queryEntry', {uid: 'ada'});
    assert.equal(entry.code, 200, JSON.stringify(entry));
    assert.ok(suite.connectors.some(({clientPort}) => clientPort === entry.port));
    client.close();
  }
});

for (const {name, transports} of WAYS) {
  test(`Pomelo over Socket.IO ${name}: gate, connector and a room with others`, async () => {
    const rid = `room-${++rooms}`;
    const gate = await PomeloOverSocketIo.connect(suite.gatePort, {transports});
    const entry = await gate.request('gate.gateHandler.queryEntry', {uid: '王'});
    assert.equal(entry.code, 200, JSON.stringify(entry));
    gate.close();

    const client = await PomeloOverSocketIo.connect(entry.port, {transports});
    clients.push(client);
    assert.deepEqual((await client.request('connector.entryHandler.enter', {username: '王', rid})).users, ['王']);
    const other = await pomelo();
    assert.deepEqual((await other.enter('bob', rid)).users, ['王', 'bob']);
    await client.received('onAdd', ({user}) => user === 'bob');
    client.skipTo(0x80fe);
    for (const content of TEXTS) {
      const answer = await client.request('chat.chatHandler.send', {rid, content, from: '王', target: '*'});
      assert.equal(answer.error, undefined, JSON.stringify(answer));
    }
    client.notify('chat.chatHandler.send', {rid, content: 'no answer', from: '王', target: '*'});
    const texts = [...TEXTS, 'no answer'];
    await until(() => other.texts.length === texts.length && client.texts.length === texts.length, 'the messages');
    assert.deepEqual(other.texts, texts);
    assert.deepEqual(client.texts, texts);
    assert.equal((await client.request('no.such.route', {})).code, 404);
    client.close();
    await other.received('onLeave', ({user}) => user === '王');
  });
}

test('in a browser, clients of each major talk by WebSocket and by polls with one of Pomelo', async () => {
  const browser = await Browser.start();
  try {
    // The gate's page stands for a site that has the stock client and a program of its own. A poll that is on its way when the
    // session is closed is answered with 400, as the protocol's documents ask.
    const page = await browser.open(`http://127.0.0.1:${suite.gatePort}/`, {bypassCSP: true, ignore: /400 \(Bad Request\)/});
    for (const major of MAJORS) {
      await page.addScriptTag({path: `node_modules/socket.io-client-${major}/dist/socket.io${major === 2 ? '' : '.min'}.js`});
      for (const transport of ['websocket', 'polling']) {
        const rid = `browser-${major}-${transport}`;
        const other = await pomelo();
        await other.enter('bob', rid);
        const heard = page.evaluate(({url, transport, rid}) => new Promise((resolve, reject) => {
          const socket = io(url, {transports: [transport], forceNew: true, reconnection: false});
          const fail = (error) => reject(new Error(String(error.message ?? error)));
          socket.on('connect_error', fail);
          socket.on('connect', () => socket.emit('enter', {username: 'ada', rid}, () => socket.emit('send', {rid, content: 'from a browser', target: '*'}, () => {})));
          socket.on('onChat', ({from, msg}) => {
            if (from !== 'bob') return;
            resolve({msg, by: socket.io.engine.transport.name});
            socket.close();
          });
        }), {url: `http://127.0.0.1:${port()}`, transport, rid});
        await other.received('onChat', ({msg}) => msg === 'from a browser');
        await other.send(rid, 'to a browser');
        assert.deepEqual(await heard, {msg: 'to a browser', by: transport});
      }
    }
    await browser.closePages();
  } finally {
    await browser.stop();
  }
});
