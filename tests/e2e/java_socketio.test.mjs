// Socket.IO's Java client, as it comes from its registry, in one room with a client of Pomelo.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {JavaProgram, MAJORS} from './java_client.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

// Java's JSON escapes what others do not, such as the slash of an end tag.
const TEXTS = [
  'plain', 'Grüße, señor', '你好，世界', '"quotes" \\ / \n\t </b> \u2028',
  '😂 and 𝒳, 👩‍👩‍👧', '語'.repeat(3000),
];
const WAYS = [
  {name: 'by WebSocket', transports: ['websocket'], ends: 'websocket'},
  {name: 'by polls', transports: ['polling'], ends: 'polling'},
  {name: 'by its own transports', ends: 'websocket'},  // First by polls, then by WebSocket.
];

let suite;
let programs;
const others = [];
let rooms = 0;

before(async () => {
  programs = Object.fromEntries(MAJORS.map((major) => [major, new JavaProgram(major)]));
  suite = await Suite.start();
});
after(async () => {
  for (const program of Object.values(programs)) program.close();
  for (const other of others) other.close();
  await suite?.stop();
});

const port = () => suite.connectors[0].clientPort;
const room = () => `room-${++rooms}`;

async function pomelo() {
  const other = new StockClient();
  others.push(other);
  await other.init({port: port()});
  return other;
}

for (const major of MAJORS) {
  const connect = (options) => programs[major].connect(port(), options);

  for (const {name, transports, ends} of WAYS) {
    for (const namespace of ['/', '/chat']) {
      test(`client ${major} ${name} in ${namespace} talks with one of Pomelo`, async () => {
        const rid = room();
        const client = await connect({transports, namespace});
        const other = await pomelo();
        assert.deepEqual((await client.ask('enter', {username: 'ada', rid})).users, ['ada']);
        assert.deepEqual((await other.enter('bob', rid)).users, ['ada', 'bob']);
        await client.received('onAdd', ({user}) => user === 'bob');

        for (const content of TEXTS) {
          const answer = await client.ask('send', {rid, content, target: '*'});
          assert.equal(answer.error, undefined, JSON.stringify(answer));
        }
        await until(() => other.texts.length === TEXTS.length, 'the messages of Java');
        assert.deepEqual(other.texts, TEXTS);
        for (const content of TEXTS) await other.send(rid, content);
        await until(() => client.texts.length === 2 * TEXTS.length,
                    () => `all messages; there are ${JSON.stringify(client.texts).slice(0, 500)}`);
        assert.deepEqual(client.texts, [...TEXTS, ...TEXTS]);

        await client.ask('chat.chatHandler.send', {rid, content: 'for bob alone', target: 'bob'});
        await other.received('onChat', ({msg, from, target}) => msg === 'for bob alone' && from === 'ada' && target === 'bob');
        await other.send(rid, 'for ada alone', 'ada');
        await client.received('onChat', ({msg, from, target}) => msg === 'for ada alone' && from === 'bob' && target === 'ada');

        await until(async () => await client.transport() === ends, ends);
        assert.equal((await client.ask('leave', {rid})).code, 200);
        await other.received('onLeave', ({user}) => user === 'ada');
      });
    }

    test(`client ${major} ${name} hears who leaves, and leaves when it disconnects`, async () => {
      const rid = room();
      const [client, other] = [await connect({transports}), await pomelo()];
      await client.ask('enter', {username: 'ada', rid});
      await other.enter('bob', rid);
      await other.leave(rid);
      await client.received('onLeave', ({user}) => user === 'bob');
      await other.enter('bob', rid);
      client.close();
      await other.received('onLeave', ({user}) => user === 'ada');
    });

    test(`client ${major} ${name} that is replaced is told so and stays away`, async () => {
      const rid = room();
      const first = await connect({transports});
      const {resume} = await first.ask('enter', {username: 'dora', rid});
      const second = await connect({transports});
      assert.deepEqual((await second.ask('enter', {username: 'dora', rid, resume})).users, ['dora']);
      await first.received('onKick', ({reason}) => reason === 'replaced');
      assert.equal((await first.happened('disconnect'))[1], 'io server disconnect');
      assert.equal((await second.ask('send', {rid, content: 'still here', target: '*'})).error, undefined);
      assert.equal(first.events.filter(([event]) => event === 'connect').length, 1);
    });
  }

  test(`client ${major}: mistakes are answered, and the connection goes on`, async () => {
    const rid = room();
    await (await pomelo()).enter('bob', rid);
    const client = await connect();
    const cases = [
      ['no.such.route', [{}], 404],
      ['message', ['hello'], 400],
      ['enter', [], 400],
      ['enter', [{username: 'ada'}], 400],
      ['enter', [{username: 'ada', rid}, 'more'], 400],
      ['enter', [{username: 'bob', rid}], 500],
      ['send', [{rid: 'elsewhere', content: 'x', target: '*'}], 403],
    ];
    for (const [event, args, code] of cases) {
      const answer = await client.ask(event, ...args);
      assert.equal(answer.code, code, `${event} ${JSON.stringify(args)}: ${JSON.stringify(answer)}`);
      assert.equal(answer.error, true);
    }
    assert.deepEqual((await client.ask('enter', {username: 'ada', rid})).users.sort(), ['ada', 'bob']);
  });

  test(`client ${major} is told of a namespace that is not there`, async () => {
    const client = programs[major].client(port(), {namespace: '/other'});
    const [, error] = await client.happened(major === 1 ? 'error' : 'connect_error');
    assert.equal(error.message ?? error, 'Invalid namespace');
  });

  test(`client ${major} is told by the gate of a connector`, async () => {
    const gate = await programs[major].connect(suite.gatePort);
    const entry = await gate.ask('queryEntry', {uid: 'ada'});
    assert.deepEqual([entry.code, entry.port], [200, port()]);
  });
}

test('client 2 shows its name when it connects', async () => {
  const client = await programs[2].connect(port(), {auth: {username: 'carol'}});
  assert.deepEqual((await client.ask('enter', {rid: room()})).users, ['carol']);

  const bad = programs[2].client(port(), {auth: {username: 'x'.repeat(1000)}});
  const [, error] = await bad.happened('connect_error');
  assert.match(error.message, /username/);
  assert.equal(error.data.code, 400);
});

// The last one: it takes the sessions of all others.
test('clients come back by themselves from a connector that goes', async () => {
  const clients = [];
  for (const major of MAJORS) {
    for (const {transports} of WAYS) clients.push(await programs[major].connect(port(), {transports}));
  }
  for (const client of clients) await client.ask('enter', {username: `erin-${client.program.major}-${client.number}`, rid: room()});
  await suite.connectors[0].stop();
  for (const client of clients) await client.received('onKick', ({reason}) => reason === 'reconnect');
  await suite.connectors[0].start();
  for (const client of clients) {
    assert.match((await client.happened('disconnect'))[1], /^transport (close|error)$/);
    await client.happened('connect', 2);
  }
});
