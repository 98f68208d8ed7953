// A suite that demands a sign-in lets in nobody but holders of its issuer's tokens, each as who they are and for what they may do.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import WebSocket from 'ws';

import {Browser} from './browser.mjs';
import {HubbubClient} from './library.mjs';
import {ACK, KICK, RawTcp, handshake, pack} from './pomelo_wire.mjs';
import {SocketIo} from './socketio_client.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {Issuer} from './tokens.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const SEND = 'chat.chatHandler.send';
const REFRESH = 'connector.entryHandler.refresh';

let issuer;
let suite;
const open = [];

before(async () => {
  issuer = await Issuer.make();
  const flags = [`--signin_keys=${issuer.folder}`, '--production', '--grpc_plaintext'];
  // Heartbeats are rare, for the raw clients send none.
  suite = await Suite.start({flags: {gate: flags, connector: [...flags, '--heartbeat=60']}, tokenFor: (user) => issuer.token(user)});
});
after(async () => {
  for (const client of open) client.close();
  await suite?.stop();
  await issuer?.remove();
});

const connectorPort = () => suite.connectors[0].clientPort;

// With the token in the handshake, unless there is none.
async function raw(token, port = connectorPort()) {
  const client = await RawTcp.connect(port);
  open.push(client);
  client.send(handshake(undefined, token === undefined ? {} : {token}));
  client.send(pack(ACK));
  return client;
}

async function kicked(client) {
  await client.ended();
  return JSON.parse(client.of(KICK)[0].body).reason;
}

for (const alg of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
  test(`the stock JavaScript client signs in by ${alg} in its handshake, at the gate and at the connector`, async () => {
    const [ada, bob] = [new StockClient(), new StockClient()];
    for (const [client, name] of [[ada, `ada-${alg}`], [bob, `bob-${alg}`]]) {
      const token = issuer.token(name, {}, {alg});
      await client.init({port: suite.gatePort, user: {token}});
      const entry = await client.request('gate.gateHandler.queryEntry', {uid: name});
      assert.equal(entry.code, 200, JSON.stringify(entry));
      client.pomelo.disconnect();
      await client.init({port: entry.port, user: {token}});
      assert.ok((await client.enter(name, `room-${alg}`)).users.includes(name));
    }
    await ada.send(`room-${alg}`, 'hello');
    await until(() => bob.texts.includes('hello'), 'the message');
    for (const client of [ada, bob]) client.pomelo.disconnect();
  });
}

test('a token may come with the enter, over raw TCP', async () => {
  const client = await raw();
  const without = await client.request(ENTER, {username: 'carl', rid: 'r'});
  assert.equal(without.code, 401);
  assert.match(without.message, /show a sign-in token/);
  const asAnother = await client.request(ENTER, {username: 'dora', rid: 'r', token: issuer.token('carl')});
  assert.equal(asAnother.code, 403);
  assert.match(asAnother.message, /is for 'carl': you cannot be 'dora'/);
  assert.ok((await client.request(ENTER, {username: 'carl', rid: 'r'})).users);
});

test('the gate names a connector to nobody without a token, nor to a holder of another name', async () => {
  const client = await raw(undefined, suite.gatePort);
  const nobody = await client.request('gate.gateHandler.queryEntry', {uid: 'carl'});
  assert.equal(nobody.code, 500);
  assert.match(nobody.message, /sign-in token/);
  assert.equal((await client.request('gate.gateHandler.queryEntry', {uid: 'carl', token: issuer.token('dora')})).code, 500);
});

