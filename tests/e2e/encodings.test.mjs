// The dictionary and protobuf, on and off: the stock client reads and writes every kind of text in all combinations.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {RawTcp, RawWebSocket} from './pomelo_wire.mjs';
import {Storage, StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const TEXTS = [
  'plain', '', 'Grüße, señor', '你好，世界', 'שלום', '😂', '👩‍👩‍👧‍👦 and 𝒳', '中文😂混合 text', '"quotes" \\ / \b\f\n\r\t', '\u2028\u2029',
  'x'.repeat(30000), '語'.repeat(10000), '😂'.repeat(5000),
];

for (const dict of [true, false]) {
  for (const protobuf of [true, false]) {
    test(`texts are the same on both sides: dictionary ${dict}, protobuf ${protobuf}`, async () => {
      const suite = await Suite.start({flags: {
        gate: [`--use_protobuf=${protobuf}`],
        connector: [`--use_dict=${dict}`, `--use_protobuf=${protobuf}`],
      }});
      const clients = [];
      try {
        const raw = await RawTcp.connect(suite.connectors[0].clientPort);
        const {sys} = await raw.join({type: 'js-websocket', version: '0.0.1', protoVersion: 0});
        raw.close();
        assert.equal(sys.useDict, dict || undefined);
        assert.equal(sys.useProto, protobuf || undefined);
        assert.equal(Boolean(sys.routeToCode && sys.codeToRoute && sys.dictVersion), dict);
        assert.equal(Boolean(sys.protos?.server && sys.protos.client && sys.protos.version), protobuf);
        if (protobuf) assert.deepEqual(sys.protos.client, {}, 'requests are JSON');
        if (dict) {
          const routes = Object.keys(sys.dict);
          assert.deepEqual(routes, [...routes].sort());
          assert.deepEqual(Object.values(sys.dict), routes.map((_, i) => i + 1));
        }

        const room = '房间 😀';
        for (const user of ['小明', '👻']) {
          const client = await new StockClient().connect(suite.gatePort, user);
          clients.push(client);
          const entered = await client.enter(user, room);
          assert.ok(entered.users?.includes(user), JSON.stringify(entered));
        }
        const [ming, ghost] = clients;
        await ming.received('onAdd', ({user}) => user === '👻');
        for (const text of TEXTS) assert.equal((await ghost.send(room, text)).error, undefined);
        await ghost.send(room, 'last one', '小明');
        const last = await ming.received('onChat', ({msg}) => msg === 'last one');
        assert.deepEqual([last.from, last.target, last.rid], ['👻', '小明', room]);
        assert.ok(Number.isSafeInteger(last.offset) && Number.isSafeInteger(last.epoch) && last.time > 1e12);
        assert.deepEqual(ming.texts.slice(0, -1), TEXTS);
      } finally {
        for (const client of clients) client.close();
        await suite.stop();
      }
    });
  }
}

test('a client that keeps the protos is not sent them again, by gate or connector, and still reads', async () => {
  const suite = await Suite.start();
  const storage = new Storage();
  const clients = [];
  try {
    for (const user of ['first', 'second']) {
      const client = await new StockClient({storage}).connect(suite.gatePort, user);
      clients.push(client);
      await client.enter(user, 'cached');
      await client.send('cached', `hello from ${user}`);
      const push = await client.received('onChat', ({from}) => from === user);
      assert.equal(push.msg, `hello from ${user}`);
    }
    const {version} = JSON.parse(storage.getItem('protos'));
    const versions = clients.map(({handshakes}) => handshakes.map(({sys}) => sys.protoVersion));
    assert.deepEqual(versions, [[0, version], [version, version]], 'gate and connector have one version');

    for (const port of [suite.gatePort, suite.connectors[0].clientPort]) {
      const raw = await RawTcp.connect(port);
      const {sys} = await raw.join({type: 'js-websocket', version: '0.0.1', protoVersion: version});
      assert.equal(sys.useProto, true);
      assert.equal(sys.protos, undefined);
      raw.close();
      const old = await RawTcp.connect(port);
      assert.equal((await old.join({type: 'js-websocket', version: '0.0.1', protoVersion: 'another'})).sys.protos.version, version);
      old.close();
    }
  } finally {
    for (const client of clients) client.close();
    await suite.stop();
  }
});

// `text` with every character as an escape.
const escaped = (text) => `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;

test('what counts is the text: half an emoji is U+FFFD, and escapes make nothing too long', async () => {
  const suite = await Suite.start();
  const clients = [];
  try {
    for (const Kind of [RawTcp, RawWebSocket]) {
      const raw = await Kind.connect(suite.connectors[0].clientPort);
      clients.push(raw);
      await raw.join();
      await raw.request('connector.entryHandler.enter', {username: Kind.name, rid: Kind.name});
      const cases = [
        ['"\\ud83d"', '\ufffd'],
        [JSON.stringify('hello 😂'.slice(0, 7)), 'hello \ufffd'],
        ['"\\ude02 \\ud83d"', '\ufffd \ufffd'],
        ['"\\ud83d\\ud83d\\ude02"', '\ufffd😂'],
        [Buffer.from('22eda0bd22', 'hex'), '\ufffd'],
        [JSON.stringify('"'.repeat(32768)), '"'.repeat(32768)],
        [JSON.stringify('\n'.repeat(32768)), '\n'.repeat(32768)],
        [escaped('中'.repeat(10922)), '中'.repeat(10922)],
        [escaped('😂'.repeat(8192)), '😂'.repeat(8192)],
        [escaped('x'.repeat(32768)), 'x'.repeat(32768)],
      ];
      for (const [json] of cases) {
        const body = Buffer.concat([Buffer.from(`{"rid":"${Kind.name}","target":"*","content":`), Buffer.from(json), Buffer.from('}')]);
        const answer = await raw.request('chat.chatHandler.send', body);
        assert.ok(answer.offset, `${json.slice(0, 30)}: ${JSON.stringify(answer)}`);
      }
      await until(() => raw.pushes('onChat').length === cases.length, 'the messages');
      assert.deepEqual(raw.pushes('onChat').map(({msg}) => msg), cases.map(([, text]) => text));
      const key = await raw.request('chat.chatHandler.send', `{"rid":"${Kind.name}","target":"*","content":"a","\\ud83d":1}`);
      assert.ok(key.offset, JSON.stringify(key));
    }
  } finally {
    for (const client of clients) client.close();
    await suite.stop();
  }
});

test('numbers are names and contents as their decimal text, in every kind of body', async () => {
  const suite = await Suite.start();
  const clients = [];
  try {
    const listener = await new StockClient().connect(suite.gatePort, 'listener');
    clients.push(listener);
    await listener.enter('listener', '1001');
    for (const [i, type] of ['hubbub-web', 'js-websocket', 'unity-socket'].entries()) {
      const raw = await RawTcp.connect(suite.connectors[0].clientPort);
      clients.push(raw);
      await raw.join({type, version: '0.0.1'});
      const username = 100 + i;
      assert.ok((await raw.request('connector.entryHandler.enter', {username, rid: 1001})).users.includes(String(username)));
      assert.ok((await raw.request('chat.chatHandler.send', {rid: 1001, content: -1.5, target: 'listener', id: 7})).offset);
      assert.equal((await raw.request('connector.entryHandler.leave', {rid: 1001})).code, 200);
      const {msg, target, rid} = await listener.received('onChat', ({from}) => from === String(username));
      assert.deepEqual([msg, target, rid], ['-1.5', 'listener', '1001']);
    }
    const stock = await new StockClient().connect(suite.gatePort, 234234232);
    clients.push(stock);
    assert.ok((await stock.enter(77, 1001)).users.includes('77'));
    assert.ok((await stock.send(1001, 42)).offset);
    assert.equal((await listener.received('onChat', ({from}) => from === '77')).msg, '42');
  } finally {
    for (const client of clients) client.close();
    await suite.stop();
  }
});

test('bodies in the protobuf that was offered once are still read', async () => {
  const suite = await Suite.start();
  const clients = [];
  try {
    const field = (tag, text) => Buffer.concat([Buffer.from([tag << 3 | 2, Buffer.byteLength(text)]), Buffer.from(text)]);
    const ask = async (port, route, ...fields) => {
      const raw = await RawTcp.connect(port);
      clients.push(raw);
      await raw.join({type: 'js-websocket', version: '0.0.1', protoVersion: 'the one before'});
      return raw.request(route, Buffer.concat(fields));
    };
    assert.equal((await ask(suite.gatePort, 'gate.gateHandler.queryEntry', field(1, '小明'))).code, 200);
    assert.equal((await ask(suite.gatePort, 'gate.gateHandler.queryEntry', field(1, ''))).code, 500);
    const entered = await ask(suite.connectors[0].clientPort, 'connector.entryHandler.enter', field(1, '小明'), field(2, '房间'));
    assert.deepEqual(entered.users, ['小明']);
  } finally {
    for (const client of clients) client.close();
    await suite.stop();
  }
});
