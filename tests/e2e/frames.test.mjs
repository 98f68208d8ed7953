// Each WebSocket frame holds one package, whatever happens: clients in the field read only the first one of a frame.
import assert from 'node:assert/strict';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';

import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

import {HEARTBEAT, KICK, RawTcp, RawWebSocket, pack, request} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const proto = fileURLToPath(new URL('../../proto', import.meta.url));
const {ConnectorService} =
    grpc.loadPackageDefinition(loader.loadSync('hubbub/connector/v1/connector.proto', {includeDirs: [proto]})).hubbub.connector.v1;

const ENTER = 'connector.entryHandler.enter';
const SEND = 'chat.chatHandler.send';

let suite;
let stub;
const clients = [];

before(async () => {
  suite = await Suite.start();
  stub = new ConnectorService(`127.0.0.1:${suite.connectors[0].port}`, grpc.credentials.createInsecure());
});
after(async () => {
  stub?.close();
  for (const client of clients) client.close();
  await suite?.stop();
});

async function member(username, rid, {Client = RawWebSocket, ...more} = {}) {
  const client = await Client.connect(suite.connectors[0].clientPort);
  clients.push(client);
  await client.join();
  client.entered = await client.request(ENTER, {username, rid, ...more});
  return client;
}

// A client of the WebSocket library gets each message whole, and the server never cuts one into several frames.
function expectFramesOfOne(...members) {
  for (const {frames, packages} of members) {
    assert.ok(frames.length > 0);
    assert.deepEqual(frames.filter((count) => count !== 1), [], 'frames with more than one package, or with part of one');
    assert.equal(frames.length, packages.length);
  }
}

const say = (rid, id, content) => request(id, SEND, {rid, content, target: '*'});

test('answers, heartbeats and messages of a room under load come one to a frame, on TCP without any', async () => {
  const [ada, bob] = [await member('ada', 'load'), await member('bob', 'load')];
  const tcp = await member('tcp', 'load', {Client: RawTcp});
  // Of every size of a frame's header that a message can have.
  const texts = Array.from({length: 400}, (_, i) => `${i} ${'x'.repeat([0, 10, 200, 3000][i % 4])}`);
  texts.push('y'.repeat(32768));
  texts.forEach((text, i) => {
    ada.send(say('load', 100 + i, text));
    if (i % 50 === 0) for (const one of [ada, bob]) one.send(pack(HEARTBEAT));
  });
  const heard = (client) => client.pushes('onChat').map(({msg}) => msg);
  await until(() => [ada, bob, tcp].every((one) => heard(one).length === texts.length), 'all messages');
  await until(() => texts.every((_, i) => ada.responses(100 + i).length === 1), 'all answers');
  for (const one of [ada, bob, tcp]) assert.deepEqual(heard(one), texts);
  expectFramesOfOne(ada, bob);
});

test('a slow reader gets what waited for it one to a frame', async () => {
  const [cat, dan] = [await member('cat', 'slow'), await member('dan', 'slow')];
  dan.socket.pause();
  const text = 'z'.repeat(30000);
  for (let i = 0; i < 100; ++i) await cat.request(SEND, {rid: 'slow', content: `${i} ${text}`, target: '*'});
  dan.socket.resume();
  await until(() => dan.pushes('onChat').length === 100, 'what waited');
  expectFramesOfOne(cat, dan);
});

test('a client that comes back, is pushed to or is kicked gets one package to a frame', async () => {
  const eve = await member('eve', 'back');
  const {epoch, offset, resume} = await (await member('fay', 'back')).entered;
  clients.at(-1).close();
  await until(() => eve.pushes('onLeave').length === 1, 'fay to leave');
  for (let i = 0; i < 30; ++i) eve.send(say('back', 200 + i, `missed ${i}`));
  await until(() => eve.pushes('onChat').length === 30, 'the messages');
  const fay = await member('fay', 'back', {epoch, offset, resume});
  assert.equal(fay.entered.events.length, 30);
  for (let i = 0; i < 10; ++i) eve.send(say('back', 300 + i, `then ${i}`));
  await until(() => fay.pushes('onChat').length === 10, 'what follows');
  for (let i = 0; i < 5; ++i) {
    const notice = {route: 'onNotice', body: {fields: {n: {numberValue: i}}}};
    await new Promise((resolve, reject) => stub.Broadcast(notice, (error) => (error ? reject(error) : resolve())));
  }
  await until(() => fay.pushes('onNotice').length === 5, 'the notices');
  fay.send(pack(KICK));
  await fay.ended();
  assert.equal(fay.of(KICK).length, 1);
  expectFramesOfOne(eve, fay);
});