const FORGED = [
  ['is junk', () => 'junk', /not a JWT/],
  ['is not signed', () => issuer.token('eve', {}, {alg: 'none'}), /not signed/],
  ['has ended', () => issuer.token('eve', {exp: 1000}), /ended/],
  ['is signed by another key', () => issuer.token('eve', {}, {key: issuer.keys.RS256}), /not its issuer's/],
  ['is an HMAC by a public key', () => issuer.token('eve', {}, {
    alg: 'HS256', header: {kid: 'RS256'}, key: issuer.keys.RS256.publicKey.export({type: 'spki', format: 'pem'}),
  }), /its key is not for/],
  ['names an unknown key', () => issuer.token('eve', {}, {header: {kid: 'x'}}), /does not have/],
  ['is for an audience', () => issuer.token('eve', {aud: 'others'}), /audience/],
];
for (const [what, make, why] of FORGED) {
  test(`a client whose token ${what} is told so, and kicked`, async () => {
    assert.match(await kicked(await raw(make())), why);
  });
}

test('at the upgrade a token is a query parameter or an Authorization, and a bad one is answered with 401', async () => {
  const url = `ws://127.0.0.1:${connectorPort()}/`;
  const engine = `${url}socket.io/?EIO=4&transport=websocket`;
  const tries = [
    [`${url}?access_token=${issuer.token('fay')}`, {}, 101],
    [url, {Authorization: `Bearer ${issuer.token('fay')}`}, 101],
    [`${url}?access_token=junk`, {}, 401],
    [url, {Authorization: 'Bearer junk'}, 401],
    [`${url}?access_token=junk`, {Authorization: 'Bearer junk'}, 400],
    [engine, {Authorization: `Bearer ${issuer.token('fay')}`}, 101],
    [engine, {Authorization: 'Bearer junk'}, 401],
    [`${engine}&access_token=junk`, {}, 401],
  ];
  for (const [target, headers, status] of tries) {
    const socket = new WebSocket(target, {headers});
    const got = await new Promise((resolve) => {
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      socket.on('error', () => {});
    });
    assert.equal(got, status, `${target} ${JSON.stringify(headers)}`);
    socket.terminate();
  }
});

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`a client of Socket.IO shows its token when it opens its session by ${transports}`, async () => {
    const name = `kim-${transports.join('-')}`;
    const connect = (token) => {
      const client = new SocketIo(connectorPort(), {transports, extraHeaders: {Authorization: `Bearer ${token}`}, reconnection: false});
      open.push(client);
      return client;
    };
    const client = connect(issuer.token(name));
    await client.happened('connect');
    assert.ok((await client.ask('enter', {username: name, rid: 'r'})).users);
    await connect('junk').happened('connect_error');
  });
}

for (const transports of [['websocket'], ['polling']]) {
  test(`a client of Socket.IO whose token in auth is none is not connected, and may try another, by ${transports}`, async () => {
    let token = 'junk';
    const client = new SocketIo(connectorPort(), {transports, auth: (give) => give({token}), reconnection: false});
    open.push(client);
    const [, error] = await client.happened('connect_error');
    assert.match(error.message, /not a JWT/);
    assert.equal(error.data.code, 401);
    assert.ok(!client.events.some(([event]) => event === 'connect'));
    const username = `leo-${transports[0]}`;
    token = issuer.token(username);
    client.socket.connect();
    await client.happened('connect');
    assert.ok((await client.ask('enter', {username, rid: 'r'})).users);
  });
}

test('claims narrow the rooms and the rights of their holder', async () => {
  const reader = await raw(issuer.token('gus', {hubbub_rooms: ['team-*'], hubbub_rights: ['read']}));
  assert.ok((await reader.request(ENTER, {username: 'gus', rid: 'team-1'})).users);
  const elsewhere = await reader.request(ENTER, {username: 'gus', rid: 'lobby'});
  assert.equal(elsewhere.code, 403);
  const said = await reader.request(SEND, {rid: 'team-1', content: 'hi', target: '*'});
  assert.equal(said.code, 403);
  assert.match(said.message, /right to speak/);
});

test('who has signed in looks back at private messages of their own, and at nobody else\'s', async () => {
  const HISTORY = 'chat.chatHandler.history';
  const clients = {};
  const enter = async (username) => {
    clients[username] = await raw(issuer.token(username));
    const answer = await clients[username].request(ENTER, {username, rid: 'looks back'});
    assert.ok(answer.users, JSON.stringify(answer));
  };
  for (const name of ['hal', 'ida', 'jim']) await enter(name);
  const say = (from, target, content) => clients[from].request(SEND, {rid: 'looks back', content, target});
  await say('hal', '*', 'to all');
  await say('hal', 'ida', 'to ida');
  await say('ida', 'hal', 'to hal');
  const seen = async (name) => (await clients[name].request(HISTORY, {rid: 'looks back'})).events.map(({msg, target}) => `${msg} (${target})`);
  const all = ['to all (*)', 'to ida (ida)', 'to hal (hal)'];
  assert.deepEqual(await seen('hal'), all);
  assert.deepEqual(await seen('ida'), all);
  assert.deepEqual(await seen('jim'), all.slice(0, 1));
});

test('a session ends with its token, unless it is refreshed', async () => {
  // Taken for 10 s after its end.
  const short = () => issuer.token('hal', {exp: Math.floor(Date.now() / 1000) - 2});
  const [left, refreshed] = [await raw(short()), await raw(short())];
  assert.ok((await left.request(ENTER, {username: 'hal', rid: 'left'})).users);
  assert.ok((await refreshed.request(ENTER, {username: 'hal', rid: 'refreshed'})).users);
  assert.equal((await refreshed.request(REFRESH, {token: issuer.token('ida')})).code, 403);
  assert.equal((await refreshed.request(REFRESH, {token: issuer.token('hal', {hubbub_rooms: ['other']})})).code, 403);
  assert.equal((await refreshed.request(REFRESH, {token: 'junk'})).code, 401);
  assert.equal((await refreshed.request(REFRESH, {})).code, 400);
  assert.deepEqual(await refreshed.request(REFRESH, {token: issuer.token('hal')}), {code: 200});
  assert.match(await kicked(left), /your sign-in token has ended/);
  assert.ok((await refreshed.request(SEND, {rid: 'refreshed', content: 'still here', target: '*'})).offset);
});

