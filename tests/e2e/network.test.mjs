// The links of network.mjs do to connections what they say, and a suite works over them.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import net from 'node:net';
import {after, test} from 'node:test';

import {Link, Port, reset} from './link.mjs';
import {STORE} from './network.mjs';
import {StockClient} from './stock_client.mjs';
import {freePorts, Suite} from './suite.mjs';
import {until, withDeadline} from './wait.mjs';

const HOST = '127.20.200.1';
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

// A server that keeps what comes and answers nothing by itself, and a link to it.
async function world() {
  const [port] = await freePorts(1);
  const peers = [];
  const server = net.createServer((socket) => {
    const peer = {socket, text: '', ended: null};
    peers.push(peer);
    watch(peer);
  });
  const listen = () => once(server.listen(port, '127.0.0.1'), 'listening');
  await listen();
  const link = new Link('a', 'b', () => door);
  const door = new Port(HOST, port, {host: '127.0.0.1', port}, () => [link]);
  await door.open();
  ends.push(() => door.close(), () => server.close());
  const connect = async () => {
    const client = {socket: net.connect(port, HOST), text: '', ended: null};
    watch(client);
    await once(client.socket, 'connect');
    return client;
  };
  const pair = async () => {
    const before = peers.length;
    const client = await connect();
    await until(() => peers.length > before, 'the server to see a connection');
    return [client, peers.at(-1)];
  };
  return {port, server, peers, listen, link, door, connect, pair};
}

// Looks of its probes are connections too.
function watch(end) {
  ends.push(() => end.socket.destroy());
  end.socket.on('data', (bytes) => (end.text += bytes));
  end.socket.on('end', () => (end.ended ??= 'end'));
  end.socket.on('error', ({code}) => (end.ended ??= code));
}
const got = (end, text) => until(() => end.text === text, () => `'${text}'; there was '${end.text}'`);

async function refused(port) {
  const socket = net.connect(port, HOST);
  const how = await Promise.race([once(socket, 'connect').then(() => 'connected'), once(socket, 'error').then(([{code}]) => code)])
      .catch(({code}) => code);
  socket.destroy();
  return how === 'ECONNREFUSED';
}

test('what is said arrives, both ways, and so does the end', async () => {
  const {pair} = await world();
  const [client, server] = await pair();
  client.socket.write('to the server');
  await got(server, 'to the server');
  server.socket.write('back');
  await got(client, 'back');
  client.socket.end();
  await until(() => server.ended === 'end', 'the end');
  await until(() => client.ended === 'end', 'its own end');
});

for (const way of ['up', 'down']) {
  test(`what is held ${way} comes when it is held no more, and the other way goes on`, async () => {
    const {pair, link} = await world();
    const [client, server] = await pair();
    const [from, to] = way === 'up' ? [client, server] : [server, client];
    link.set({[way]: {held: true}});
    from.socket.write('late');
    to.socket.write('meanwhile');
    await got(from, 'meanwhile');
    assert.equal(to.text, '');
    link.heal();
    await got(to, 'late');
  });
}

test('a connection that is begun while something is held is made afterwards', async () => {
  const {connect, link, peers} = await world();
  link.set({down: {held: true}});
  const client = await connect();
  client.socket.write('hello');
  const before = peers.length;
  link.heal();
  await until(() => peers.slice(before).some(({text}) => text === 'hello'), 'the hello');
});

test('what is swallowed never comes, and its connection ends by RST', async () => {
  const {pair, link} = await world();
  const [client, server] = await pair();
  link.set({up: {swallows: true}});
  client.socket.write('lost');
  server.socket.write('seen');
  await got(client, 'seen');
  link.heal();
  await until(() => client.ended && server.ended, 'both to be cut');
  assert.deepEqual([client.ended, server.ended, server.text], ['ECONNRESET', 'ECONNRESET', '']);
});

