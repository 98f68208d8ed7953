// Who a client is, behind a proxy that is trusted, and behind none.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';

import WebSocket from 'ws';

import {RawTcp, handshake} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;

before(async () => {
  suite = await Suite.start({flags: {connector: ['--trusted_proxies=127.0.0.1', '--log_level=debug', '--max_connections_per_address=2']}});
});
after(() => suite?.stop());

const named = (address) => until(() => suite.connectors[0].log.includes(` of ${address} ended`), `the log to name ${address}`);

// Bytes of the client's own behind a header of a proxy.
async function tcp(header, from) {
  const client = await RawTcp.connect(suite.connectors[0].clientPort, '127.0.0.1', from);
  client.send(Buffer.concat([Buffer.from(header, 'latin1'), handshake()]));
  return client;
}

test('a client of TCP is who the PROXY header says, in versions 1 and 2', async () => {
  for (const [header, address] of [
    ['PROXY TCP4 192.0.2.1 127.0.0.1 4711 3050\r\n', '192.0.2.1:4711'],
    ['\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x02\x7f\0\0\x01\x12\x68\x0b\xea', '192.0.2.2:4712'],
  ]) {
    const client = await tcp(header);
    await until(() => client.of(1)[0], 'the answer to the handshake');
    client.close();
    await named(address);
  }
});

test('a client of WebSocket is who X-Forwarded-For says', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${suite.connectors[0].clientPort}/`, {headers: {'X-Forwarded-For': '203.0.113.1, 192.0.2.3'}});
  await until(() => socket.readyState === WebSocket.OPEN, 'the WebSocket');
  socket.close();
  await named('192.0.2.3:0');
});

test('a request whose fields name different clients is refused, whichever of them the proxy wrote', async () => {
  const port = suite.connectors[0].clientPort;
  const statusOf = (forwarded) => new Promise((resolve, reject) => {
    const headers = {'X-Forwarded-For': '192.0.2.4', 'Forwarded': forwarded};
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {headers});
    socket.on('open', () => { socket.close(); resolve(101); });
    socket.on('unexpected-response', (request, response) => { request.destroy(); resolve(response.statusCode); });
    socket.on('error', reject);
  });
  for (const forwarded of ['for=198.51.100.1', 'for=127.0.0.1', 'for=unknown', 'junk']) assert.equal(await statusOf(forwarded), 400, forwarded);
  const page = await fetch(`http://127.0.0.1:${port}/healthz`, {headers: {'X-Forwarded-For': '192.0.2.4', 'Forwarded': 'for=198.51.100.1'}});
  assert.match(await page.text(), /X-Forwarded-For and Forwarded do not name the same client/);
  assert.equal(await statusOf('for=192.0.2.4'), 101);
  await named('192.0.2.4:0');
});

test('who has come by a PROXY header takes no other address by a field of a request', async () => {
  const port = suite.connectors[0].clientPort;
  const upgrade = (field) => `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${field}\r\n\r\n`;
  const sockets = [];
  try {
    for (let i = 1; i <= 6; ++i) {
      const field = i % 2 ? `X-Forwarded-For: 198.51.100.${i}` : `Forwarded: for=198.51.100.${i}`;
      const socket = net.connect(port, '127.0.0.1');
      const client = {socket, bytes: '', refused: () => /{"reason":"[a-z-]+"}/.test(client.bytes)};
      socket.on('data', (bytes) => (client.bytes += bytes.toString('latin1')));
      socket.on('error', () => {});
      sockets.push(client);
      socket.write(`PROXY TCP4 192.0.2.66 127.0.0.1 4711 3050\r\n${upgrade(field)}`);
      await until(() => /^HTTP\/1\.1 101 /.test(client.bytes), 'the answer');
      await until(() => i <= 2 || client.refused(), 'those beyond the share to be sent away');
    }
    assert.deepEqual(sockets.map((client) => client.refused()), [false, false, true, true, true, true]);
  } finally {
    for (const {socket} of sockets) socket.destroy();
  }
  await named('192.0.2.66:4711');
  assert.doesNotMatch(suite.connectors[0].log, /198\.51\.100\./);
});

test('nobody else is believed', async () => {
  const client = await tcp('PROXY TCP4 192.0.2.9 127.0.0.1 4711 3050\r\n', '127.0.0.2');
  await client.ended();
  assert.equal(client.of(1).length, 0);
  assert.doesNotMatch(suite.connectors[0].log, /192\.0\.2\.9/);
});
