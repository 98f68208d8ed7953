// The operator's view of a running suite: GateService.ListServers, asked by grpcurl, and the page /servers in a real browser
// while servers are halted, drain, end, and leave the directory. Leaves pictures of the page in tests/out.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {after, afterEach, before, test} from 'node:test';

import {Browser, OUT} from './browser.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const DESKTOP = {viewport: {width: 1180, height: 860}};
const PHONE = {viewport: {width: 375, height: 720}, deviceScaleFactor: 2, isMobile: true, hasTouch: true};

let suite;
let browser;
const clients = [];

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 3});
  browser = await Browser.start();
});
afterEach(() => browser?.closePages());
after(async () => {
  await browser?.stop();
  for (const client of clients) client.close();
  await suite?.stop();
});

const url = (path) => `http://127.0.0.1:${suite.gatePort}${path}`;

async function open(options = DESKTOP) {
  const page = await browser.open(url('/servers'), options);
  await page.waitForSelector('#freshness[data-state="connected"]');
  return page;
}

const row = (page, server, state) => page.waitForSelector(`tr[data-server="${server.id}"]${state ? `[data-state="${state}"]` : ''}`);

async function enter(user, room) {
  const client = await new StockClient().connect(suite.gatePort, user);
  clients.push(client);
  await client.enter(user, room);
  return client;
}

