// Servers that may open few files: the limit that a shell gives is raised as far as that is allowed; where it cannot be, clients are
// turned away while the servers still reach each other, and the gRPC port is never deaf for good.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {RawTcp} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const FEW = 200;
let suite;
const clients = [];

// The connector may open few files, whatever it asks for; the chat server is given few, and may ask for more.
before(async () => {
  suite = await Suite.start({ulimits: {connector: `-n ${FEW}`, chat: '-Sn 128'}, flags: {connector: ['--max_connections_per_address=1000']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

const limitOf = (server) => /Max open files\s+(\d+)\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/limits`, 'utf8')).slice(1).map(Number);
const health = (port) => spawnSync('grpcurl', ['-plaintext', '-max-time', '5', `127.0.0.1:${port}`, 'grpc.health.v1.Health/Check'], {encoding: 'utf8'});
// Nobody, if the server closes the connection at once.
const connect = (port) => RawTcp.connect(port).catch(() => null);
const answers = (server) => until(() => health(server.port).status === 0, `the gRPC port of ${server.id} to answer`, 30000);

test('every program raises its soft limit to the hard one', () => {
  for (const server of [suite.gate, suite.chats[0], suite.connectors[0]]) {
    const [soft, hard] = limitOf(server);
    assert.equal(soft, hard, server.id);
  }
  assert.equal(limitOf(suite.connectors[0])[0], FEW);
});

test('--max_connections is held to what the limit allows, and one line says so', () => {
  const lines = suite.connectors[0].log.split('\n').filter((line) => line.includes('--max_connections'));
  assert.equal(lines.length, 1, suite.connectors[0].log);
  assert.match(lines[0], new RegExp(`--max_connections=100000 .* ${FEW} open files .* (\\d+) clients`));
});

test('a full connector gets a chat server that was killed back, and its people with it', async () => {
  const [connector] = suite.connectors;
  for (let i = 0; i < 300; ++i) {
    const client = await connect(connector.clientPort);
    if (!client) continue;
    clients.push(client);
    client.send(Buffer.from([1]));  // The first byte of a package: it stays until the time for that is over.
  }
  const member = await until(async () => {
    const client = await connect(connector.clientPort);
    const joined = client && await Promise.race([client.join().then(() => true), client.ended().then(() => false)]).catch(() => false);
    if (joined) return client;
    client?.close();
    // Makes room for one more.
    clients.shift()?.close();
    return null;
  }, 'one of them to give up the place');
  clients.push(member);
  await answers(connector);
  assert.ok((await member.request('connector.entryHandler.enter', {username: 'ann', rid: 'full'})).users);
  assert.ok(connector.log.includes('further clients are turned away'), connector.log);
  await suite.chats[0].stop('SIGKILL');
  await suite.chats[0].start();
  const answer = await until(async () => {
    const said = await member.request('chat.chatHandler.send', {rid: 'full', content: 'again', target: '*', id: 'again-1'});
    return said.error ? null : said;
  }, 'the connector to have the chat server again', 30000);
  assert.ok(answer.offset > 0);
});

test('a client that fills both ports of a server makes it deaf only while it holds them', async () => {
  const [connector] = suite.connectors;
  const held = [];
  for (let i = 0; i < 2 * FEW; ++i) held.push(await connect(i % 2 ? connector.port : connector.clientPort));
  health(connector.port);  // One more, which may or may not be taken.
  for (const client of held) client?.close();
  await answers(connector);
});
