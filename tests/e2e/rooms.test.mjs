// What the stock client sees of rooms: entering, talking to all and to one, coming and going.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
const clients = [];
let rooms = 0;

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

// A client for each user, in one room of their own unless they name another.
async function people(users, room = `room-${++rooms}`) {
  const made = [];
  for (const user of users) {
    const client = await new StockClient().connect(suite.gatePort, user);
    clients.push(client);
    made.push(client);
    if (room) client.entered = await client.enter(user, room);
  }
  return {room, made};
}

// Everything that was on its way to `client` has come: what it sends to all comes back to it behind the rest.
let marks = 0;
async function settle(client, room) {
  const mark = `mark ${++marks}`;
  await client.send(room, mark);
  await client.received('onChat', ({msg}) => msg === mark);
}

test('the gate names a connector of the suite, always the same one for a user', async () => {
  const client = new StockClient();
  clients.push(client);
  await client.init({port: suite.gatePort});
  const ports = suite.connectors.map(({clientPort}) => clientPort);
  for (const uid of ['ada', 'bob', '王', 'x'.repeat(64)]) {
    const first = await client.request('gate.gateHandler.queryEntry', {uid});
    assert.equal(first.code, 200);
    assert.equal(first.host, '127.0.0.1');
    assert.ok(ports.includes(first.port), `${first.port} is no connector's`);
    assert.deepEqual(await client.request('gate.gateHandler.queryEntry', {uid}), first);
  }
});

test('enter answers the users in the order in which they came, and where the room stands', async () => {
  const {room, made: [ada, bob]} = await people(['ada', 'bob']);
  assert.deepEqual(ada.entered.users, ['ada']);
  assert.deepEqual(bob.entered.users, ['ada', 'bob']);
  assert.equal(bob.entered.total, 2);
  assert.equal(bob.entered.epoch, ada.entered.epoch);
  assert.equal(bob.entered.offset, ada.entered.offset, 'nobody has said anything');
  assert.ok(bob.entered.resume.length >= 16, 'a resume token that cannot be guessed');
  assert.notEqual(bob.entered.resume, ada.entered.resume);
  assert.equal(bob.entered.error, undefined);
  await settle(ada, room);
});

test('the others are told who comes and who goes, and nobody is told of himself', async () => {
  const {room, made: [ada, bob, eve]} = await people(['ada', 'bob', 'eve']);
  await ada.received('onAdd', ({user}) => user === 'eve');
  assert.deepEqual(ada.pushes.onAdd.map(({user}) => user), ['bob', 'eve']);
  assert.equal(ada.pushes.onAdd[0].rid, room);
  eve.close();
  await ada.received('onLeave', ({user}) => user === 'eve');
  await bob.received('onLeave', ({user}) => user === 'eve');
  await settle(bob, room);
  assert.deepEqual(bob.pushes.onAdd.map(({user}) => user), ['eve']);
  assert.equal(bob.pushes.onLeave.length, 1);
});

test('a message to all reaches everybody once, its sender too, with its place in the room', async () => {
  const {room, made} = await people(['ada', 'bob', 'eve']);
  const [ada] = made;
  const answer = await ada.send(room, 'hello', '*', 'somebody else');
  for (const client of made) {
    const push = await client.received('onChat', ({msg}) => msg === 'hello');
    assert.equal(push.from, 'ada', 'the sender is the user who entered, whatever the client says');
    assert.equal(push.target, '*');
    assert.equal(push.rid, room);
    assert.equal(push.offset, answer.offset);
    assert.equal(push.epoch, ada.entered.epoch);
    assert.ok(Math.abs(push.time - Date.now()) < 3600_000, 'time is in milliseconds since 1970');
    await settle(client, room);
    assert.equal(client.texts.filter((text) => text === 'hello').length, 1);
  }
});

