// A suite whose servers know each other by certificates: people chat in it, back ends do what their certificates and tokens
// allow, and what others forge is refused.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {after, before, test} from 'node:test';
import tls from 'node:tls';
import {fileURLToPath} from 'node:url';

import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

import {Authority} from './certificates.mjs';
import {StockClient} from './stock_client.mjs';
import {freePorts, Suite} from './suite.mjs';
import {until} from './wait.mjs';

const proto = fileURLToPath(new URL('../../proto', import.meta.url));
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, {includeDirs: [proto], longs: String})).hubbub;
const {ChatService} = load('hubbub/chat/v1/chat.proto').chat.v1;
const {PeerService} = load('hubbub/chat/v1/peer.proto').chat.v1;
const {ConnectorService} = load('hubbub/connector/v1/connector.proto').connector.v1;
const {UNAUTHENTICATED, PERMISSION_DENIED} = grpc.status;
const TOKENS = {weather: 'w'.repeat(40), ops: 'o'.repeat(40)};
const IDS = ['gate-server-1', 'connector-server-1', 'connector-server-2', 'chat-server-1', 'chat-server-2', 'chat-server-3'];

let suite;
let authority;
const open = [];

const issueForServers = () => {
  for (const id of IDS) authority.issue(id, `hubbub://${id.split('-')[0]}/${id}`);
};

before(async () => {
  authority = await Authority.make();
  issueForServers();
  authority.issue('reader', 'hubbub://read/dashboard');
  authority.issue('nobody', 'https://example.com/');
  authority.write('tokens', `weather publish ${TOKENS.weather}\nops admin,read ${TOKENS.ops}\n`);
  suite = await Suite.start({connectors: 2, chats: 2, flagsOf: (id) => [...authority.flags(id), `--grpc_tokens=${authority.path('tokens')}`]});
});
after(async () => {
  for (const one of open) one.close();
  await suite?.stop();
  await authority?.remove();
});

// A stub for `server` of a caller with the certificate `name`, or without one.
function stubOf(Service, server, name) {
  const own = name ? [authority.read(`${name}.key`), authority.read(`${name}.pem`)] : [];
  const stub = new Service(`localhost:${server.port}`, grpc.credentials.createSsl(authority.read('ca.pem'), ...own));
  open.push(stub);
  return stub;
}

const metadataOf = (token) => {
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
};

// What became of a call: {answer}, or {code, details}. Of a stream the first answer.
function call(stub, method, request, token) {
  const options = {deadline: Date.now() + 10000};
  return new Promise((resolve) => {
    const {requestStream, responseStream} = stub[method];
    if (!responseStream) return stub[method](request, metadataOf(token), options, (error, answer) => resolve(error ?? {answer}));
    const stream = requestStream ? stub[method](metadataOf(token), options) : stub[method](request, metadataOf(token), options);
    stream.on('data', (answer) => {
      resolve({answer});
      stream.cancel();
    });
    stream.on('error', resolve);
    if (requestStream) stream.end(request);
  });
}

async function person(name, room, connector) {
  const client = new StockClient();
  open.push(client);
  if (connector) {
    await client.init({port: connector.clientPort});
  } else {
    await client.connect(suite.gatePort, name);
  }
  await client.enter(name, room);
  return client;
}

function grpcurl(server, ...args) {
  const {status, stdout, stderr} = spawnSync('grpcurl', [
    '-max-time', '10', '-import-path', proto, '-proto', 'hubbub/chat/v1/chat.proto', '-proto', 'hubbub/connector/v1/connector.proto', ...args.slice(0, -1),
    `localhost:${server.port}`, args.at(-1)], {encoding: 'utf8'});
  return {status, stdout, stderr};
}
const CA = () => ['-cacert', authority.path('ca.pem')];
const CERTIFICATE = (name) => ['-cert', authority.path(`${name}.pem`), '-key', authority.path(`${name}.key`)];

