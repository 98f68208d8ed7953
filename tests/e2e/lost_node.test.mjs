// A node is lost, with a chat server and a connector on it, or a connector hangs while its clients go elsewhere: who is in a room
// afterwards, and who sees whom.
import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';

import {STORE} from './network.mjs';
import {KICK, RawTcp} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const LEAVE = 'connector.entryHandler.leave';
const SEND = 'chat.chatHandler.send';
const OWN = {type: 'hubbub-web', version: '1'};
const ROOMS = Array.from({length: 8}, (_, i) => `room-${i}`);
const LONG_MS = 30000;
const HALT_MS = 1500;  // A chat server that was stopped so long serves nobody until its store answers.

let suite;
const clients = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await suite?.stop({evenIfBad: true});
});

const start = (history, more = {}) => Suite.start({connectors: 2, chats: 2, ...more,
                                        flags: {connector: ['--heartbeat=60'], chat: [`--history=${history}`]}});

async function client(connector) {
  const one = await RawTcp.connect(connector.clientPort);
  clients.push(one);
  await one.join(OWN);
  return one;
}

async function member(connector, username, rid, more = {}) {
  const one = await client(connector);
  const answer = await one.request(ENTER, {username, rid, ...more});
  assert.ok(answer.users, JSON.stringify(answer));
  return Object.assign(one, {answer, rid});
}

// The list of users as a client keeps it, in the order in which they came.
function shown(one) {
  const users = [...one.answer.users];
  for (const {route, body} of one.messages) {
    if (body.rid !== one.rid) continue;
    if (route === 'onAdd') users.push(body.user);
    if (route === 'onLeave' && users.includes(body.user)) users.splice(users.indexOf(body.user), 1);
  }
  return users;
}

for (const history of ['durable', 'memory']) {
  test(`a chat server and a connector are lost at once: who is not back has left (${history} history)`, async () => {
    suite = await start(history);
    const [lost, other] = suite.connectors;
    const stays = await Promise.all(ROOMS.map((rid) => member(other, 'ann', rid)));
    await Promise.all(ROOMS.map((rid) => member(lost, 'bob', rid)));
    const back = await Promise.all(ROOMS.map((rid) => member(lost, 'cat', rid)));
    await until(() => stays.every((ann) => shown(ann).length === 3), 'all to be shown');
    await Promise.all([suite.chats[0].stop('SIGKILL'), lost.stop('SIGKILL')]);
    const returned = await Promise.all(back.map(({rid, answer: {resume}}) => member(other, 'cat', rid, {resume, attempt: 2})));
    const say = () => stays.map((ann) => `${ann.rid}: ${shown(ann)}`).join('; ');
    await until(() => stays.every((ann) => !shown(ann).includes('bob')), () => `bob to have left: ${say()}`, LONG_MS);
    // Nobody twice, and cat is there.
    for (const ann of [...stays, ...returned]) assert.deepEqual(shown(ann).toSorted(), ['ann', 'cat'], ann.rid);
  });
}

for (const history of ['durable', 'memory']) {
  test(`who came when a chat server died is shown to those who had not been told (${history} history)`, async () => {
    suite = await start(history, {network: true});
    const [near, far] = suite.connectors;
    const [lost] = suite.chats;
    const stays = await Promise.all(ROOMS.map((rid) => member(far, 'ann', rid)));
    suite.network.oneWay(lost.id, far.id, {held: true});
    const came = await Promise.all(ROOMS.map((rid) => member(near, 'bob', rid)));
    await lost.stop('SIGKILL');
    suite.network.cut(lost.id, far.id);
    suite.network.heal();
    const say = () => stays.map((ann) => `${ann.rid}: ${shown(ann)}`).join('; ');
    await until(() => stays.every((ann) => shown(ann).includes('bob')), () => `bob to be shown: ${say()}`, LONG_MS);
    const said = await Promise.all(came.map((bob) => bob.request(SEND, {rid: bob.rid, content: 'here', target: '*'})));
    assert.ok(said.every(({offset}) => offset > 0), JSON.stringify(said));
    for (const ann of stays) assert.deepEqual(shown(ann), ['ann', 'bob'], ann.rid);
  });
}

test('who leaves while a chat server waits for its store has left in the end', async () => {
  suite = await start('durable', {chats: 1, connectors: 1, store: 'postgres', network: true});
  const [connector] = suite.connectors;
  const [chat] = suite.chats;
  const ann = await member(connector, 'ann', 'room');
  const bob = await member(connector, 'bob', 'room');
  suite.network.bothWays(chat.id, STORE, {held: true});
  chat.halt();
  await new Promise((resolve) => setTimeout(resolve, HALT_MS));
  chat.goOn();
  assert.equal((await bob.request(LEAVE, {rid: 'room'})).code, 200);
  suite.network.heal();
  await until(() => !shown(ann).includes('bob'), 'bob to have left', LONG_MS);
});

test('an enter that waited in a connector that hung takes no place from the client\'s later session', async () => {
  suite = await start('durable');
  const [hangs, other] = suite.connectors;
  const first = await member(other, 'ann', 'lobby');
  const {resume} = first.answer;
  const late = await client(hangs);
  hangs.halt();
  let answer;
  try {
    answer = late.request(ENTER, {username: 'ann', rid: 'lobby', resume, attempt: 1});
    first.close();
    const second = await member(other, 'ann', 'lobby', {resume, attempt: 2});
    hangs.goOn();
    assert.match((await answer).message, /by a later session/);
    assert.deepEqual(second.of(KICK), []);
    assert.ok((await second.request(SEND, {rid: 'lobby', content: 'still here', target: '*'})).offset);
  } finally {
    hangs.goOn();
  }
});