test('a message to one user reaches that user alone', async () => {
  const {room, made: [ada, bob, eve]} = await people(['ada', 'bob', 'eve']);
  assert.equal((await ada.send(room, 'psst', 'bob')).error, undefined);
  const push = await bob.received('onChat', ({msg}) => msg === 'psst');
  assert.deepEqual([push.from, push.target, push.rid], ['ada', 'bob', room]);
  for (const client of [ada, eve]) {
    await settle(client, room);
    assert.ok(!client.texts.includes('psst'));
  }
});

test('a client that leaves by the route hears no more of the room, and keeps its connection', async () => {
  const {room, made: [ada, bob]} = await people(['ada', 'bob']);
  assert.equal((await bob.leave(room)).code, 200);
  await ada.received('onLeave', ({user}) => user === 'bob');
  await ada.send(room, 'without bob');
  await ada.received('onChat', ({msg}) => msg === 'without bob');
  assert.ok((await bob.send(room, 'still here?')).error, 'a room that was left takes nothing');
  const again = await bob.enter('bob', room);
  assert.deepEqual(again.users, ['ada', 'bob']);
  await settle(bob, room);
  assert.ok(!bob.texts.includes('without bob'));
  assert.ok(bob.open);
});

test('a user changes rooms on one connection', async () => {
  const {room: first, made: [ada, bob]} = await people(['ada', 'bob']);
  const {room: second, made: [eve]} = await people(['eve']);
  assert.deepEqual((await bob.enter('bob', second)).users, ['eve', 'bob']);
  assert.equal((await bob.leave(first)).code, 200);
  await ada.received('onLeave', ({user}) => user === 'bob');
  await eve.received('onAdd', ({user}) => user === 'bob');
  await bob.send(second, 'hello, second');
  assert.equal((await eve.received('onChat', ({msg}) => msg === 'hello, second')).rid, second);
  await settle(ada, first);
  assert.ok(!ada.texts.includes('hello, second'));
  assert.ok(bob.open);
});

test('a session may be in several rooms, and each push names its room', async () => {
  const {room: first, made: [ada, bob]} = await people(['ada', 'bob']);
  const {room: second, made: [eve]} = await people(['eve']);
  await bob.enter('bob', second);
  await ada.send(first, 'in the first');
  await eve.send(second, 'in the second');
  await bob.received('onChat', ({msg}) => msg === 'in the first');
  await bob.received('onChat', ({msg}) => msg === 'in the second');
  assert.deepEqual(Object.fromEntries(bob.pushes.onChat.map(({msg, rid}) => [msg, rid])),
                   {'in the first': first, 'in the second': second});
  bob.close();
  await ada.received('onLeave', ({user, rid}) => user === 'bob' && rid === first);
  await eve.received('onLeave', ({user, rid}) => user === 'bob' && rid === second);
});

test('a name that is taken in a room is refused there, and free again after its owner has gone', async () => {
  const {room, made: [ada]} = await people(['ada']);
  const {made: [other]} = await people(['ada'], null);
  const refused = await other.enter('ada', room);
  assert.deepEqual([refused.code, refused.error], [500, true]);
  assert.match(refused.message, /already/);
  await ada.send(room, 'still me');
  await ada.received('onChat', ({msg}) => msg === 'still me');
  ada.close();
  const entered = await until(async () => {
    const answer = await other.enter('ada', room);
    return answer.users && answer;
  }, 'the name to be free');
  assert.deepEqual(entered.users, ['ada']);
});

test('a client that shows the resume token takes over the place, and nobody in the room notices', async () => {
  const {room, made: [ada, bob]} = await people(['ada', 'bob']);
  const {made: [again]} = await people(['bob'], null);
  const answer = await again.enter('bob', room, {resume: bob.entered.resume});
  assert.deepEqual(answer.users.sort(), ['ada', 'bob']);
  assert.deepEqual(await bob.received('onKick', () => true), {reason: 'replaced'});
  await again.send(room, 'it is me');
  await ada.received('onChat', ({msg, from}) => msg === 'it is me' && from === 'bob');
  await settle(ada, room);
  assert.deepEqual(ada.pushes.onAdd.map(({user}) => user), ['bob']);
  assert.deepEqual(ada.pushes.onLeave, []);
});
