// A suite that finds itself by DNS, as in Kubernetes: each server has an address of its own, all of a kind share their ports.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {connect} from 'node:net';
import {networkInterfaces, tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {DnsServer} from './dns_server.mjs';
import {RawTcp} from './pomelo_wire.mjs';
import {freePorts, Server} from './suite.mjs';
import {until} from './wait.mjs';

const NAMES = {gate: 'gate.hubbub.test', connector: 'connector.hubbub.test', chat: 'chat.hubbub.test'};
let dns;
let ports;
const servers = [];
const folder = await mkdtemp(join(tmpdir(), 'hubbub-dns-'));
let chats;

function make(kind, id, host, flags = []) {
  const server = new Server(kind, {id, port: ports[kind], clientPort: ports[`${kind}Client`]}, null, [
    '--directory=dns', `--dns_server=${dns.address}`, `--listen=${host}`, `--advertise_host=${host}`,
    ...Object.entries(NAMES).map(([of, name]) => `--${of}_service=${name}:${ports[of]}`),
    ...(kind === 'chat' ? [`--store=sqlite:${join(folder, 'store.db')}`] : [`--client_port=${ports[`${kind}Client`]}`]),
    ...flags,
  ]);
  server.host = host;
  servers.push(server);
  return server;
}

// What the gate answers to many users.
async function connectorsOf(host) {
  const gate = await RawTcp.connect(ports.gateClient, host);
  await gate.join();
  const found = new Set();
  for (let i = 0; i < 40; ++i) {
    const answer = await gate.request('gate.gateHandler.queryEntry', {uid: `user-${i}`});
    found.add(answer.code === 200 ? `${answer.host}:${answer.port}` : 'none');
  }
  gate.close();
  return [...found].sort();
}

before(async () => {
  dns = await DnsServer.start();
  const [gate, gateClient, connector, connectorClient, chat] = await freePorts(5);
  ports = {gate, gateClient, connector, connectorClient, chat};
});
after(async () => {
  for (const server of servers.reverse()) await server.stop();
  dns.close();
  await rm(folder, {recursive: true, force: true});
});

test('servers find each other by DNS, before and after they are there', async () => {
  const gate = make('gate', 'gate-a', '127.0.0.2');
  await gate.start();
  assert.match(gate.log, /connector\.hubbub\.test does not resolve/);
  assert.deepEqual(await connectorsOf(gate.host), ['none']);

  chats = [make('chat', 'chat-a', '127.0.0.3'), make('chat', 'chat-b', '127.0.0.4')];
  dns.set(NAMES.chat, chats.map((chat) => chat.host));
  await Promise.all(chats.map((chat) => chat.start()));
  const connectors = [make('connector', 'connector-a', '127.0.0.5'),
                      make('connector', 'connector-b', '127.0.0.6', ['--advertise=localhost'])];
  await Promise.all(connectors.map((connector) => connector.start()));
  dns.set(NAMES.connector, connectors.map((connector) => connector.host));
  const [a, b] = [`127.0.0.5:${ports.connectorClient}`, `localhost:${ports.connectorClient}`];
  await until(async () => (await connectorsOf(gate.host)).join() === [a, b].join(), 'the gate to know both connectors');

  const clients = [];
  for (const [i, connector] of connectors.entries()) {
    const client = await RawTcp.connect(ports.connectorClient, connector.host);
    await client.join();
    // Rooms enough that each chat server has some.
    for (let room = 0; room < 8; ++room) {
      const {users} = await client.request('connector.entryHandler.enter', {username: `user-${i}`, rid: `room-${room}`});
      assert.equal(users?.length, i + 1);
    }
    clients.push(client);
  }
  for (const client of clients) client.close();

  // One that goes from DNS goes from the answers.
  dns.set(NAMES.connector, [connectors[1].host]);
  await until(async () => (await connectorsOf(gate.host)).join() === b, 'the gate to forget a connector');
  // DNS has no name at all: the gate keeps the servers that still answer.
  dns.names.clear();
  await until(() => /connector\.hubbub\.test does not resolve.*servers that are known stay/.test(gate.log), 'the gate to say so');
  assert.deepEqual(await connectorsOf(gate.host), [b]);
});

test('rooms follow DNS while people talk', async () => {
  const ROOMS = Array.from({length: 12}, (_, i) => `talk-${i}`);
  dns.set(NAMES.chat, chats.map(({host}) => host));
  dns.set(NAMES.connector, ['127.0.0.5', '127.0.0.6']);
  const [talker, listener] = await Promise.all(['127.0.0.5', '127.0.0.6'].map((host) => RawTcp.connect(ports.connectorClient, host)));
  for (const [client, username] of [[talker, 'talker'], [listener, 'listener']]) {
    await client.join();
    for (const rid of ROOMS) {
      const {users} = await client.request('connector.entryHandler.enter', {username, rid});
      assert.ok(users, rid);
    }
  }
  const said = [];
  let going = true;
  const talk = (async () => {
    for (let n = 0; going && n < 3000; ++n) {
      const rid = ROOMS[n % ROOMS.length];
      const answer = await talker.request('chat.chatHandler.send', {rid, content: `${rid} ${n}`, target: '*'});
      assert.ok(answer.offset > 0, JSON.stringify(answer));
      said.push(`${rid} ${n}`);
    }
  })();
  const goesOn = async (what) => {
    const before = said.length;
    await until(() => said.length > before + 2 * ROOMS.length, `the talk to go on ${what}`);
  };
  await goesOn('as it is');

  const third = make('chat', 'chat-c', '127.0.0.7');
  await third.start();
  dns.set(NAMES.chat, [...chats, third].map(({host}) => host));
  await until(() => chats.some(({log}) => /\d+ slots are at chat server chat-c now/.test(log)), 'rooms to go to the third chat server');
  await goesOn('with a third chat server');
  dns.set(NAMES.chat, [chats[1], third].map(({host}) => host));
  await chats[0].stop();
  await goesOn('without the first one');

  // One that DNS does not show yet, for its answers are old.
  const fourth = make('chat', 'chat-d', '127.0.0.8');
  await fourth.start();
  await until(() => [chats[1], third].some(({log}) => /\d+ slots are at chat server chat-d now/.test(log)), 'rooms to go to a newcomer');
  await goesOn('with one that DNS does not show');

  going = false;
  await talk;
  const heard = () => listener.pushes('onChat').map(({msg}) => msg);
  await until(() => heard().length >= said.length, 'all that was said to be heard');
  for (const room of ROOMS) {
    const of = (texts) => texts.filter((text) => text.startsWith(`${room} `));
    assert.deepEqual(of(heard()), of(said), room);
  }
  for (const client of [talker, listener]) client.close();
});

test('flags that cannot be are one line and exit code 2', () => {
  const program = (kind) => `${process.env.HUBBUB_BIN}/${{gate: 'gateway', connector: 'connector', chat: 'chat'}[kind]}/hubbub-${kind}`;
  const cases = [
    ['gate', ['--nosuch'], /there is no flag --nosuch/],
    ['gate', ['--client_port=70000'], /--client_port cannot be "70000"/],
    ['gate', ['--directory=dns'], /--directory=dns needs --gate_service/],
    ['connector', ['--directory=dns', '--connector_service=a:1'], /--directory=dns needs --chat_service/],
    ['connector', ['--directory=dns', '--connector_service=a:1', '--chat_service=b'], /--chat_service must be host:port/],
    ['connector', ['--config=deploy/servers.json', '--advertise=:1'], /--advertise must be the host or host:port/],
    ['chat', ['--chat_service=a:1'], /--chat_service is for --directory=dns/],
    ['chat', ['--config=/nowhere'], /\/nowhere: this file cannot be read \(No such file or directory\): name the file .* with --config/],
  ];
  for (const [kind, flags, why] of cases) {
    const {status, stderr} = spawnSync(program(kind), flags, {cwd: `${import.meta.dirname ?? new URL('.', import.meta.url).pathname}/../..`});
    assert.equal(status, 2, `${kind} ${flags}: ${stderr}`);
    assert.match(`${stderr}`, why);
    assert.equal(`${stderr}`.trim().split('\n').length, 1, `${stderr}`);
  }
});

test('without --listen a server has every address of both families', async () => {
  const [grpc, clients, metrics] = await freePorts(3);
  const gate = new Server('gate', {id: 'gate-both', port: grpc, clientPort: clients}, null, [
    '--directory=dns', `--dns_server=${dns.address}`, `--gate_service=${NAMES.gate}:${grpc}`, `--connector_service=${NAMES.connector}:${ports.connector}`,
    `--client_port=${clients}`, `--metrics_port=${metrics}`,
  ]);
  servers.push(gate);
  await gate.start();
  // A machine may have no IPv6.
  const hosts = ['127.0.0.1', ...(Object.values(networkInterfaces()).flat().some(({address}) => address === '::1') ? ['::1'] : [])];
  for (const host of hosts) {
    const at = host.includes(':') ? `[${host}]` : host;
    assert.equal((await fetch(`http://${at}:${clients}/healthz`)).status, 200, host);
    assert.match(await (await fetch(`http://${at}:${metrics}/metrics`)).text(), /hubbub_info\{id="gate-both"/, host);
    await new Promise((resolve, reject) => connect(grpc, host, resolve).on('error', reject).unref());
  }
});
