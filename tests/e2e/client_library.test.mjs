// The client library of the chat page, gateway/web/hubbub-client.js, against a suite.
import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {WebSocket} from 'ws';

import {HubbubClient, HubbubError} from './library.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
let clients = [];
let rooms = 0;

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
});
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});
after(async () => {
  await suite?.stop();
});

function make() {
  const client = new HubbubClient({gate: `ws://127.0.0.1:${suite.gatePort}`, WebSocket, backoff: {min: 50, max: 500}});
  client.seen = [];
  for (const event of ['message', 'join', 'leave', 'members', 'gap', 'lost', 'state', 'kick', 'push']) {
    client.on(event, (detail) => client.seen.push({event, ...detail}));
  }
  client.all = (event) => client.seen.filter((one) => one.event === event);
  client.sees = (event, match, what = `a matching ${event}`) => until(() => client.all(event).find(match), what, 30000);
  clients.push(client);
  return client;
}

async function enter(user, room) {
  const client = make();
  await client.connect(user);
  client.entered = await client.enter(room);
  return client;
}

test('two users talk, to all and to one', async () => {
  const room = `lib-${++rooms}`;
  const ada = await enter('ada', room);
  const bob = await enter('bob', room);
  assert.deepEqual(bob.entered.users, ['ada', 'bob']);
  await ada.sees('join', ({user}) => user === 'bob');
  assert.deepEqual(ada.users(room), ['ada', 'bob']);
  const {offset} = await ada.send(room, 'Hi 😂 你好');
  for (const client of [ada, bob]) {
    const message = await client.sees('message', ({text}) => text === 'Hi 😂 你好');
    assert.deepEqual([message.room, message.from, message.to, message.private, message.offset], [room, 'ada', '*', false, offset]);
  }
  await bob.send(room, 'psst', 'ada');
  const secret = await ada.sees('message', ({text}) => text === 'psst');
  assert.deepEqual([secret.private, secret.to], [true, 'ada']);
  await bob.leave(room);
  await ada.sees('leave', ({user}) => user === 'bob');
  assert.deepEqual(ada.users(room), ['ada']);
  assert.deepEqual(bob.rooms, []);
  assert.ok(!bob.all('message').some(({text}) => text === 'psst'));
});

test('it understands users of the stock client, and they it', async () => {
  const room = `lib-${++rooms}`;
  const ada = await enter('ada', room);
  const stock = await new StockClient().connect(suite.gatePort, 'stock');
  try {
    await stock.enter('stock', room);
    await stock.send(room, '来自旧客户端 😀');
    await ada.sees('message', ({text, from}) => text === '来自旧客户端 😀' && from === 'stock');
    await ada.send(room, '来自新客户端 😀');
    await stock.received('onChat', ({msg, from}) => msg === '来自新客户端 😀' && from === 'ada');
  } finally {
    stock.close();
  }
});

test('errors of the server arrive as errors with a code and a sentence', async () => {
  const room = `lib-${++rooms}`;
  const ada = await enter('ada', room);
  const is = (code, message) => (error) => error instanceof HubbubError && error.code === code && message.test(error.message);
  await assert.rejects(ada.send(room, 'hi', 'nobody'), is(404, /nobody/));
  await assert.rejects(ada.send('elsewhere', 'hi'), is(403, /elsewhere/));
  await assert.rejects(ada.send(room, 'x'.repeat(33000)), is(400, /33000/));
  await assert.rejects(ada.enter(room), is('entered', /already/));
  await assert.rejects(ada.connect('ada'), is('busy', /connected/));
  const other = make();
  await other.connect('ada');
  await assert.rejects(other.enter(room), is(500, /already/));
  assert.deepEqual(other.rooms, []);
  other.close();
  await assert.rejects(other.send(room, 'hi'), is('offline', /no connection/));
  const lost = new HubbubClient({gate: 'ws://127.0.0.1:1', WebSocket});
  await assert.rejects(lost.connect('ada'), is('unreachable', /Cannot connect/));
  assert.equal(lost.state, 'offline');
});

test('a place that was taken over is told so and stays offline', async () => {
  const room = `lib-${++rooms}`;
  const first = await enter('ada', room);
  const second = make();
  await second.connect('ada');
  await second.enter(room, first.resumePoint(room));
  await first.sees('state', ({state, reason}) => state === 'offline' && reason === 'replaced');
  await second.send(room, 'mine now');
  await second.sees('message', ({text}) => text === 'mine now');
});

for (const [how, signal] of [['killed', 'SIGKILL'], ['shut down', 'SIGTERM']]) {
  test(`when its connector is ${how}, it goes to another one and its place stays its own`, async () => {
    const room = `lib-${++rooms}`;
    const all = [];
    // So many users that each connector has some.
    for (let i = 0; i < 6; ++i) all.push(await enter(`user-${how}-${i}`, room));
    const [dies] = suite.connectors;
    await dies.stop(signal);
    const moved = await until(() => all.filter((client) => client.all('state').some(({state}) => state === 'reconnecting')).length,
                              'somebody to lose the connection');
    assert.ok(moved > 0);
    await until(() => all.every(({state}) => state === 'connected'), () => `all to be back: ${all.map(({state}) => state)}`, 30000);
    const users = [...all[0].users(room)].sort();
    assert.deepEqual(users, all.map(({user}) => user).sort());
    await all[0].send(room, `after ${how}`);
    for (const client of all) await client.sees('message', ({text}) => text === `after ${how}`);
    for (const client of all) assert.deepEqual(client.all('lost'), []);
    await dies.start();
    await suite.serves();
  });
}
