// Calls that reach users through any connector and through the gate, and a user in rooms of two chat servers.
import assert from 'node:assert/strict';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';

import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const proto = fileURLToPath(new URL('../../proto', import.meta.url));
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, {includeDirs: [proto], longs: Number})).hubbub;
const {ConnectorService} = load('hubbub/connector/v1/connector.proto').connector.v1;
const {ChatService} = load('hubbub/chat/v1/chat.proto').chat.v1;

let suite;
const clients = [];
const stubs = [];

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
});
after(async () => {
  for (const one of [...clients, ...stubs]) one.close();
  await suite?.stop();
});

function call(Service, server, method, request) {
  const stub = new Service(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  stubs.push(stub);
  return new Promise((resolve, reject) => {
    stub[method](request, {deadline: Date.now() + 10000}, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

// A user of that connector, in a room.
async function on(connector, name, room) {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: connector.clientPort});
  await client.enter(name, room);
  return client;
}

const notice = (users, text) => ({users, route: 'onNotice', body: {fields: {text: {stringValue: text}}}});

test('a push reaches users of another connector, and through the gate those of all', async () => {
  const [first, second] = suite.connectors;
  const ada = await on(first, 'ada', 'push');
  const bob = await on(second, 'bob', 'push');
  const heard = {ada: [], bob: []};
  ada.pomelo.on('onNotice', ({text}) => heard.ada.push(text));
  bob.pomelo.on('onNotice', ({text}) => heard.bob.push(text));
  const across = await call(ConnectorService, first, 'Push', notice(['bob', 'nobody'], 'across'));
  assert.deepEqual([across.sessions, across.missingUsers], [1, ['nobody']]);
  const both = await call(ConnectorService, suite.gate, 'Push', notice(['ada', 'bob'], 'by the gate'));
  assert.equal(both.sessions, 2);
  const all = await call(ConnectorService, suite.gate, 'Broadcast', {...notice([], 'to all'), users: undefined});
  assert.equal(all.sessions, 2);
  await until(() => heard.ada.includes('to all') && heard.bob.includes('to all'), 'the last notice');
  assert.deepEqual(heard, {ada: ['by the gate', 'to all'], bob: ['across', 'by the gate', 'to all']});
});

test('a user is disconnected through another connector and through the gate', async () => {
  const [first, second] = suite.connectors;
  for (const [name, by] of [['eve', first], ['fay', suite.gate]]) {
    const client = await on(second, name, 'disconnect');
    assert.equal((await call(ConnectorService, by, 'Disconnect', {user: name, reason: 'enough'})).sessions, 1);
    await until(() => client.events.includes('disconnect'), `${name} to be disconnected`);
    await assert.rejects(call(ConnectorService, by, 'Disconnect', {user: name}),
                         {code: grpc.status.NOT_FOUND, details: `user '${name}' has no session on any connector`});
  }
});

test('a gate has no status of sessions, and says where to ask', async () => {
  const stub = new ConnectorService(`127.0.0.1:${suite.gate.port}`, grpc.credentials.createInsecure());
  stubs.push(stub);
  const error = await new Promise((resolve) => stub.WatchStatus({}).on('error', resolve).on('data', () => {}));
  assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  assert.match(error.details, /ask a connector/);
});

test('one session is in two rooms of two chat servers', async () => {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: suite.connectors[0].clientPort});
  // Rooms until both chat servers have one.
  const roomOf = new Map();
  for (let i = 0; roomOf.size < 2; ++i) {
    const room = `both-${i}`;
    await client.enter('jo', room);
    for (const chat of suite.chats) {
      const {rooms = []} = await call(ChatService, chat, 'ListRooms', {page_size: 1000});
      if (rooms.some((one) => one.room === room)) roomOf.set(chat.id, room);
    }
  }
  for (const room of roomOf.values()) {
    await client.send(room, `hello ${room}`);
    await client.received('onChat', ({msg, rid}) => msg === `hello ${room}` && rid === room);
  }
});

test('a connector that is away is named, and the others have had it', async () => {
  const [first, second] = suite.connectors;
  const kim = await on(first, 'kim', 'away');
  await second.stop('SIGKILL');
  await assert.rejects(call(ConnectorService, first, 'Disconnect', {user: 'kim'}),
                       (error) => error.code === grpc.status.UNAVAILABLE && error.details.includes(second.id) && /reached elsewhere: 1/.test(error.details));
  await until(() => kim.events.includes('disconnect'), 'kim to be disconnected');
});
