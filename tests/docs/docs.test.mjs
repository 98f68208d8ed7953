// Runs the commands that the docs show, as they stand there: on the suite's default ports, with the release build, as a
// newcomer would. Every `sh` block's every line is either run here or named below with who runs it, and a line that is
// neither fails the test.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {StockClient} from '../e2e/stock_client.mjs';
import {until} from '../e2e/wait.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

const blocks = (text, language) =>
  [...text.matchAll(new RegExp('(?:<!-- docs-test: (\\S+) -->\\n)?```' + language + '\\n([\\s\\S]*?)```', 'g'))]
    .map(([, name, code]) => ({name, code}));
const commands = (text) =>
  blocks(text, 'sh').flatMap(({code}) => code.split('\n')).map((line) => line.replace(/\s+#.*$/, '').trim()).filter(Boolean);

// These are what runs this test, directly or one step before it.
const runByCi = new Set([
  './dev test', './dev build dev', './dev lint', './dev fuzz 10', './dev containers',
  './dev cluster short',  // Where its programs are.
  'go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1', 'go install github.com/bojand/ghz/cmd/ghz@v0.120.0',
]);
// A container runtime and a cluster are not everywhere: tests/deploy checks what these read, field by field and flag by flag.
const checkedByDeploy = new Set([
  './dev image', 'docker compose -f deploy/compose.yaml up', 'kubectl apply -k deploy/kubernetes/overlays/one-node',
  'helm install hubbub deploy/helm/hubbub',
]);
const ran = new Set();

function start(command, options = {}) {
  const child = spawn('bash', ['-c', command], {cwd: root, ...options});
  const process = {child, output: ''};
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (process.output += data));
  process.ended = new Promise((done) => child.on('close', (code) => done(code)));
  return process;
}

// Runs a line of the docs to its end; the exit code must be 0.
async function run(command, deadlineMs = 120_000) {
  ran.add(command);
  const process = start(command);
  const timer = setTimeout(() => process.child.kill('SIGKILL'), deadlineMs);
  const code = await process.ended;
  clearTimeout(timer);
  assert.equal(code, 0, `${command}\n${process.output}`);
  return process.output;
}

let suite;

before(async () => {
  ran.add('./dev run');
  // In a group of its own, so that Ctrl-C's signal can be sent to it as a terminal would.
  suite = start('exec ./dev run', {detached: true});
  await until(() => suite.output.includes('The chat page is at') || suite.child.exitCode !== null, 'the suite', 1_800_000);
  assert.match(suite.output, /The chat page is at http:\/\/127\.0\.0\.1:3014\//, suite.output);
});

// An interrupted test must not leave a suite running on the default ports.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    if (suite?.child.exitCode === null) process.kill(-suite.child.pid, 'SIGINT');
    process.exit(1);
  });
}

after(async () => {
  process.kill(-suite.child.pid, 'SIGINT');
  assert.equal(await suite.ended, 0, suite.output);
  assert.match(suite.output, /all servers have ended cleanly/);
});

test('the page is where the README says', async () => {
  const page = await fetch('http://127.0.0.1:3014/');
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>.*Hubbub/);
  const servers = readme.match(/<(http:\/\/127\.0\.0\.1:3014\/servers)>/)[1];
  assert.match(await (await fetch(servers)).text(), /<title>Servers/);
  assert.ok(suite.output.includes(servers), 'the suite prints it');
});

test('the stock client chats with the lines of the README', async () => {
  const [{code}] = blocks(readme, 'js');
  const printed = [];
  const client = new StockClient();
  new Function('pomelo', 'console', code)(client.pomelo, {log: (...words) => printed.push(words.join(' '))});
  await until(() => printed.includes('alice hello'), 'the message that alice sent to all');
  client.close();
});

test('grpcurl and ghz do what the README says', async () => {
  for (const command of commands(readme).filter((line) => /^(grpcurl|ghz) /.test(line))) {
    const output = await run(command);
    if (command.endsWith(' list')) assert.match(output, /hubbub\.chat\.v1\.ChatService/);
    if (command.includes(' describe ')) assert.match(output, /rpc Send/);
    if (command.includes('ChatService/Send') && command.startsWith('grpcurl')) assert.match(output, /"offset"/);
    if (command.endsWith('GetRoom')) assert.match(output, /"room": "lobby"/);
    if (command.endsWith('ListServers')) assert.equal(output.match(/SERVER_STATE_READY/g).length, 7);
    if (command.startsWith('ghz')) {
      assert.match(output, /\[OK\]\s+2000 responses/);
      assert.doesNotMatch(output, /Error distribution/);
    }
  }
});

test('the certificates that the README makes are good', async () => {
  const [command] = commands(readme).filter((line) => line.startsWith('./dev certs '));
  await run(command);
  const check = 'openssl verify -CAfile deploy/secrets/ca.crt -verify_hostname chat.example.com deploy/secrets/server.crt';
  const {output, ended} = start(check);
  assert.equal(await ended, 0, output);
});

test('the load generator loads the suite with the lines of the README', async () => {
  for (const command of commands(readme).filter((line) => line.includes('hubbub-load'))) {
    const output = await run(command);
    assert.match(output, command.includes('--help') ? /--scenario NAME/ : /each once and in order/);
  }
});

test('a back end in another language sends into a room with the lines of the README', async () => {
  const example = blocks(readme, 'js').find(({name}) => name === 'backend.mjs');
  const listener = new StockClient();
  await listener.connect(3014, 'bob');
  await listener.enter('bob', 'lobby');

  // As a user would have it: a folder with the packages installed and the contracts copied.
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-docs-'));
  try {
    symlinkSync(join(root, 'tests/e2e/node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(root, 'proto'), join(folder, 'proto'));
    writeFileSync(join(folder, 'backend.mjs'), example.code);
    assert.ok(example.code.trim().split('\n').length <= 15, 'the README promises few lines');
    const output = await new Promise((done, fail) => {
      const child = start('node backend.mjs', {cwd: folder});
      child.ended.then((code) => (code === 0 ? done(child.output) : fail(new Error(child.output))));
    });
    assert.match(output, /offset \d+, for 1 users/);
    await until(() => listener.pushes.onChat.some(({from, msg}) => from === 'weather' && msg === 'It rains.'), 'the message');
  } finally {
    rmSync(folder, {recursive: true});
    listener.close();
  }
});

test('a suite whose ports are in use says so and ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-docs-'));
  const second = start(`./dev run --data ${folder}`);
  assert.equal(await second.ended, 1);
  assert.match(second.output, /hubbub-chat: .*605\d.*another program has this port/);
  rmSync(folder, {recursive: true});
});

test('a port that is in use is one clear line', async () => {
  const second = start('build/release/gateway/hubbub-gate --id gate-server-1 --config deploy/servers.json');
  assert.equal(await second.ended, 2);
  assert.equal(second.output.trim().split('\n').length, 1, second.output);
  assert.match(second.output, /3014.*another program has this port/);
});

test('the commands of CONTRIBUTING.md work', {timeout: 1_800_000}, async () => {
  for (const command of [...commands(contributing), './dev help']) {
    if (runByCi.has(command) || checkedByDeploy.has(command)) continue;
    await run(command, 1_700_000);
  }
});

test('every command of the docs is run by something', () => {
  for (const text of [readme, contributing]) {
    for (const command of commands(text)) {
      assert.ok(ran.has(command) || runByCi.has(command) || checkedByDeploy.has(command), `nothing runs: ${command}`);
    }
  }
});
