// deploy/suite.py, the launcher behind ./dev run, with the real servers: what dies is started again, and servers.json is followed.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, readdirSync} from 'node:fs';
import {mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, afterEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {RawTcp} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {freePorts} from './suite.mjs';
import {until} from './wait.mjs';

const SUITE = fileURLToPath(new URL('../../deploy/suite.py', import.meta.url));
const BIN = process.env.HUBBUB_BIN ?? fileURLToPath(new URL('../../build/dev', import.meta.url));
const START_MS = 60000;

const folder = await mkdtemp(join(tmpdir(), 'hubbub-launcher-'));
const config = join(folder, 'servers.json');
after(() => rm(folder, {recursive: true, force: true}));

async function write(servers) {
  await writeFile(`${config}.new`, typeof servers === 'string' ? servers : JSON.stringify({development: servers}));
  await rename(`${config}.new`, config);
}

async function servers({chats = 2, connectors = 2} = {}) {
  const ports = await freePorts(2 + 2 * connectors + chats);
  const front = (id) => ({id, host: '127.0.0.1', port: ports.pop(), clientPort: ports.pop(), frontend: true});
  return {
    chat: Array.from({length: chats}, (_, i) => ({id: `chat-${i + 1}`, host: '127.0.0.1', port: ports.pop()})),
    connector: Array.from({length: connectors}, (_, i) => front(`connector-${i + 1}`)),
    gate: [front('gate-1')],
  };
}

// The processes that run with this folder's servers.json: {id: pid}.
function running() {
  const found = {};
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words[0].startsWith(BIN) && words.includes(config)) found[words[words.indexOf('--id') + 1]] = Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

let launcher;

async function launch() {
  launcher = {log: '', out: ''};
  launcher.process = spawn('python3', [SUITE, '--bin', BIN, '--config', config, '--data', join(folder, 'data')], {stdio: ['ignore', 'pipe', 'pipe']});
  launcher.process.stdout.on('data', (text) => (launcher.out += text));
  launcher.process.stderr.on('data', (text) => (launcher.log += text));
  launcher.ended = once(launcher.process, 'close').then(([code, signal]) => (launcher.how = signal ?? code));
  await until(() => launcher.out.includes('The chat page is at') || launcher.how !== undefined,
              () => `the suite to be up; it says:\n${launcher.out}${launcher.log}`, START_MS);
}

async function stop() {
  launcher.process.kill('SIGINT');
  await launcher.ended;
  assert.equal(launcher.how, 0, launcher.log);
  assert.deepEqual(running(), {});
}

afterEach(async () => {
  if (launcher && launcher.how === undefined) {
    launcher.process.kill('SIGKILL');
    await launcher.ended;
  }
});

const readies = (id) => launcher.out.split('\n').filter((line) => line.startsWith(`ready id=${id} `)).length;

// A client that is let in, and whose message comes back.
async function chats(gate, name, room) {
  const client = new StockClient();
  try {
    await client.connect(gate.clientPort, name);
    assert.ok((await client.enter(name, room)).users);
    await client.send(room, 'hello');
    await until(() => client.pushes.onChat.some(({msg}) => msg === 'hello'), 'the message');
  } finally {
    client.close();
  }
}

test('a start and a stop warn of no server that is not there yet, or not any more', async () => {
  const all = await servers();
  await write(all);
  await launch();
  await chats(all.gate[0], 'ann', 'lobby');
  await stop();
  assert.match(launcher.out, /all servers have ended cleanly/);
  // Of peers that were not there yet, or not any more.
  const warnings = launcher.log.split('\n').filter((line) => / (warning|error) .*(reached|trying again|ended)/.test(line));
  assert.deepEqual(warnings, []);
  assert.doesNotMatch(launcher.log, /^suite:/m);
});

test('whatever is killed is started again, and serves', async () => {
  const all = await servers();
  await write(all);
  await launch();
  for (const id of ['chat-1', 'connector-1', 'connector-2', 'gate-1']) {
    process.kill(running()[id], 'SIGKILL');
    await until(() => readies(id) === 2, `${id} to be started again`, START_MS);
    assert.match(launcher.log, new RegExp(`^suite: ${id} was ended by SIGKILL \\(9\\) after \\d+ s; it is started again in 0\\.5 s$`, 'm'));
  }
  // The gate hears of the connectors in a moment.
  await until(async () => chats(all.gate[0], 'ann', 'attic').then(() => true, () => false), 'a client to chat', START_MS);
  await stop();
});

test('lines that come into servers.json start servers, and lines that go drain them', async () => {
  const all = await servers({chats: 1, connectors: 1});
  await write(all);
  await launch();
  const more = await servers({chats: 2, connectors: 2});
  await write({...all, chat: [all.chat[0], more.chat[1]], connector: [all.connector[0], more.connector[1]]});
  await until(() => readies('chat-2') === 1 && readies('connector-2') === 1, 'the new servers', START_MS);

  const guest = await RawTcp.connect(more.connector[1].clientPort);
  await guest.join();
  await until(async () => (await guest.request('connector.entryHandler.enter', {username: 'bob', rid: 'lobby'})).users, 'bob to be in');
  await write(all);
  await until(() => !running()['chat-2'] && !running()['connector-2'], 'what was taken out to end', START_MS);
  await until(() => /connector-2 ended with exit code 0/.test(launcher.log) && /chat-2 ended with exit code 0/.test(launcher.log),
              'the launcher to say so');
  assert.deepEqual(Object.keys(running()).sort(), ['chat-1', 'connector-1', 'gate-1']);
  guest.close();

  // One that moves to another port.
  await write({...all, connector: [{...all.connector[0], clientPort: more.connector[0].clientPort}]});
  await until(() => readies('connector-1') === 2, 'the connector at its new port', START_MS);
  const moved = await RawTcp.connect(more.connector[0].clientPort);
  await moved.join();
  moved.close();
  await stop();
});

test('a servers.json that is wrong changes nothing and is said once', async () => {
  const all = await servers({chats: 1, connectors: 1});
  await write(all);
  await launch();
  const before = running();
  await write('{"development": {');
  await until(() => launcher.log.includes('is wrong now'), 'the launcher to notice');
  await chats(all.gate[0], 'ann', 'lobby');
  await write(all);
  await until(() => launcher.log.includes('is right again'), 'the launcher to notice');
  assert.equal(launcher.log.match(/suite: \S+ is wrong now/g).length, 1);
  assert.deepEqual(running(), before);
  await stop();
});

test('the servers end when the launcher is killed', async () => {
  await write(await servers({chats: 1, connectors: 1}));
  await launch();
  assert.equal(Object.keys(running()).length, 3);
  launcher.process.kill('SIGKILL');
  await launcher.ended;
  await until(() => Object.keys(running()).length === 0, 'the servers to end');
});

test('a port that is taken ends the first start with its reason', async () => {
  const all = await servers({chats: 1, connectors: 1});
  const other = net.createServer().listen(all.connector[0].port, '127.0.0.1');
  await once(other, 'listening');
  try {
    await write(all);
    await launch();
    await launcher.ended;
  } finally {
    other.close();
  }
  assert.equal(launcher.how, 1);
  assert.match(launcher.log, new RegExp(`hubbub-connector: .*${all.connector[0].port}.*another program has this port`));
  assert.match(launcher.log, /^suite: connector-1 could not start: it ended with exit code 2, and its own lines above say why$/m);
  assert.deepEqual(running(), {});
});
