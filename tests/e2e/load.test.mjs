// The load generator against a whole suite: it finds no fault where there is none, and says what is wrong where there is.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {Suite} from './suite.mjs';

const BIN = process.env.HUBBUB_BIN ?? fileURLToPath(new URL('../../build/dev', import.meta.url));
const SHORT = ['--quiet', '--warmup', '0.2', '--seconds', '1', '--drain', '60', '--connect_within', '60'];

// {code, output} of hubbub-load.
function load(...flags) {
  const child = spawn(join(BIN, 'bench/hubbub-load'), flags);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return new Promise((done) => child.on('close', (code) => done({code, output})));
}

let suite;
let folder;
let gate;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hubbub-load-'));
  // A window that is kept full must not meet the limit on a session's requests.
  suite = await Suite.start({connectors: 2, chats: 2, flags: {connector: ['--max_requests_per_second=100000']}});
  gate = ['--gate', `127.0.0.1:${suite.gatePort}`];
});

after(async () => {
  await suite?.stop();
  rmSync(folder, {recursive: true, force: true});
});

for (const client of ['js-websocket', 'hubbub-web']) {
  test(`every delivery to ${client} is found, once and in order`, async () => {
    const json = join(folder, `${client}.json`);
    const servers = [...suite.connectors, ...suite.chats].map((server) => `${server.id}=${server.process.pid}`).join(',');
    const {code, output} = await load(...gate, ...SHORT, '--clients', '30', '--rooms', '3', '--senders', '2', '--client', client,
                                      '--servers', servers, '--json', json);
    assert.equal(code, 0, output);
    assert.match(output, /each once and in order/);
    const result = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(result.ok, true);
    assert.equal(result.connect.enter_us.count, 30);
    // More than the first windows: what arrives lets further sends go.
    assert.ok(result.checked.sent > 3 * 2 * 8, JSON.stringify(result));
    assert.equal(result.checked.arrived, result.checked.sent * 10);
    assert.deepEqual(Object.keys(result.servers), [...suite.connectors, ...suite.chats].map(({id}) => id));
    assert.ok(result.server_cpu_seconds > 0, JSON.stringify(result));
  });
}

test('sends go by the clock if there is a rate', async () => {
  const json = join(folder, 'rate.json');
  const {code, output} = await load(...gate, ...SHORT, '--scenario', 'calm', '--clients', '30', '--rate', '100', '--json', json);
  assert.equal(code, 0, output);
  assert.equal(JSON.parse(readFileSync(json, 'utf8')).checked.sent, 120);
});

test('the bench reports a mistake of its user in one line', async () => {
  for (const [flags, code, message] of [
    [['--gate', '192.0.2.1:3014'], 2, /192\.0\.2\.1 is not of this machine/],
    [['--scenario', 'party'], 2, /there is no scenario 'party'/],
    [[...gate, '--json', join(folder, 'no/such/folder')], 2, /cannot be written/],
    [[...gate, '--quiet', '--servers', `gone=${2 ** 30}`], 1, /the server gone .* does not run any more/],
    // A chat server's port: something listens, but no gate.
    [['--quiet', '--gate', `127.0.0.1:${suite.chats[0].port}`], 1, /could not sign in/],
  ]) {
    const ended = await load(...flags);
    assert.equal(ended.code, code, ended.output);
    assert.match(ended.output, message);
    assert.equal(ended.output.trim().split('\n').length, 1, ended.output);
  }
});