test('people chat across servers that know each other by certificates', async () => {
  const [ada, bob] = [await person('ada', 'lobby', suite.connectors[0]), await person('bob', 'lobby', suite.connectors[1])];
  await ada.send('lobby', 'hello');
  await until(() => bob.texts.includes('hello'), 'the message at the other connector');
  assert.ok(!/gRPC is open/.test(suite.gate.log + suite.chats[0].log));
});

test('grpcurl works with a certificate or a token, and without one not', async () => {
  const send = ['-d', '{"room":"lobby","from":"weather","target":"*","content":"it rains"}'];
  const listener = await person('carl', 'lobby');
  const good = grpcurl(suite.chats[0], ...CA(), '-H', `authorization: Bearer ${TOKENS.weather}`, ...send, 'hubbub.chat.v1.ChatService/Send');
  assert.equal(good.status, 0, good.stderr);
  await until(() => listener.texts.includes('it rains'), 'the message of the back end');
  const room = grpcurl(suite.chats[1], ...CA(), ...CERTIFICATE('reader'), '-d', '{"room":"lobby"}', 'hubbub.chat.v1.ChatService/GetRoom');
  assert.equal(room.status, 0, room.stderr);
  assert.match(room.stdout, /"room": "lobby"/);
  for (const [what, args, said] of [
    ['nothing', [...CA()], /Code: Unauthenticated\s+Message: ChatService\/Send needs a certificate with the role chat or publish, or a token/],
    ['a wrong token', [...CA(), '-H', 'authorization: Bearer nonsense'], /Code: Unauthenticated\s+Message: the metadata "authorization" holds no token/],
    ['another scope', [...CA(), ...CERTIFICATE('reader')], /Code: PermissionDenied\s+Message: read\/dashboard may not call ChatService\/Send/],
    ['a certificate without a role', [...CA(), ...CERTIFICATE('nobody')], /Code: PermissionDenied\s+Message: a certificate without a role may not/],
    ['no TLS', ['-plaintext'], /Failed|Unavailable|deadline/],
  ]) {
    const refused = grpcurl(suite.chats[0], ...args, ...send, 'hubbub.chat.v1.ChatService/Send');
    assert.notEqual(refused.status, 0, what);
    assert.match(refused.stderr, said, what);
  }
});

test('what is forged is refused with a reason, and harms nobody', async () => {
  const [chat, other] = suite.chats;
  const victim = await person('dora', 'forge');
  const room = {room: 'forge', epoch: 1, offset: '99', places: [{user: 'x', session: 9, token: 't'}],
                recentEvents: [{room: 'forge', epoch: 1, offset: '98', message: {from: 'dora', target: '*', content: 'forged'}}]};
  const forged = [
    [ChatService, 'Subscribe', {connector: 'connector-server-1'}],
    [ChatService, 'Add', {room: 'forge', user: 'dora', lease: 1, session: 1}],
    [ChatService, 'Restore', {lease: 1, lostServer: other.id, parts: 1, calls: 1, rooms: [room]}],
    [ChatService, 'SendStream', {sends: [{}]}],
    [PeerService, 'Import', {server: other.id, incarnation: 1, batch: '18446744073709551615', rooms: [{room: 'forge', epoch: 7}]}],
    [PeerService, 'Watch', {server: other.id, contract: 1}],
    [ConnectorService, 'Disconnect', {user: 'dora'}, suite.connectors[0]],
  ];
  for (const [Service, method, request, server = chat] of forged) {
    for (const [who, token, code] of [[undefined, undefined, UNAUTHENTICATED], [undefined, TOKENS.weather, PERMISSION_DENIED],
                                      ['reader', undefined, PERMISSION_DENIED]]) {
      const refused = await call(stubOf(Service, server, who), method, request, token);
      assert.equal(refused.code, code, `${method} by ${who ?? token}: ${refused.details}`);
      assert.match(refused.details, new RegExp(`${method}`));
    }
  }
  // A connector with its own certificate speaks for no other, and a chat server neither.
  const twin = await call(stubOf(ChatService, chat, 'connector-server-2'), 'Subscribe', {connector: 'connector-server-1'});
  assert.equal(twin.code, PERMISSION_DENIED, twin.details);
  assert.match(twin.details, /that of connector "connector-server-2", who may not speak for another/);
  for (const [method, request] of [['Watch', {server: other.id, contract: 1}], ['Import', {server: other.id, incarnation: 1, batch: 1}]]) {
    const false_ = await call(stubOf(PeerService, chat, 'chat-server-3'), method, request);
    assert.equal(false_.code, PERMISSION_DENIED, `${method}: ${false_.details}`);
  }
  const seen = await call(stubOf(ChatService, chat, 'reader'), 'GetRoom', {room: 'forge'});
  assert.deepEqual(seen.answer.members.map(({user}) => user), ['dora']);
  await victim.send('forge', 'all is well');
  await until(() => victim.texts.includes('all is well'), 'her own message');
  assert.ok(!victim.texts.includes('forged'));
});

