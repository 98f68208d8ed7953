// What operators and their tools ask every server: is it healthy, which calls are there; and how it ends.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const OWN = {gate: 'hubbub.gate.v1.GateService', connector: 'hubbub.connector.v1.ConnectorService', chat: 'hubbub.chat.v1.ChatService'};
const OF_ALL = ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection',
                'hubbub.directory.v1.IdentityService', 'hubbub.directory.v1.StatusService'];
let suite;

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
});
after(() => suite?.stop());

const everyServer = () => [suite.gate, ...suite.connectors, ...suite.chats];

function grpcurl(server, ...args) {
  const data = typeof args.at(-1) === 'object' ? ['-d', JSON.stringify(args.pop())] : [];
  return spawnSync('grpcurl', ['-plaintext', '-max-time', '10', ...data, `127.0.0.1:${server.port}`, ...args], {encoding: 'utf8'});
}

test('grpcurl, which has no proto files, learns the health of every server and of each of its services', () => {
  for (const server of everyServer()) {
    const {status, stdout, stderr} = grpcurl(server, 'list');
    assert.equal(status, 0, stderr);
    const services = stdout.trim().split('\n');
    for (const service of [OWN[server.kind], ...OF_ALL]) assert.ok(services.includes(service), `${server.id} has ${service}`);
    for (const service of ['', ...services]) {
      const check = grpcurl(server, 'grpc.health.v1.Health/Check', {service});
      assert.equal(check.status, 0, check.stderr);
      assert.deepEqual(JSON.parse(check.stdout), {status: 'SERVING'}, `${service} of ${server.id}`);
    }
    assert.equal(JSON.parse(grpcurl(server, 'grpc.health.v1.Health/Check').stdout).status, 'SERVING', 'without a request');
    const unknown = grpcurl(server, 'grpc.health.v1.Health/Check', {service: 'no.such.Service'});
    assert.match(unknown.stderr, /Code: NotFound/);
    for (const service of services) assert.equal(grpcurl(server, 'describe', service).status, 0, `${service} is described`);
  }
});

test('Watch tells that a chat server drains, and its stream ends with it', async () => {
  const chat = await suite.add('chat');
  await suite.serves();
  const watch = spawn('grpcurl', ['-plaintext', `127.0.0.1:${chat.port}`, 'grpc.health.v1.Health/Watch']);
  let told = '';
  let ended = false;
  watch.stdout.on('data', (text) => {
    told += text;
  });
  watch.on('close', () => {
    ended = true;
  });
  await until(() => told.includes('"SERVING"'), 'the first status');
  await suite.remove(chat);
  await chat.stop();
  await until(() => ended, 'the watch to end');
  assert.match(told, /"SERVING"[^]*"NOT_SERVING"/);
});

test('SIGHUP, which the end of a terminal sends, ends a server as SIGTERM does', async () => {
  const [, connector] = suite.connectors;
  const client = await new StockClient().connect(suite.gatePort, 'ann');
  client.close();
  for (const server of [connector, suite.chats[1], suite.gate]) {
    server.process.kill('SIGHUP');
    await until(() => server.exit, `${server.id} to end`, 20000);
    assert.equal(server.exit.how, 0, `${server.id} ended badly:\n${server.log}`);
    assert.match(server.log, /is shutting down/, server.id);
    await server.start();
  }
});
