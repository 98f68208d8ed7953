// The stock client's own reconnect: its connector is killed and comes back, and the application enters again.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOM = 'again';

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({connectors: 2, flags: {chat: ['--connector_grace=2s']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

// A client whose user lives on that connector.
async function on(connector, name, params, onInit) {
  for (let i = 0; ; ++i) {
    const client = await new StockClient();
    clients.push(client);
    const user = `${name}-${i}`;
    await client.init({port: suite.gatePort});
    const {port} = await client.request('gate.gateHandler.queryEntry', {uid: user});
    client.pomelo.disconnect();
    if (port !== connector.clientPort) continue;
    await client.init({port, ...params}, onInit);
    return {client, user};
  }
}

test('members of a killed connector leave, and a stock client comes back by itself', async () => {
  const [dies, lives] = suite.connectors;
  const stays = await on(lives, 'stays', {});
  await stays.client.enter(stays.user, ROOM);
  let openings = 0;
  const returns = await on(dies, 'returns', {reconnect: true}, () => {
    openings += 1;
  });
  await returns.client.enter(returns.user, ROOM);
  await stays.client.received('onAdd', ({user}) => user === returns.user);

  await dies.stop('SIGKILL');
  await until(() => returns.client.events.includes('disconnect'), 'the stock client to notice');
  await stays.client.received('onLeave', ({user}) => user === returns.user);
  assert.ok((await stays.client.send(ROOM, 'alone')).offset > 0, 'the room goes on');

  await dies.start();
  // The stock client waits 5 seconds before its first attempt, then 10.
  await until(() => openings === 2, 'the stock client to connect again', 30000);
  const entered = await until(async () => {
    const answer = await returns.client.enter(returns.user, ROOM);
    return answer.users && answer;
  }, 'the room to let the user in again');
  assert.deepEqual(entered.users, [stays.user, returns.user]);
  await returns.client.send(ROOM, 'back');
  await stays.client.received('onChat', ({msg, from}) => msg === 'back' && from === returns.user);
});
