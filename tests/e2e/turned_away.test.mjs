// Connectors that are full or drain: who comes all the same is told so, and the gate sends everybody elsewhere.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import {after, before, test} from 'node:test';

import {WebSocket} from 'ws';

import {HubbubClient} from './library.mjs';
import {KICK, RawTcp, handshake} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
let held = [];  // Clients that hold a place.

before(async () => {
  suite = await Suite.start({connectors: 2, flags: {connector: ['--max_connections=2', '--sign_in_timeout=10m', '--heartbeat=0']}});
});
after(async () => {
  for (const client of held) client.close();
  await suite?.stop();
});

async function fill(connector) {
  // One by one: a place that was left a moment ago may still be taken.
  for (let i = 0; i < 2; ++i) {
    held.push(await until(async () => {
      const client = await RawTcp.connect(connector.clientPort);
      client.send(handshake());
      await until(() => client.packages.length || client.closed, 'an answer');
      if (!client.of(KICK).length) return client;
      client.close();
      return null;
    }, `a place at ${connector.id}`));
  }
}

async function empty() {
  for (const client of held) client.close();
  held = [];
}

function get(port, path, method = 'GET') {
  return new Promise((resolve, reject) => {
    http.request({host: '127.0.0.1', port, path, method, agent: false}, (response) => {
      let body = '';
      response.on('data', (text) => (body += text));
      response.on('end', () => resolve({status: response.statusCode, headers: response.headers, body}));
    }).on('error', reject).end();
  });
}

// What the gate answers to a user who asks for the first time.
let users = 0;
async function entry(uid = `user-${++users}`) {
  const gate = await RawTcp.connect(suite.gatePort);
  try {
    await gate.join();
    return await gate.request('gate.gateHandler.queryEntry', {uid});
  } finally {
    gate.close();
  }
}

async function kickOverTcp(port) {
  const client = await RawTcp.connect(port);
  client.send(handshake());
  await client.ended();
  return client.packages.map(({type, body}) => [type, JSON.parse(body)]);
}

async function endOverWebSocket(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const frames = [];
  socket.on('message', (bytes) => frames.push([bytes[0], JSON.parse(bytes.subarray(4))]));
  let end;
  socket.on('close', (code, reason) => {
    end = {code, reason: String(reason)};
  });
  await until(() => end, 'the server to close');
  return {frames, ...end};
}

test('who comes to a full connector is told so, and the gate sends nobody there', async () => {
  const [full, free] = suite.connectors;
  await fill(full);
  assert.deepEqual(await kickOverTcp(full.clientPort), [[KICK, {reason: 'full'}]]);
  assert.deepEqual(await endOverWebSocket(full.clientPort), {frames: [[KICK, {reason: 'full'}]], code: 1013, reason: 'full'});
  const page = await get(full.clientPort, '/');
  assert.equal(page.status, 503);
  assert.match(page.headers['retry-after'], /^\d+$/);
  assert.equal((await get(full.clientPort, '/healthz')).status, 200);

  await until(async () => (await entry()).port === free.clientPort, 'the gate to know');
  for (let i = 0; i < 20; ++i) assert.equal((await entry()).port, free.clientPort);

  await fill(free);
  const none = await until(async () => {
    const answer = await entry();
    return answer.code !== 200 && answer;
  }, 'the gate to know that all are full');
  assert.equal(none.code, 500);
  assert.match(none.message, /every connector is full/);

  await empty();
  await until(async () => (await entry()).code === 200, 'the gate to know that there is room');
});

test('a stock client hears why, and this project\'s own gets in as soon as there is room', async () => {
  for (const connector of suite.connectors) await fill(connector);
  const stock = new StockClient();
  const kicks = [];
  stock.pomelo.on('onKick', (kick) => kicks.push(kick));
  stock.pomelo.init({host: '127.0.0.1', port: suite.connectors[0].clientPort}, () => {});
  await until(() => kicks.length, 'the kick');
  assert.equal(JSON.parse(JSON.stringify(kicks[0])).reason, 'full');
  stock.close();

  await empty();
  const ada = new HubbubClient({gate: `ws://127.0.0.1:${suite.gatePort}`, WebSocket, backoff: {min: 50, max: 200}});
  await until(() => ada.connect('ada').then(() => true, () => false), 'a place');
  assert.equal(ada.state, 'connected');
  ada.close();
});

test('a user who asks again and again over other connections is sent elsewhere, over the same one not', async () => {
  await until(async () => new Set([(await entry()).port, (await entry()).port]).size === 2, 'both connectors to have room');
  for (let i = 0; i < 10; ++i) {
    const uid = `asks-again-${i}`;
    const ports = [];
    for (let ask = 0; ask < 5; ++ask) ports.push((await entry(uid)).port);
    assert.equal(ports[1], ports[0], 'a page may be reloaded');
    assert.notEqual(ports[2], ports[0]);
    assert.equal(ports[3], ports[0]);
    assert.equal(ports[4], ports[2]);
  }
  const gate = await RawTcp.connect(suite.gatePort);
  await gate.join();
  const answers = [];
  for (let i = 0; i < 5; ++i) answers.push((await gate.request('gate.gateHandler.queryEntry', {uid: 'patient'})).port);
  assert.equal(new Set(answers).size, 1);
  gate.close();
});

test('a connector that drains answers HTTP, tells newcomers to go elsewhere, and is named to nobody', async () => {
  const [drains, stays] = suite.connectors;
  // A client that does not close when it is told to: the drain waits for it for a while.
  const stubborn = net.connect({port: drains.clientPort, host: '127.0.0.1', allowHalfOpen: true});
  stubborn.on('error', () => {});
  stubborn.resume();
  stubborn.write(handshake());
  let told = false;
  stubborn.on('end', () => {
    told = true;
  });
  await until(() => stubborn.readyState === 'open', 'a connection');
  await until(async () => (await get(drains.clientPort, '/healthz')).status === 200, 'the connector to be well');
  const ended = drains.stop();
  await until(() => told, 'the drain to begin');
  const health = await get(drains.clientPort, '/healthz');
  assert.equal(health.status, 503);
  assert.equal(health.headers['cache-control'], 'no-store');
  assert.equal((await get(drains.clientPort, '/healthz', 'HEAD')).status, 503);
  assert.equal((await get(drains.clientPort, '/')).status, 426);
  assert.deepEqual(await kickOverTcp(drains.clientPort), [[KICK, {reason: 'reconnect'}]]);
  for (let i = 0; i < 20; ++i) assert.equal((await entry()).port, stays.clientPort);
  stubborn.destroy();
  await ended;
});

test('/healthz of the gate', async () => {
  const {status, body, headers} = await get(suite.gatePort, '/healthz');
  assert.deepEqual([status, body, headers['cache-control']], [200, 'ok\n', 'no-store']);
  assert.equal((await get(suite.gatePort, '/healthz', 'HEAD')).body, '');
});