// What grpcurl prints of ListServers: fields of no value are left out, and names are the proto file's.
function listServers() {
  const {status, stdout, stderr} = spawnSync('grpcurl', ['-plaintext', `127.0.0.1:${suite.gate.port}`, 'hubbub.gate.v1.GateService/ListServers'],
                                             {encoding: 'utf8'});
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test('ListServers tells of every server what it is and how it does', async () => {
  for (let i = 0; i < 6; ++i) await enter(`user-${i}`, `room-${i}`);
  const kinds = {gate: 'SERVER_KIND_GATE', connector: 'SERVER_KIND_CONNECTOR', chat: 'SERVER_KIND_CHAT'};
  const sum = (servers, kind, field) =>
    servers.filter((server) => server.kind === kinds[kind]).reduce((total, server) => total + (server[field] ?? 0), 0);
  // Each server tells when it finds time to, and counts members once a second.
  const {servers, gate} = await until(() => {
    const list = listServers();
    return sum(list.servers, 'connector', 'sessions') === 6 && sum(list.servers, 'chat', 'members') === 6 &&
      sum(list.servers, 'chat', 'rooms') >= 6 && list.servers.some((server) => server.cpu_load > 0) && list;
  }, () => `sessions, rooms, members and load in ${JSON.stringify(listServers())}`);
  assert.equal(gate, suite.gate.id);
  assert.deepEqual(servers.map(({id}) => id), [suite.gate, ...suite.connectors, ...suite.chats].map(({id}) => id));
  for (const server of [suite.gate, ...suite.connectors, ...suite.chats]) {
    const seen = servers.find(({id}) => id === server.id);
    assert.equal(seen.kind, kinds[server.kind]);
    assert.equal(seen.state, 'SERVER_STATE_READY');
    assert.equal(seen.grpc_address, `127.0.0.1:${server.port}`);
    assert.equal(seen.client_address, server.clientPort && `127.0.0.1:${server.clientPort}`);
    assert.match(seen.version, /^\d+\.\d+\.\d+$/);
  }
});

test('servers.json says the same, and only to GET and HEAD', async () => {
  const response = await fetch(url('/servers.json'));
  assert.equal(response.headers.get('content-type'), 'application/json');
  const {servers, gate} = await response.json();
  assert.equal(gate, suite.gate.id);
  assert.deepEqual(servers.map(({id}) => id), listServers().servers.map(({id}) => id));
  assert.equal((await fetch(url('/servers'), {method: 'HEAD'})).status, 200);
  assert.equal((await fetch(url('/servers.json'), {method: 'POST', body: '{}'})).status, 405);
  for (const path of ['/servers/', '/servers.jsonx', '/servers.txt']) assert.equal((await fetch(url(path))).status, 404, path);
});

test('the page shows every server, on a phone too, and what they do', async () => {
  const [page, phone] = [await open(), await open({...PHONE, colorScheme: 'dark'})];
  for (const one of [page, phone]) {
    for (const server of [suite.gate, ...suite.connectors, ...suite.chats]) await row(one, server, 'ready');
  }
  assert.equal(await page.textContent('#summary'), '6 servers, all ready');
  assert.deepEqual(await page.locator('.kind').allTextContents().then((texts) => texts.map((text) => text.replace(/\d.*/, '').trim())),
                   ['Gates', 'Connectors', 'Chat servers']);
  // Screen readers find a table, and words for each plot.
  const table = page.getByRole('table', {name: 'Every server of the suite, by kind'});
  assert.equal(await table.getByRole('columnheader').count(), 4);
  assert.equal(await table.getByRole('rowheader', {name: suite.chats[0].id}).count(), 1);
  assert.equal(await table.getByRole('img', {name: /^load: between .* and .* in the last 5 minutes$/}).count(), 6);

  await enter('guest', 'room-0');
  await page.waitForFunction(() => document.querySelector('tbody:nth-of-type(2) .kind .count').textContent === '2 servers, 7 sessions');
  // A line needs two samples.
  await page.waitForFunction(() => document.querySelector('.load .spark path:last-child').getAttribute('d').includes('L'));
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
  await page.screenshot({path: `${OUT}servers.png`, fullPage: true});
  await phone.screenshot({path: `${OUT}servers-phone.png`, fullPage: true});
});

test('a name is text, whatever it is', async () => {
  const page = await open();
  const name = '<img src=x onerror=document.title=1>';
  await page.route('**/servers.json', async (route) => {
    const list = await (await route.fetch()).json();
    list.servers[0].id = name;
    list.servers[0].version = name;
    await route.fulfill({json: list});
  });
  await page.waitForFunction((wanted) => document.querySelector('.id').textContent === wanted, name);
  assert.equal(await page.locator('#servers img').count(), 0);
});

test('a server that hangs cannot be reached, and holds nothing up', async () => {
  const page = await open();
  const [hangs, other] = suite.connectors;
  await row(page, hangs, 'ready');
  hangs.halt();
  await row(page, hangs, 'unreachable');
  await row(page, other, 'ready');
  const seen = listServers().servers.find(({id}) => id === hangs.id);
  assert.equal(seen.state, 'SERVER_STATE_UNREACHABLE');
  assert.equal(seen.sessions, undefined);
  assert.equal(await page.textContent(`tr[data-server="${hangs.id}"] .use .value`), '–');
  hangs.goOn();
  await row(page, hangs, 'ready');
});

test('a server that drains, one that ends and one that is taken out are seen', async () => {
  const page = await open();
  const [stays, drains, ends] = suite.chats;
  for (const server of suite.chats) await row(page, server, 'ready');

  await ends.stop();
  await row(page, ends, 'unreachable');
  assert.match(await page.textContent('#summary'), /6 servers, 1 unreachable/);
  await page.waitForFunction((id) => document.getElementById('news').textContent.includes(`${id} is unreachable.`), ends.id);

  // A chat server that gives rooms to one that is halted drains for as long as it waits for that.
  for (let i = 0; i < 8; ++i) await enter(`late-${i}`, `late-room-${i}`);
  await until(() => listServers().servers.find(({id}) => id === drains.id).rooms > 0, 'it has rooms to give away');
  stays.halt();
  const ended = drains.stop();
  await row(page, drains, 'draining');
  await page.screenshot({path: `${OUT}servers-draining.png`, fullPage: true});
  stays.goOn();
  await ended;
  await row(page, drains, 'unreachable');
  assert.equal(listServers().servers.find(({id}) => id === drains.id).state, 'SERVER_STATE_UNREACHABLE');

  await suite.remove(ends);
  await page.waitForSelector(`tr[data-server="${ends.id}"]`, {state: 'detached'});
  await drains.start();
  await row(page, drains, 'ready');
  await row(page, stays, 'ready');
});

test('a gate that does not answer any more is said so', async () => {
  // The browser writes a line for each answer that is none; the page itself has no error.
  const page = await open({...DESKTOP, ignore: /503/});
  await page.route('**/servers.json', (route) => route.fulfill({status: 503, body: ''}));
  await page.waitForSelector('#freshness[data-state="lost"]');
  assert.equal(await page.textContent('#news'), 'The gate does not answer.');
  assert.match(await page.textContent('#freshness-text'), /^No answer from the gate since \d\d:\d\d:\d\d$/);
  await page.unroute('**/servers.json');
  await page.waitForSelector('#freshness[data-state="connected"]');
});