test('a token that comes with an enter gives nothing in rooms that it is not for', async () => {
  const lea = await raw(issuer.token('lea', {hubbub_rooms: ['attic', 'cellar'], hubbub_rights: ['read']}));
  const enter = (rid, claims) => lea.request(ENTER, {username: 'lea', rid, ...claims && {token: issuer.token('lea', claims)}});
  const speak = (rid) => lea.request(SEND, {rid, content: 'hello', target: '*'});
  assert.ok((await enter('attic')).users);
  const other = await enter('balcony', {hubbub_rooms: ['balcony'], hubbub_rights: ['read', 'speak']});
  assert.deepEqual([other.code, other.message], [403, "the sign-in token is not for room 'attic', in which you are: leave it first"]);
  for (const refused of [{hubbub_rooms: ['balcony'], hubbub_rights: ['read', 'speak']}, {hubbub_rights: ['speak']}])
    assert.equal((await enter('cellar', refused)).code, 403);
  assert.equal((await speak('attic')).code, 403);
  assert.ok((await enter('cellar')).users, 'by the token of before');
  assert.ok((await enter('balcony', {hubbub_rights: ['read', 'speak']})).users, 'by one for all rooms');
  for (const room of ['attic', 'cellar', 'balcony']) assert.ok((await speak(room)).offset, room);
});

test('the client library asks for a token for each connection, and for another one before it ends', async () => {
  const asked = [];
  const chat = new HubbubClient({
    gate: `ws://127.0.0.1:${suite.gatePort}`,
    WebSocket,
    token: async () => {
      asked.push(Date.now());
      return issuer.token('jan', asked.length < 3 ? {exp: Math.floor(Date.now() / 1000) + 2} : {});
    },
  });
  open.push(chat);
  await chat.connect('jan');
  assert.equal(asked.length, 2);
  await chat.enter('library');
  await until(() => asked.length >= 3, 'the library to ask for a newer token');
  await chat.send('library', 'still here');
});

test('the chat page takes a token from its address, keeps it out of sight, and says why it gets nowhere without one', async () => {
  const browser = await Browser.start();
  const enter = async (page) => {
    await page.fill('#room-input', 'tea-room');
    await page.click('#sign-in-button');
  };
  try {
    const page = await browser.open(`http://127.0.0.1:${suite.gatePort}/#token=${issuer.token('Łucja')}`);
    assert.equal(await page.inputValue('#user-input'), 'Łucja');
    assert.equal(await page.evaluate(() => location.href), `http://127.0.0.1:${suite.gatePort}/`);
    await enter(page);
    await page.waitForSelector('#chat:not([hidden])');
    await page.reload();
    await page.waitForSelector('#chat:not([hidden])');
    assert.ok(!await page.isVisible('#sign-in-notice'));
    const stranger = await browser.open(`http://127.0.0.1:${suite.gatePort}/`);
    await stranger.waitForSelector('#sign-in-notice:not([hidden])');
    assert.match(await stranger.textContent('#sign-in-notice'), /^This suite asks who you are/);
    await stranger.fill('#user-input', 'Łucja');
    await enter(stranger);
    await stranger.waitForSelector('#sign-in-error:has-text("show a sign-in token")');
    await browser.closePages();
  } finally {
    await browser.stop();
  }
});

test('keys that are added are taken without a restart, and those before stay while a file is wrong', async () => {
  const other = await Issuer.make();
  const token = other.token('kim', {}, {alg: 'EdDSA', header: {kid: 'late'}});
  const pem = other.keys.EdDSA.publicKey.export({type: 'spki', format: 'pem'});
  await other.remove();
  const enter = async () => {
    const client = await raw();
    return (await client.request(ENTER, {username: 'kim', rid: 'late', token})).code;
  };
  assert.equal(await enter(), 401);
  await issuer.write('late.pem', 'half of a fi');
  await until(() => /cannot be used/.test(suite.connectors[0].log), 'the connector to say what is wrong');
  await issuer.write('late.pem', pem);
  await until(async () => await enter() === undefined, 'the key to be taken');
});

test('a server without keys says that it is open, and does not start so in production', async () => {
  const plain = await Suite.start();
  try {
    for (const server of [plain.gate, plain.connectors[0]]) assert.match(server.log, /open: everybody who reaches this server/);
  } finally {
    await plain.stop();
  }
  await assert.rejects(Suite.start({flags: {gate: ['--production', '--grpc_plaintext']}}), /--production needs --signin_keys/);
});
