// Whose a name is after a connection, a connector or a whole run of one has ended: nobody is locked out, and nobody else gets it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {KICK, RawTcp, RawWebSocket} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const ELSEWHERE = '127.0.0.2';
const OWN = {type: 'hubbub-web', version: '1'};
const STOCK = {version: '1'};  // Of no type: JSON, as any old client may have it.

let suite;
const clients = [];

before(async () => {
  // Longer than by default, so that a slow machine sees what is refused.
  suite = await Suite.start({connectors: 2, chats: 2, flags: {connector: ['--heartbeat=6', '--one_script_names'], chat: ['--connector_grace=8s']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

const keep = (client) => (clients.push(client), client);

async function tcp(connector, sys, from) {
  const client = keep(await RawTcp.connect(connector.clientPort, '127.0.0.1', from));
  await client.join(sys);
  return client;
}
const enter = (client, username, rid, more = {}) => client.request(ENTER, {username, rid, ...more});

// Somebody who sees who comes and goes in the room, and stays.
async function watcher(connector, rid) {
  const client = await tcp(connector, STOCK);
  await enter(client, 'watcher', rid);
  const beat = setInterval(() => client.send(Buffer.from([3, 0, 0, 0])), 2000);
  client.socket.on('close', () => clearInterval(beat));
  return {client, left: (user) => until(() => client.pushes('onLeave').some((one) => one.user === user), `the leave of ${user}`)};
}

// Asks again and again until the name is had, and answers for how many milliseconds that was refused.
async function untilHad(connector, sys, from, username, rid) {
  const began = Date.now();
  await until(async () => {
    const client = await tcp(connector, sys, from);
    const answer = await enter(client, username, rid);
    if (answer.users) return true;
    assert.equal(answer.code, 500);
    assert.match(answer.message, /try again in \d+ s/);
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return false;
  }, `${username} to be had`);
  return Date.now() - began;
}

for (const Client of [RawTcp, RawWebSocket]) {
  test(`who shows tokens and is cut off has its name kept for its token (${Client.name})`, async () => {
    const [first, second] = suite.connectors;
    const rid = `cut-${Client.name}`;
    const {left} = await watcher(second, rid);
    const alice = keep(await Client.connect(first.clientPort));
    await alice.join(OWN);
    const {resume} = await enter(alice, 'alice', rid);
    alice.close();
    await left('alice');
    for (const connector of [first, second]) {
      for (const more of [{}, {resume: 'f'.repeat(32)}, {resume: ''}]) {
        const refused = await enter(await tcp(connector, OWN), 'alice', rid, more);
        assert.equal(refused.code, 500, JSON.stringify(refused));
        assert.match(refused.message, /try again in [1-8] s/);
      }
    }
    const back = await enter(await tcp(second, OWN), 'alice', rid, {resume});
    assert.equal(back.resume, resume, JSON.stringify(back));
  });
}

test('a name that mixes scripts is refused where that is wanted, and others are not', async () => {
  const client = await tcp(suite.connectors[0], STOCK);
  const mixed = await enter(client, 'p\u0430ypal', 'scripts');
  assert.deepEqual([mixed.code, mixed.message], [400, "'p\u0430ypal' mixes letters of several scripts: write it in one"]);
  assert.equal((await enter(client, 'алиса', 'l\u043ebby')).code, 400);
  assert.ok((await enter(client, 'алиса', 'scripts')).users);
});

test('two names that look alike are one, or none', async () => {
  const ask = async (username) => {
    const client = await tcp(suite.connectors[0], STOCK);
    const answer = await enter(client, username, 'alike');
    client.close();
    return answer;
  };
  const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
  for (const name of ['Anna Maria', '\u{1f600}', 'ada\u{1f451}', family, '\u2764\ufe0f', '\u0639\u0644\u06cc\u200c\u0631\u0636\u0627',
    '\u0915\u094d\u200d\u0937']) {
    assert.ok((await ask(name)).users, name);
  }
  for (const [name, why] of [
    ['\u{1f600}\ufe0f', /^username has a selector that cannot be seen behind an emoji that needs none \(U\+FE0F\) at byte 4$/],
    ['\u{1f600}\u200d\u{1f680}', /^username has a joiner that joins nothing and cannot be seen \(U\+200D\)/],
    ['ada\u2800', /^username has a character that cannot be seen \(U\+2800\) at byte 3$/],
    ['ada\u{1d159}', /cannot be seen \(U\+1D159\)/],
    ['ada\u3164', /cannot be seen \(U\+3164\)/],
    ['ada\u00a0b', /^username has a blank other than U\+0020 \(U\+00A0\) at byte 3$/],
    ['ada  b', /^username has two blanks where one would look alike/],
  ]) {
    const answer = await ask(name);
    assert.equal(answer.code, 400, JSON.stringify(answer));
    assert.match(answer.message, why);
  }
});

test('a name that is not claimed again is anybody\'s when the grace is over', async () => {
  const [first] = suite.connectors;
  const {left} = await watcher(first, 'grace');
  const alice = await tcp(first, OWN);
  await enter(alice, 'alice', 'grace');
  alice.close();
  await left('alice');
  const refused = await untilHad(first, OWN, undefined, 'alice', 'grace');
  assert.ok(refused > 500, `it was had after ${refused} ms`);
});

test('who closes its WebSocket, or leaves, leaves its name free', async () => {
  const [first] = suite.connectors;
  const {left} = await watcher(first, 'clean');
  const alice = keep(await RawWebSocket.connect(first.clientPort));
  await alice.join(OWN);
  await enter(alice, 'alice', 'clean');
  alice.socket.close();
  await left('alice');
  const other = await tcp(first, OWN, ELSEWHERE);
  assert.ok((await enter(other, 'alice', 'clean')).users);
  await other.request('connector.entryHandler.leave', {rid: 'clean'});
  assert.ok((await enter(await tcp(first, OWN), 'alice', 'clean')).users);
});

test('a client without tokens is back at once from its address, and anybody is after a heartbeat', async () => {
  const [first, second] = suite.connectors;
  const {client, left} = await watcher(second, 'stock');
  for (let i = 0; i < 5; ++i) {
    const alice = await tcp(first, STOCK);
    assert.ok((await enter(alice, 'alice', 'stock')).users, `time ${i}`);
    alice.close();
    await until(() => client.pushes('onLeave').length === i + 1, 'the leave');
  }
  await left('alice');
  const refused = await enter(await tcp(first, STOCK, ELSEWHERE), 'alice', 'stock');
  assert.equal(refused.code, 500, JSON.stringify(refused));
  assert.match(refused.message, /try again in [1-6] s/);
  await untilHad(second, STOCK, ELSEWHERE, 'alice', 'stock');
});

test('private messages that were missed are for the token that the user had', async () => {
  const [first, second] = suite.connectors;
  const {client} = await watcher(second, 'private');
  const alice = await tcp(first, OWN);
  const {resume, epoch, offset} = await enter(alice, 'alice', 'private');
  const say = (content, target) => client.request('chat.chatHandler.send', {rid: 'private', content, target});
  await say('only for alice', 'alice');
  await say('for all', '*');
  await alice.request('connector.entryHandler.leave', {rid: 'private'});
  const texts = async (more) => {
    const someone = await tcp(second, OWN);
    const answer = await enter(someone, 'alice', 'private', {epoch, offset, ...more});
    await someone.request('connector.entryHandler.leave', {rid: 'private'});
    assert.equal(answer.recovered, true);
    return answer.events.map(({msg}) => msg).filter((msg) => msg);
  };
  assert.deepEqual(await texts({}), ['for all']);
  assert.deepEqual(await texts({resume: '0'.repeat(32)}), ['for all']);
  assert.deepEqual(await texts({resume}), ['only for alice', 'for all']);
});

test('who is cut off because it does not read does not lose its name to who made it so', async () => {
  const [first, second] = suite.connectors;
  const {client: mallory, left} = await watcher(second, 'flood');
  const alice = await tcp(first, OWN);
  const {resume} = await enter(alice, 'alice', 'flood');
  alice.socket.pause();
  const content = 'x'.repeat(30000);
  for (let i = 0; i < 400 && !mallory.pushes('onLeave').length; ++i) {
    await mallory.request('chat.chatHandler.send', {rid: 'flood', content, target: 'alice'});
  }
  await left('alice');
  assert.equal((await enter(await tcp(second, OWN), 'alice', 'flood')).code, 500);
  assert.ok((await enter(await tcp(second, OWN), 'alice', 'flood', {resume})).users);
});

test('stock clients of a connector that is killed are back at once, from their address', async () => {
  const [first, second] = suite.connectors;
  const {client} = await watcher(second, 'killed');
  const alice = keep(new StockClient());
  await alice.init({port: first.clientPort});
  await alice.enter('alice', 'killed');
  const bob = await tcp(first, OWN);
  const {resume} = await enter(bob, 'bob', 'killed');
  await first.stop('SIGKILL');
  // The chat server learns of it a moment later.
  const again = keep(new StockClient());
  await again.init({port: second.clientPort});
  const refused = await enter(await tcp(second, STOCK, ELSEWHERE), 'alice', 'killed');
  assert.equal(refused.code, 500, JSON.stringify(refused));
  await until(async () => (await again.enter('alice', 'killed')).users, 'alice to be back', 5000);
  assert.equal((await enter(await tcp(second, OWN), 'bob', 'killed')).code, 500, 'that one has a token');
  assert.ok((await enter(await tcp(second, OWN), 'bob', 'killed', {resume})).users);
  assert.deepEqual(client.pushes('onLeave'), [], 'nobody has seen a leave');
  await first.start();
  await suite.serves();
});

test('stock clients of a connector that drains are back at once, and others keep their places for their tokens', async () => {
  const [first, second] = suite.connectors;
  await watcher(second, 'drained');
  const alice = await tcp(first, STOCK);
  await enter(alice, 'alice', 'drained');
  const bob = await tcp(first, OWN);
  const {resume} = await enter(bob, 'bob', 'drained');
  const stopped = first.stop();
  await alice.ended();
  await bob.ended();
  assert.deepEqual(alice.of(KICK).map(({body}) => JSON.parse(body).reason), ['reconnect']);
  await until(async () => (await enter(await tcp(second, STOCK), 'alice', 'drained')).users, 'alice to be back', 5000);
  const back = await enter(await tcp(second, OWN), 'bob', 'drained', {resume});
  assert.ok(back.users, JSON.stringify(back));
  await stopped;
});
