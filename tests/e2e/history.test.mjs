// What rooms keep: messages outlive all chat servers, members scroll back, back ends list, copy and delete.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {after, afterEach, before, test} from 'node:test';

import {Postgres} from './postgres.mjs';
import {StockClient} from './stock_client.mjs';
import {freePorts, programOf, Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
let clients = [];

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
});
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});
after(async () => {
  await suite?.stop();
});

async function enter(user, room, point) {
  const client = await new StockClient().connect(suite.gatePort, user);
  clients.push(client);
  client.entered = await client.enter(user, room, point);
  return client;
}

const say = (client, rid, content, more = {}) => client.request('chat.chatHandler.send', {rid, content, target: '*', ...more});
const past = (client, body) => client.request('chat.chatHandler.history', body);

// The messages that grpcurl prints, one after the other.
function backEnd(method, request, server = suite.chats[0]) {
  const {status, stdout, stderr} = spawnSync(
    'grpcurl', ['-plaintext', '-max-time', '10', '-d', JSON.stringify(request), `127.0.0.1:${server.port}`, `hubbub.chat.v1.HistoryService/${method}`],
    {encoding: 'utf8'});
  return {status, stderr, answers: stdout.split(/^(?=\{)/m).filter(Boolean).map((text) => JSON.parse(text))};
}

test('a member looks back page by page, and nobody else does', async () => {
  const ada = await enter('ada', 'pages');
  for (let i = 1; i <= 25; ++i) await say(ada, 'pages', `${i}`);
  await say(ada, 'pages', 'for bob alone', {target: 'ada'});
  const bob = await enter('bob', 'pages');
  const seen = [];
  let before = 0;
  do {
    const page = await past(bob, {rid: 'pages', before, limit: 10});
    assert.equal(page.code, 200);
    assert.ok(page.events.length <= 10);
    for (const {route, rid, target} of page.events) assert.deepEqual([route, rid, target], ['onChat', 'pages', '*']);
    seen.unshift(...page.events.map(({msg}) => msg));
    before = page.next;
  } while (before);
  assert.deepEqual(seen, Array.from({length: 25}, (_, i) => `${i + 1}`));
  assert.equal((await past(bob, {rid: 'elsewhere'})).code, 403);
  assert.equal((await past(bob, {rid: 'pages', before: -1})).code, 400);
  assert.equal((await past(bob, {rid: 'pages', limit: 'many'})).code, 400);
});

test('a page is never more than a client can read', async () => {
  const ada = await enter('ada', 'long');
  for (let i = 0; i < 12; ++i) await say(ada, 'long', `${i} ${'x'.repeat(8_000)}`);
  const seen = [];
  for (let before = 0, pages = 0; pages < 12; ++pages) {
    const page = await past(ada, {rid: 'long', before});
    assert.ok(JSON.stringify(page).length < 64_000);
    seen.unshift(...page.events.map(({msg}) => Number.parseInt(msg, 10)));
    before = page.next;
    if (!before) break;
  }
  assert.deepEqual(seen, Array.from({length: 12}, (_, i) => i));
});

test('what was acknowledged outlives all chat servers', async () => {
  const ada = await enter('ada', 'lasting');
  const answers = [];
  for (let i = 0; i < 40; ++i) answers.push(await say(ada, 'lasting', `${i}`, {id: `n-${i}`}));
  await Promise.all(suite.chats.map((server) => server.stop('SIGKILL')));
  ada.close();
  await Promise.all(suite.chats.map((server) => server.start()));
  const bob = await until(() => enter('bob', 'lasting', {epoch: answers[0].epoch, offset: answers[9].offset}), 'bob to enter');
  assert.equal(bob.entered.recovered, true);
  assert.deepEqual(bob.entered.events.map(({msg}) => msg), Array.from({length: 30}, (_, i) => `${i + 10}`));
  const again = await enter('ada', 'lasting');
  assert.deepEqual(await say(again, 'lasting', '39', {id: 'n-39'}), answers[39], 'it is known by its id');
  assert.deepEqual((await past(bob, {rid: 'lasting', limit: 3})).events.map(({msg}) => msg), ['37', '38', '39']);
});

test('a back end lists, copies and deletes at any chat server', async () => {
  const ada = await enter('ada', 'kept');
  for (let i = 1; i <= 300; ++i) await say(ada, 'kept', `${i}`);
  for (const server of suite.chats) {
    const list = backEnd('ListEvents', {room: 'kept', page_size: 2}, server);
    assert.equal(list.status, 0, list.stderr);
    assert.deepEqual(list.answers[0].events.map(({message}) => message.content), ['299', '300']);
    assert.equal(list.answers[0].next_before, '299');
    const copy = backEnd('ExportEvents', {room: 'kept', after: 10}, server);
    assert.equal(copy.status, 0, copy.stderr);
    assert.deepEqual(copy.answers.map(({message}) => message.content), Array.from({length: 290}, (_, i) => `${i + 11}`));
  }
  for (const [i, server] of suite.chats.entries()) {
    const deleted = backEnd('DeleteRoom', {room: 'kept'}, server);
    assert.equal(deleted.status, 0, deleted.stderr);
    assert.equal(deleted.answers[0].offset, `${300 + i}`, 'whichever of them owns the room');
    assert.deepEqual((await past(ada, {rid: 'kept'})).events, []);
    assert.deepEqual(backEnd('ExportEvents', {room: 'kept'}, server).answers, []);
    const {offset} = await say(ada, 'kept', 'anew');
    assert.equal(offset, 301 + i, 'offsets go on');
  }
  const bob = await enter('bob', 'kept', {epoch: ada.entered.epoch, offset: 290});
  assert.equal(bob.entered.recovered, false, 'what was deleted is not told');
  const wrong = backEnd('ListEvents', {room: ''});
  assert.notEqual(wrong.status, 0);
  assert.match(wrong.stderr, /room/);
});

test('a message that was deleted is known when it is repeated, also when its chat server was lost between', async () => {
  const ada = await enter('ada', 'forgotten');
  const answers = [];
  for (const target of ['*', 'ada']) answers.push(await say(ada, 'forgotten', 'a secret', {target, id: `to ${target}`}));
  assert.equal(backEnd('DeleteRoom', {room: 'forgotten'}).status, 0);
  // The text goes at once, and what knows the message stays.
  const file = suite.chats[0].flags.find((flag) => flag.startsWith('--store=')).slice('--store=sqlite:'.length);
  const rows = (what) => spawnSync('sqlite3', ['-readonly', file, `SELECT ${what} FROM events WHERE room = 'forgotten'`], {encoding: 'utf8'}).stdout.trim();
  await until(() => rows('count(*), sum(length(content)), max(target)') === '2|0|', () => `the text to be deleted: ${rows('*')}`);
  await Promise.all(suite.chats.map((server) => server.stop('SIGKILL')));
  ada.close();
  await Promise.all(suite.chats.map((server) => server.start()));
  const again = await until(() => enter('ada', 'forgotten'), 'ada to enter');
  assert.equal(again.entered.offset, 2);
  for (const [i, target] of ['*', 'ada'].entries())
    assert.deepEqual(await say(again, 'forgotten', 'a secret', {target, id: `to ${target}`}), answers[i]);
  assert.deepEqual((await past(again, {rid: 'forgotten'})).events, []);
});

test('a suite moves from SQLite to PostgreSQL, and nobody misses anything', async () => {
  const ada = await enter('ada', 'moving');
  const {epoch, offset} = await say(ada, 'moving', 'one');
  for (const text of ['two', 'three']) await say(ada, 'moving', text);
  ada.close();
  const [from] = suite.chats[0].flags.filter((flag) => flag.startsWith('--store=')).map((flag) => flag.slice('--store='.length));
  const postgres = await Postgres.start((await freePorts(1))[0]);
  const copy = (source, target) => spawnSync(programOf('chat'), [`--copy_from=${source}`, `--store=${target}`], {encoding: 'utf8'});
  try {
    const early = copy(from, postgres.url());
    assert.equal(early.status, 2);
    assert.match(early.stderr, /chat server "chat-server-\d" at 127\.0\.0\.1:\d+ uses sqlite:.*: stop all chat servers first/);
    await Promise.all(suite.chats.map((server) => server.stop()));
    const copied = copy(from, postgres.url());
    assert.equal(copied.status, 0, copied.stderr);
    assert.match(copied.stdout, /^copied \d+ messages of \d+ rooms from sqlite:\S+ to postgres:\S+\n$/);
    for (const server of suite.chats) server.flags.push(`--store=${postgres.url()}`);
    await Promise.all(suite.chats.map((server) => server.start()));
    const bob = await until(() => enter('bob', 'moving', {epoch, offset}), 'bob to enter');
    assert.equal(bob.entered.recovered, true);
    assert.deepEqual(bob.entered.events.map(({msg}) => msg), ['two', 'three']);
    assert.equal((await say(bob, 'moving', 'four')).offset, offset + 3);
    for (const [source, target, why] of [[`sqlite:${suite.folder}/none.db`, postgres.url(), /none\.db is not there/],
                                         ['mysql://x', postgres.url(), /--copy_from: /], [from, 'memory:', /--store must name the store to copy to/]]) {
      const {status, stderr} = copy(source, target);
      assert.equal(status, 2, stderr);
      assert.match(stderr, why);
    }
  } finally {
    await Promise.all(suite.chats.map((server) => server.stop()));
    await postgres.remove();
  }
});