test('what an administrator does is in the log, once', async () => {
  await person('eve', 'audited');
  const {answer, details} = await call(stubOf(ChatService, suite.chats[0]), 'Kick', {room: 'audited', user: 'eve'}, TOKENS.ops);
  assert.ok(answer, details);
  const lines = () => suite.chats.flatMap(({log}) => log.split('\n')).filter((line) => / audit .*ChatService\/Kick/.test(line));
  await until(() => lines().length > 0, 'the line');
  assert.equal(lines().length, 1, lines().join('\n'));
  assert.match(lines()[0], /call=ChatService\/Kick caller=admin\/ops peer=ipv[46]:\S+ room=audited user=eve .*code=OK/);
  for (const {log} of [suite.gate, ...suite.connectors, ...suite.chats]) assert.ok(!log.includes(TOKENS.ops) && !log.includes(TOKENS.weather));
});

test('tokens follow their file', async () => {
  const stub = stubOf(ChatService, suite.chats[0]);
  const token = 'n'.repeat(40);
  assert.equal((await call(stub, 'ListRooms', {}, token)).code, UNAUTHENTICATED);
  authority.write('tokens', `new read ${token}\nops admin,read ${TOKENS.ops}\n`);
  await until(async () => (await call(stub, 'ListRooms', {}, token)).answer, 'the new token to be taken');
  assert.equal((await call(stub, 'Send', {room: 'lobby', from: 'w', target: '*', content: 'x'}, TOKENS.weather)).code, UNAUTHENTICATED);
});

