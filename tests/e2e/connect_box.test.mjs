// The programs that the chat page offers for copying: each is run as it stands, against a suite.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {Browser} from './browser.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const HEARD = 'ann: Hello\n';
const RUN_MS = 20000;
const WEB = new URL('../../gateway/web/', import.meta.url);
const PYTHON = fileURLToPath(new URL('../../.cache/e2e-venv/bin/python', import.meta.url));
const {samplesFor} = await import(`data:text/javascript,${encodeURIComponent(await readFile(new URL('samples.js', WEB), 'utf8'))}`);

let suite;
let folder;
let samples;

before(async () => {
  // Each program is ann, and ends without a word.
  suite = await Suite.start({flags: {chat: ['--connector_grace=50ms']}});
  samples = new Map(samplesFor(new URL(`http://127.0.0.1:${suite.gatePort}/`)).map(({name, code}) => [name, code]));
  // Where the programs find their packages by the names that they have in registries.
  folder = await mkdtemp(join(tmpdir(), 'hubbub-samples-'));
  const modules = fileURLToPath(new URL('node_modules/', import.meta.url));
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(modules, 'socket.io-client-4'), join(folder, 'node_modules', 'socket.io-client'));
  await symlink(join(modules, 'ws'), join(folder, 'node_modules', 'ws'));
  await copyFile(new URL('hubbub-client.js', WEB), join(folder, 'hubbub-client.js'));
  await writeFile(join(folder, 'browser.js'), 'import {WebSocket} from \'ws\';\nglobalThis.WebSocket = WebSocket;\n');
});
after(async () => {
  await suite?.stop();
  if (folder) await rm(folder, {recursive: true});
});

// Runs it until it has printed what it is to hear.
async function run(program, args) {
  const child = execFile(program, args, {cwd: folder, timeout: RUN_MS});
  let out = '';
  let log = '';
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (log += text));
  try {
    await until(() => out === HEARD || (child.exitCode !== null && out !== HEARD), () => `${HEARD}; it says ${out}${log}`);
    assert.equal(out, HEARD, log);
  } finally {
    child.kill('SIGKILL');
  }
}

test('Hubbub\'s own library', async () => {
  // A browser imports it by its address, and has a WebSocket of its own.
  const code = samples.get('Hubbub\'s own library').replace(/'http:[^']*\/hubbub-client.js'/, '\'./hubbub-client.js\'');
  await writeFile(join(folder, 'library.js'), `import './browser.js';\n${code}`);
  await run(process.execPath, ['library.js']);
});

test('Socket.IO, JavaScript', async () => {
  await writeFile(join(folder, 'socketio.js'), samples.get('Socket.IO, JavaScript'));
  await run(process.execPath, ['socketio.js']);
});

test('Socket.IO, Python', async () => {
  await writeFile(join(folder, 'sample.py'), samples.get('Socket.IO, Python'));
  await run(PYTHON, ['sample.py']);
});

test('Pomelo, JavaScript', async () => {
  const client = new StockClient();
  let out = '';
  new Function('pomelo', 'console', samples.get('Pomelo, JavaScript'))(client.pomelo, {log: (text) => (out += `${text}\n`)});
  try {
    await until(() => out === HEARD, () => `${HEARD}; it says ${out}`);
  } finally {
    client.close();
  }
});

test('the page offers them, with its own address in them', async () => {
  const browser = await Browser.start();
  try {
    const page = await browser.open(`http://127.0.0.1:${suite.gatePort}/`);
    await page.click('.connect-box summary');
    for (const [name, code] of samples) {
      await page.selectOption('#connect-kind', {label: name});
      assert.equal(await page.textContent('#connect-code'), code);
    }
    await page.click('#connect-copy');
    await page.waitForFunction(() => document.getElementById('connect-copy').textContent !== 'Copy');
  } finally {
    await browser.stop();
  }
});

test('behind TLS they speak TLS, and Pomelo\'s client, which cannot, is not offered', () => {
  const secure = samplesFor(new URL('https://chat.example.com/'));
  assert.equal(secure.some(({name}) => name.startsWith('Pomelo')), false);
  for (const {code} of secure) assert.doesNotMatch(code, /http:|ws:/);
});
