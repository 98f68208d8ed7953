// Heartbeats keep a quiet stock client connected, and end the connection of one that has gone silent.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {HEARTBEAT, RawTcp, pack} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
let client;

before(async () => {
  suite = await Suite.start({flags: {connector: ['--heartbeat=1']}});
});
after(async () => {
  client?.close();
  await suite?.stop();
});

test('a stock client that says nothing for ten heartbeats stays connected', async () => {
  client = await new StockClient().connect(suite.gatePort, 'ada');
  await client.enter('ada', 'quiet');
  let beats = 0;
  client.socket.on('message', (bytes) => {
    if (new Uint8Array(bytes)[0] === HEARTBEAT) beats += 1;
  });
  await until(() => beats >= 10 || !client.open, 'ten heartbeats', 30000);
  assert.ok(client.open, `the connection has ended: ${client.events}`);
  assert.ok(!client.events.includes('heartbeat timeout'));
  assert.ok((await client.send('quiet', 'still here')).offset > 0);
});

test('the server sends one heartbeat at the acknowledgement, and one for each of the client', async () => {
  const raw = await RawTcp.connect(suite.connectors[0].clientPort);
  assert.equal((await raw.join()).sys.heartbeat, 1);
  await until(() => raw.of(HEARTBEAT).length === 1, 'the first heartbeat');
  raw.send(pack(HEARTBEAT));
  await until(() => raw.of(HEARTBEAT).length === 2, 'an answer');
  await raw.request('connector.entryHandler.enter', {username: 'raw', rid: 'quiet'});
  assert.equal(raw.of(HEARTBEAT).length, 2, 'requests are not answered by heartbeats');
  raw.close();
});

test('a client that falls silent is closed, and the room hears of it', async () => {
  const raw = await RawTcp.connect(suite.connectors[0].clientPort);
  await raw.join();
  await raw.request('connector.entryHandler.enter', {username: 'silent', rid: 'quiet'});
  await raw.ended();
  await client.received('onLeave', ({user}) => user === 'silent');
});