// The serial number of the certificate that a server shows to somebody with this certificate; nothing if it takes none.
function serialOf(server, name) {
  return new Promise((resolve) => {
    const socket = tls.connect({host: '127.0.0.1', port: server.port, servername: 'localhost', ALPNProtocols: ['h2'], ca: authority.read('ca.pem'),
                                key: authority.read(`${name}.key`), cert: authority.read(`${name}.pem`)});
    socket.on('secureConnect', () => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'));
    // The server's first frame says that it has taken the client's certificate.
    socket.on('data', () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });
}

test('certificates and their authority are replaced while people talk, and nothing is lost', async () => {
  const [fay, gus] = [await person('fay', 'rotate', suite.connectors[0]), await person('gus', 'rotate', suite.connectors[1])];
  const sent = [];
  let talking = true;
  const talk = (async () => {
    while (talking) {
      const text = `message ${sent.length}`;
      sent.push(text);
      assert.ok((await fay.send('rotate', text)).offset);
    }
  })();
  const servers = [suite.gate, ...suite.connectors, ...suite.chats];
  const before = await Promise.all(servers.map((server) => serialOf(server, 'reader')));

  // As an operator would: first both authorities are trusted, then certificates of the new one are shown, then the old one goes.
  const old = authority.read('ca.pem').toString();
  authority.renew({also: old});
  authority.issue('newcomer', 'hubbub://read/newcomer');
  for (const server of servers) await until(() => serialOf(server, 'newcomer'), `${server.id} to trust the new authority`);
  issueForServers();
  for (const [i, server] of servers.entries()) {
    await until(async () => ![undefined, before[i]].includes(await serialOf(server, 'newcomer')), `${server.id} to show its new certificate`);
  }
  authority.write('ca.pem', authority.read('signer.pem'));
  for (const server of servers) await until(async () => !await serialOf(server, 'reader'), `${server.id} not to trust the old authority`);

  // New connections, of old servers and of a new one.
  await suite.add('chat');
  await suite.connectors[1].stop();
  await suite.connectors[1].start();
  await suite.serves();
  const heard = await person('hal', 'rotate', suite.connectors[1]);
  talking = false;
  await talk;
  await fay.send('rotate', 'the last one');
  await until(() => heard.texts.includes('the last one'), 'the last message at the new connection');
  await until(() => fay.texts.includes('the last one'), 'the last message');
  assert.deepEqual(fay.texts, [...sent, 'the last one'], 'each once and in order');
  assert.ok(sent.length > 20, `${sent.length} messages`);
  const known = gus.texts.length;
  assert.deepEqual(gus.texts, sent.slice(0, known), 'until its connector was restarted');
});

test('a server that cannot be safe says why and does not start', async () => {
  const flags = authority.flags('chat-server-1');
  for (const [given, said] of [
    [flags.slice(0, 2), /--grpc_certificate, --grpc_key and --grpc_ca need each other/],
    [authority.flags('chat-server-2'), /chat-server-2\.pem: the certificate is that of chat "chat-server-2"/],
    [authority.flags('gate-server-1'), /needs the URI hubbub:\/\/chat or hubbub:\/\/chat\/chat-server-1/],
    [[`--grpc_tokens=${authority.path('tokens')}`], /--grpc_tokens needs --grpc_certificate/],
    [[...flags, '--grpc_tokens=/nowhere'], /\/nowhere cannot be read/],
    [[...flags, '--grpc_plaintext'], /contradict each other/],
    [['--production'], /--production needs --grpc_certificate.* say --grpc_plaintext/],
  ]) await assert.rejects(Suite.start({flags: {chat: given}}), said, given.join(' '));
});

test('gRPC, metrics and the operators\' page have addresses of their own', async () => {
  const [port, operators] = await freePorts(2);
  const flags = ['--listen=127.0.0.8', '--grpc_listen=127.0.0.1', '--metrics_listen=127.0.0.9', `--metrics_port=${port}`];
  const apart = await Suite.start({flags: {chat: flags, gate: [`--operator_listen=127.0.0.10:${operators}`]}});  // Which serves, so gRPC is where the directory says.
  try {
    assert.match(await (await fetch(`http://127.0.0.9:${port}/metrics`)).text(), /hubbub_rooms/);
    assert.match(await (await fetch(`http://127.0.0.10:${operators}/servers.json`)).text(), /chat-server-1/);
    assert.equal((await fetch(`http://127.0.0.1:${apart.gatePort}/servers.json`)).status, 404);
    for (const host of ['127.0.0.1', '127.0.0.8']) await assert.rejects(fetch(`http://${host}:${port}/metrics`), host);
  } finally {
    await apart.stop();
  }
});

test('a suite without certificates says so, and one that was told to be plain does not complain', async () => {
  const plain = await Suite.start({flags: {chat: ['--grpc_plaintext', '--production']}});
  try {
    assert.match(plain.gate.log, /gRPC is open: everybody who reaches its port may do everything/);
    assert.doesNotMatch(plain.chats[0].log, /gRPC is open/);
    assert.match(plain.chats[0].log, /gRPC is plain, as --grpc_plaintext says/);
  } finally {
    await plain.stop();
  }
});
