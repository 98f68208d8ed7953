// Servers whose gRPC connections end every two seconds, as for back ends behind a layer-4 load balancer: people in rooms notice
// nothing of it.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const LIVES = 4;
const suites = [];
const clients = [];
after(async () => {
  for (const client of clients) client.close();
  for (const suite of suites) await suite.stop();
});

// Two people in a room of each chat server talk for several lives of every connection; what they say has ids, so that it may be repeated.
async function talk(flags) {
  const suite = await Suite.start({connectors: 2, chats: 2, flags: {gate: flags, connector: flags, chat: flags}});
  suites.push(suite);
  const rooms = ['red', 'green', 'blue', 'white'];
  const members = await Promise.all(rooms.flatMap((room) => ['ann', 'bob'].map(async (name) => {
    const client = await new StockClient().connect(suite.gatePort, `${name} of ${room}`);
    clients.push(client);
    await client.enter(`${name} of ${room}`, room);
    return Object.assign(client, {user: `${name} of ${room}`, room});
  })));
  const said = new Map(rooms.map((room) => [room, []]));
  const end = Date.now() + LIVES * 2000;
  let round = 0;
  await until(async () => {
    round += 1;
    await Promise.all(members.map(async (member) => {
      const content = `${member.user}, round ${round}`;
      said.get(member.room).push(content);
      const answer = await member.request('chat.chatHandler.send', {rid: member.room, content, target: '*', id: `${round}`});
      assert.equal(answer.error, undefined, JSON.stringify(answer));
    }));
    return Date.now() > end;
  }, 'several lives of every connection', 60000);
  for (const member of members) {
    const all = said.get(member.room).toSorted();
    await until(() => member.texts.length >= all.length, `${member.user} to hear all`);
    assert.deepEqual(member.texts.toSorted(), all, `${member.user} heard each once`);
    assert.equal(member.pushes.onLeave.length, 0, `nobody left for ${member.user}`);
  }
  return suite;
}

test('calls under way are let go on: nothing is noticed', async () => {
  await talk(['--max_connection_age=2s']);
});

test('streams that are cut after their grace are resumed: nothing is lost, and nobody leaves', async () => {
  const suite = await talk(['--max_connection_age=2s', '--max_connection_age_grace=500ms']);
  assert.ok(suite.connectors.some(({log}) => /ended|resume|lost|stream/i.test(log)), 'streams were cut');
});