test('what is delayed comes in its order, and what is very late does not come', async () => {
  const {pair, link} = await world();
  const [client, server] = await pair();
  link.set({up: {delay: 50}});
  client.socket.write('one ');
  await got(server, 'one ');
  client.socket.write('two ');
  link.set({up: {delay: 0}});
  client.socket.write('three ');
  await got(server, 'one two three ');
  link.set({up: {delay: 3600000}});
  client.socket.end('four');
  server.socket.write('back');
  await got(client, 'back');
  assert.equal(server.text, 'one two three ');
});

test('a cut is an RST to both', async () => {
  const {pair, link} = await world();
  const [client, server] = await pair();
  link.cut();
  await until(() => client.ended && server.ended, 'both to be cut');
  assert.deepEqual([client.ended, server.ended], ['ECONNRESET', 'ECONNRESET']);
});

test('a connection whose end is on its way is closed by a cut', async () => {
  const {pair} = await world();
  const [{socket}, server] = await pair();
  const closed = once(socket, 'close');
  socket.end('last');
  reset(socket);
  await withDeadline(closed, 'the connection to be closed');
  await until(() => server.ended, 'the server to see the end');
});

test('a link that refuses has nobody who listens, and old connections stay', async () => {
  const {pair, port, door} = await world();
  const [client, server] = await pair();
  await door.refuse(true);
  assert.ok(await refused(port));
  client.socket.write('still');
  await got(server, 'still');
  await door.refuse(false);
  assert.ok(!await refused(port));
});

test('where nobody listens, nobody listens here, from before the old connections end', async () => {
  const {pair, port, server, peers, listen} = await world();
  const [client] = await pair();
  let refusedThen;
  client.socket.on('error', async () => (refusedThen = refused(port)));
  client.socket.on('end', async () => (refusedThen = refused(port)));
  server.close();
  for (const {socket} of peers) socket.resetAndDestroy();
  await until(() => refusedThen, 'the end of the connection');
  assert.ok(await refusedThen);
  await listen();
  await until(async () => !await refused(port), 'the port to be open again');
});

test('a network that is cut does not tell that nobody listens', async () => {
  const {port, link, server, door} = await world();
  server.close();
  await door.look();
  assert.ok(await refused(port));
  link.set({up: {held: true}});
  await until(async () => !await refused(port), 'the port to take connections');
  link.heal();
  await until(() => refused(port), 'the port to refuse');
});

for (const store of ['sqlite', 'postgres']) {
  test(`a suite with ${store} talks over its links, and a cut pair goes on afterwards`, async () => {
    const suite = await Suite.start({connectors: 2, chats: 2, network: true, store});
    ends.push(() => suite.stop());
    const clients = [];
    for (const [i, connector] of suite.connectors.entries()) {
      const client = new StockClient();
      ends.push(() => client.close());
      await client.init({port: connector.clientPort});
      for (let room = 0; room < 8; ++room) await client.enter(`user${i}`, `room${room}`);
      clients.push(client);
    }
    const [first, second] = suite.connectors.map(({id}) => id);
    for (const {id} of suite.chats) {
      assert.ok(suite.network.link(first, id).connections > 0, `${first} to ${id}`);
      if (store === 'postgres') assert.ok(suite.network.link(id, STORE).connections > 0, `${id} to the store`);
    }
    const [one, two] = suite.chats.map(({id}) => id);
    await until(() => suite.network.link(one, two).connections && suite.network.link(two, one).connections,
                'the chat servers to reach each other');

    for (const {id} of suite.chats) suite.network.oneWay(id, second, {held: true});
    for (let room = 0; room < 8; ++room) assert.ok((await clients[0].send(`room${room}`, `word ${room}`)).offset > 0);
    assert.deepEqual(clients[1].texts, []);
    suite.network.heal();
    await until(() => clients[1].texts.length === 8, () => `eight words; there were ${clients[1].texts}`);
  });
}
