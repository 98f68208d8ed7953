// TLS on the client ports: clients as they come, OpenSSL's own client, and a certificate that changes while people talk.
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {copyFile, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

import {WebSocket} from 'ws';

import {Browser} from './browser.mjs';
import {HubbubClient} from './library.mjs';
import {KICK, RawTcp, RawWebSocket, handshake} from './pomelo_wire.mjs';
import {MAJORS, SocketIo} from './socketio_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const DEV = fileURLToPath(new URL('../../dev', import.meta.url));
const BIN = process.env.HUBBUB_BIN ?? fileURLToPath(new URL('../../build/dev', import.meta.url));
const ENTER = 'connector.entryHandler.enter';
const SEND = 'chat.chatHandler.send';

let folder;
let ca;
let suite;
const open = [];

const at = (name) => join(folder, name);
const flags = () => [`--tls_certificate=${at('server.crt')}`, `--tls_key=${at('server.key')}`];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubbub-tls-'));
  await promisify(execFile)(DEV, ['certs', '--out', folder]);
  ca = readFileSync(at('ca.crt'));
  suite = await Suite.start({connectors: 2, flags: {gate: flags(), connector: [...flags(), '--heartbeat=60']}, tlsOptions: {ca}});
});
after(async () => {
  for (const client of open) client.close();
  await suite?.stop();
  await rm(folder, {recursive: true, force: true});
});

const connectorPort = () => suite.connectors[0].clientPort;

// Two clients in a room of their own, of whom one hears the other.
async function talk(room, one, other) {
  await one.request(ENTER, {username: `${room}-one`, rid: room});
  await other.request(ENTER, {username: `${room}-two`, rid: room});
  const answer = await one.request(SEND, {rid: room, content: `hello ${room}`, target: '*'});
  assert.ok(answer.offset > 0, JSON.stringify(answer));
  await until(() => other.pushes('onChat').find(({msg}) => msg === `hello ${room}`), 'the message');
}

async function get(port, path, {agent, module = https, ...options} = {}) {
  return new Promise((resolve, reject) => {
    module.get({host: '127.0.0.1', port, path, ca, agent, ...options}, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => (body += text)).on('end', () => resolve({status: response.statusCode, body}));
    }).on('error', reject);
  });
}

test('clients of Pomelo talk by wss and by TLS over TCP', async () => {
  const tcp = await RawTcp.connect(connectorPort(), '127.0.0.1', undefined, {ca});
  const web = await RawWebSocket.connect(connectorPort(), {ca});
  open.push(tcp, web);
  for (const client of [tcp, web]) await client.join();
  await talk('both-ways', tcp, web);
});

for (const major of MAJORS) {
  test(`socket.io-client ${major} talks by https polls and then by wss`, async () => {
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      const client = await SocketIo.connect(connectorPort(), {major, scheme: 'https', ca, transports});
      open.push({close: () => client.socket.close()});
      const room = `io-${major}-${transports.join('-')}`;
      await client.ask('enter', {username: room, rid: room});
      await client.ask('send', {rid: room, content: 'hello', target: '*'});
      await client.received('onChat', ({msg}) => msg === 'hello');
      if (transports.length > 1) await until(() => client.transport === 'websocket', 'the change to a WebSocket');
      client.socket.close();
    }
  });
}

test('the client library is sent from a gate with wss to a connector with wss', async () => {
  class Trusting extends WebSocket {
    constructor(url) {
      assert.match(String(url), /^wss:/);
      super(url, {ca});
    }
  }
  const client = new HubbubClient({gate: `wss://localhost:${suite.gatePort}`, WebSocket: Trusting});
  open.push(client);
  await client.connect('ada');
  assert.deepEqual((await client.enter('library')).users, ['ada']);
});

test('the page talks to servers with TLS when it came by https', async () => {
  const browser = await Browser.start();
  try {
    const page = await browser.open(`https://localhost:${suite.gatePort}/`, {ignoreHTTPSErrors: true});
    await page.fill('#user-input', 'bob');
    await page.fill('#room-input', 'secure');
    await page.click('#sign-in-button');
    await page.waitForSelector('#connection[data-state="connected"]', {state: 'attached'});
    await page.fill('#text', 'by wss');
    await page.press('#text', 'Enter');
    await page.locator('.message').filter({has: page.getByText('by wss', {exact: true})}).first().waitFor();
    const servers = await browser.open(`https://localhost:${suite.gatePort}/servers`, {ignoreHTTPSErrors: true});
    await servers.getByText('connector-server-2').first().waitFor();
    await browser.closePages();
  } finally {
    await browser.stop();
  }
});

test('a client without TLS is told to use it, and a probe is answered', async () => {
  for (const port of [suite.gatePort, connectorPort()]) {
    assert.equal((await get(port, '/healthz')).status, 200);
    assert.equal((await get(port, '/healthz', {module: http})).status, 200);
    const plain = await get(port, '/', {module: http});
    assert.equal(plain.status, 400);
    assert.match(plain.body, /This port speaks TLS: use https:\/\//);
    const pomelo = await RawTcp.connect(port);
    open.push(pomelo);
    pomelo.send(handshake());
    await pomelo.ended();
    assert.equal(JSON.parse(pomelo.of(KICK)[0].body).reason, 'tls');
  }
});

// OpenSSL's own client; answers what it has printed.
async function sClient(port, ...options) {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', at('ca.crt'), '-verify_return_error', ...options]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const ended = new Promise((resolve) => child.on('close', resolve));
  // Whole requests, so that the server ends the connection and a ticket has come before.
  child.stdin.on('error', () => {});
  child.stdin.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20000);
  await ended;
  clearTimeout(timer);
  return output;
}

