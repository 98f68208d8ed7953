// A connector that was stopped for a while, as when its machine is moved, closes nobody for that: what its clients sent
// meanwhile lies in their sockets, and is read before anybody is judged.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {HEARTBEAT} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const CLIENTS = 600;
const ROOM_SIZE = 30;
const HALT_MS = 8000;
// The stock client itself gives up 10 s after a heartbeat that nobody answered; the server after 10 s without one.
const HEARTBEAT_S = 5;
const QUIET_MS = 3000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({flags: {connector: [`--heartbeat=${HEARTBEAT_S}`, '--loops=1']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

test('nobody is closed by a connector that was stopped for 8 seconds', async () => {
  const [connector] = suite.connectors;
  for (let i = 0; i < CLIENTS; ++i) {
    const client = new StockClient();
    clients.push(client);
    await client.init({port: connector.clientPort});
    await client.enter(`user${i}`, `room${Math.floor(i / ROOM_SIZE)}`);
  }
  let beats = clients.map(() => 0);
  clients.forEach((client, i) => client.socket.on('message', (bytes) => {
    if (new Uint8Array(bytes)[0] === HEARTBEAT) beats[i] += 1;
  }));
  await until(() => beats.every((count) => count >= 1), 'the first heartbeats', 40000);
  // So long ago that all are overdue when the server goes on, and those of the halt lie in the sockets.
  await wait(QUIET_MS);
  connector.halt();
  await wait(HALT_MS);
  beats = clients.map(() => 0);
  connector.goOn();
  // Two of the client's heartbeats are read and answered, with ticks in between.
  await until(() => beats.every((count, i) => count >= 2 || !clients[i].open), 'heartbeats for all', 40000);
  assert.deepEqual(clients.filter(({open}) => !open).map(({events}) => events), []);
  assert.ok((await clients[0].send('room0', 'still here')).offset > 0);
  await clients[1].received('onChat', ({msg}) => msg === 'still here');
});
