// What a client that was away can count on: missed events, sends that may be repeated, and servers that restart.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {KICK, RawTcp} from './pomelo_wire.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({connectors: 1, chats: 1});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

async function someone(name) {
  const client = new StockClient();
  clients.push(client);
  return client.connect(suite.gatePort, name);
}

test('a client that comes back with epoch and offset gets the events it missed, in order, and nothing else', async () => {
  const stays = await someone('stays');
  await stays.enter('stays', 'missed');
  const goes = await someone('goes');
  const first = await goes.enter('goes', 'missed');
  assert.equal(first.recovered, undefined, 'a client that does not ask is not answered');
  goes.close();
  await stays.received('onLeave', ({user}) => user === 'goes');
  for (const text of ['one', 'two', 'three']) await stays.send('missed', text);

  const back = await someone('goes');
  const answer = await back.enter('goes', 'missed', {resume: first.resume, epoch: first.epoch, offset: first.offset});
  assert.equal(answer.recovered, true);
  assert.deepEqual(answer.events.map(({route, msg}) => [route, msg]), [['onChat', 'one'], ['onChat', 'two'], ['onChat', 'three']]);
  assert.deepEqual(answer.events.map(({offset}) => offset), [first.offset + 1, first.offset + 2, first.offset + 3],
                   'comings and goings take no offset');

  const late = await someone('late');
  const lost = await late.enter('late', 'missed', {epoch: first.epoch + 1, offset: 1});
  assert.equal(lost.recovered, false);
  assert.deepEqual(lost.events, []);
  const future = await (await someone('future')).enter('future', 'missed', {epoch: first.epoch, offset: 1e6});
  assert.equal(future.recovered, false);
});

test('a send that names itself is said once, however often it is sent', async () => {
  const hears = await someone('hears');
  await hears.enter('hears', 'once');
  const speaks = await someone('speaks');
  await speaks.enter('speaks', 'once');
  const send = () => speaks.request('chat.chatHandler.send', {rid: 'once', content: 'hello', target: '*', id: 'n-1'});
  const answers = [await send(), await send(), await send()];
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
  await speaks.send('once', 'the end');
  await hears.received('onChat', ({msg}) => msg === 'the end');
  assert.deepEqual(hears.texts, ['hello', 'the end']);
});

test('a chat server that is killed and restarted has its rooms back, and nobody in them is told', async () => {
  const names = ['anna', 'ben', 'cleo'];
  const members = [];
  for (const name of names) {
    const member = await someone(name);
    await member.enter(name, 'restart');
    members.push(member);
  }
  for (const member of members.slice(0, 2)) await member.received('onAdd', ({user}) => user === 'cleo');
  const before = members.map(({pushes}) => pushes.onAdd.length);

  const [chat] = suite.chats;
  await chat.stop('SIGKILL');
  const refused = await members[0].send('restart', 'nobody is there');
  assert.ok(refused.error && refused.code >= 500, JSON.stringify(refused));
  await chat.start();

  // The answer to a send shows when the room works again; each member's place may be back a moment before or after that.
  await until(async () => {
    const answer = await members[0].send('restart', 'is everybody here?');
    if (answer.error) return false;
    return members.every(({texts}) => texts.includes('is everybody here?'));
  }, 'a message to reach all members again');
  assert.deepEqual(members.map(({pushes}) => pushes.onAdd.length), before, 'no onAdd');
  assert.ok(members.every(({pushes}) => pushes.onLeave.length === 0), 'no onLeave');
  const whisper = await members[1].send('restart', 'psst', 'cleo');
  assert.equal(whisper.error, undefined, JSON.stringify(whisper));
  await members[2].received('onChat', ({msg}) => msg === 'psst');
  const twin = await someone('ben');
  assert.equal((await twin.enter('ben', 'restart')).code, 500, 'a restored name is taken');
});

test('a connector that is stopped tells its clients to come back, over TCP too', async () => {
  const [connector] = suite.connectors;
  const raw = await RawTcp.connect(connector.clientPort);
  await raw.join({type: 'raw', version: '1'});
  await raw.request('connector.entryHandler.enter', {username: 'raw', rid: 'drain'});
  await connector.stop();
  await raw.ended();
  assert.deepEqual(raw.of(KICK).map(({body}) => JSON.parse(body)), [{reason: 'reconnect'}]);
});