test('openssl s_client sees TLS 1.2 and 1.3, ALPN, good ciphers and nothing older', async () => {
  const port = connectorPort();
  for (const [option, version, cipher] of [['-tls1_2', 'TLSv1.2', /Cipher is ECDHE-ECDSA-AES\d+-GCM/], ['-tls1_3', 'TLSv1.3', /Cipher is TLS_AES/]]) {
    const output = await sClient(port, option, '-alpn', 'http/1.1');
    assert.match(output, new RegExp(`New, ${version}, `));
    assert.match(output, cipher);
    assert.match(output, /ALPN protocol: http\/1\.1/);
    assert.match(output, /Verify return code: 0 \(ok\)|Verification: OK/);
    assert.match(output, /Compression: NONE/);
    assert.match(output, /HTTP\/1\.1 200 OK/);
  }
  for (const options of [['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'], ['-tls1_2', '-cipher', 'AES128-SHA'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'], ['-alpn', 'h2']]) {
    assert.doesNotMatch(await sClient(port, ...options), /HTTP\/1\.1 200 OK/, options.join(' '));
  }
});

test('openssl s_client resumes its session', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    assert.match(await sClient(connectorPort(), version, '-sess_out', at('session.pem')), /New, TLSv1/);
    for (let i = 0; i < 3; ++i) assert.match(await sClient(connectorPort(), version, '-sess_in', at('session.pem')), /Reused, TLSv1/);
  }
});

async function serialOf(port) {
  const output = await sClient(port, '-showcerts');
  const pem = output.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/)[0];
  await writeFile(at('seen.crt'), pem);
  return (await promisify(execFile)('openssl', ['x509', '-in', at('seen.crt'), '-noout', '-serial'])).stdout;
}

test('a certificate that changes while people talk ends no session and loses no message', async () => {
  const room = 'change';
  const port = connectorPort();
  const people = await Promise.all(Array.from({length: 12}, (_, i) =>
    i % 2 ? RawWebSocket.connect(port, {ca}) : RawTcp.connect(port, '127.0.0.1', undefined, {ca})));
  open.push(...people);
  for (const [i, person] of people.entries()) {
    await person.join();
    await person.request(ENTER, {username: `person-${i}`, rid: room});
  }
  const sent = [];
  let talks = true;
  const talking = Promise.all(people.map(async (person, i) => {
    for (let n = 0; talks && n < 100000; ++n) {
      const content = `${i}-${n}`;
      const {offset} = await person.request(SEND, {rid: room, content, target: '*'});
      assert.ok(offset > 0);
      sent.push(content);
    }
  }));
  const first = await serialOf(port);
  await promisify(execFile)(DEV, ['certs', '--out', folder]);
  await until(async () => (await serialOf(port)) !== first, 'the new certificate');
  const count = sent.length;
  await until(() => sent.length > count + 50, 'more messages after the change');

  // One that cannot be used changes nothing.
  const second = await serialOf(port);
  await copyFile(at('server.crt'), at('good.crt'));
  await copyFile(at('ca.crt'), at('wrong.crt'));
  await rename(at('wrong.crt'), at('server.crt'));
  const said = /the certificate has changed and cannot be used, so the one before stays in use: the key in \S+server\.key does not belong to the certificate in \S+server\.crt/g;
  await until(() => suite.connectors[0].log.match(said), 'the line that says what is wrong');
  assert.equal(await serialOf(port), second);
  talks = false;
  await talking;
  assert.equal(suite.connectors[0].log.match(said).length, 1);
  await rename(at('good.crt'), at('server.crt'));
  assert.equal(await serialOf(port), second);

  for (const person of people) {
    assert.ok(!person.closed);
    await until(() => person.pushes('onChat').length >= sent.length, 'every message');
    assert.deepEqual(person.pushes('onChat').map(({msg}) => msg).sort(), [...sent].sort());
  }
});

test('a server does not start with files that cannot be used, and says why in one line', async () => {
  for (const [options, why] of [
    [[`--tls_certificate=${at('server.crt')}`], /--tls_certificate needs --tls_key/],
    [[`--tls_key=${at('server.key')}`], /--tls_key needs --tls_certificate/],
    [[`--tls_certificate=${at('none.crt')}`, `--tls_key=${at('server.key')}`], /none\.crt cannot be read: No such file or directory/],
    [[`--tls_certificate=${at('server.crt')}`, `--tls_key=${at('client.key')}`], /the key in \S+client\.key does not belong to the certificate in \S+server\.crt/],
  ]) {
    for (const program of ['gateway/hubbub-gate', 'connector/hubbub-connector']) {
      const {config, id} = program.includes('gate') ? suite.gate : suite.connectors[0];
      const failed = await promisify(execFile)(join(BIN, program), ['--config', config, '--id', id, ...options]).catch((error) => error);
      assert.equal(failed.code, 2, failed.stderr);
      assert.match(failed.stderr, why);
      assert.equal(failed.stderr.trim().split('\n').length, 1, failed.stderr);
    }
  }
});
