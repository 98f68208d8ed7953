// Which pages of the web may use a suite, by what browsers say of them, and by which names a suite knows itself.
import assert from 'node:assert/strict';
import {request} from 'node:http';
import {after, before, test} from 'node:test';

import WebSocket from 'ws';

import {Suite} from './suite.mjs';

let suite;

before(async () => {
  const flags = ['--allowed_origins=https://chat.example.com'];
  suite = await Suite.start({flags: {gate: flags, connector: flags}});
});
after(() => suite?.stop());

// The status of an attempt to open a WebSocket; 101 if it opens.
function upgrade(port, headers) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {headers});
  return new Promise((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => {});
  }).finally(() => socket.terminate());
}

// The status and the headers of a page.
function get(port, path, headers) {
  return new Promise((resolve, reject) => {
    request({host: '127.0.0.1', port, path, headers, agent: false}, (response) => {
      response.resume();
      resolve({status: response.statusCode, headers: response.headers});
    }).on('error', reject).end();
  });
}

const UPGRADES = [
  ['a client that is no browser', {}, 101],
  ['the suite\'s own page', {Origin: 'http://127.0.0.1:1'}, 101],
  ['an app of the user\'s machine', {Origin: 'capacitor://localhost'}, 101],
  ['a page that is listed', {Origin: 'https://chat.example.com'}, 101],
  ['a page of another site', {Origin: 'https://evil.example'}, 403],
  ['a page without an origin', {Origin: 'null'}, 403],
  ['a page that came by a name that a stranger has pointed here', {Origin: 'http://evil.example', Host: 'evil.example'}, 403],
];
for (const [who, headers, status] of UPGRADES) {
  test(`a WebSocket of ${who} is answered with ${status}`, async () => {
    for (const port of [suite.gatePort, suite.connectors[0].clientPort]) assert.equal(await upgrade(port, headers), status);
  });
}

test('the pages of the gate are served by names that it knows', async () => {
  for (const path of ['/', '/servers', '/servers.json']) {
    for (const Host of ['127.0.0.1', 'localhost', 'gate:3014', '[::1]:3014', 'chat.example.com']) {
      assert.equal((await get(suite.gatePort, path, {Host})).status, 200, `${path} at ${Host}`);
    }
    assert.equal((await get(suite.gatePort, path, {Host: 'evil.example'})).status, 421, path);
  }
});

test('probes are answered by any name', async () => {
  assert.equal((await get(suite.gatePort, '/healthz', {Host: 'hubbub-gate.hubbub.svc'})).status, 200);
});

test('a page that may use the suite may read its answers, and no other page', async () => {
  const readable = async (Origin) => (await get(suite.gatePort, '/hubbub-client.js', {Origin})).headers['access-control-allow-origin'];
  assert.equal(await readable('https://chat.example.com'), 'https://chat.example.com');
  assert.equal(await readable('https://evil.example'), undefined);
});

test('an origin that is none ends the start with a sentence', async () => {
  await assert.rejects(Suite.start({flags: {gate: ['--allowed_origins=chat.example.com']}}), /--allowed_origins: 'chat.example.com' is no origin/);
});
