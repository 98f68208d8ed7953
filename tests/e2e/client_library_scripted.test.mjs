// The client library against a server that plays a script: what a real suite does seldom, or not yet.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {afterEach, test} from 'node:test';

import {WebSocket, WebSocketServer} from 'ws';

import {HubbubClient} from './library.mjs';
import {ACK, DATA, HANDSHAKE, HEARTBEAT, KICK, pack} from './pomelo_wire.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const HOST = '127.0.0.1';
const ends = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const message = (flag, head, body) => pack(DATA, Buffer.concat([Buffer.from([flag]), head, Buffer.from(JSON.stringify(body))]));
const push = (route, body) => message(6, Buffer.concat([Buffer.from([route.length]), Buffer.from(route)]), body);
const response = (id, body) => message(4, Buffer.from([id]), body);
const chat = (offset, msg, more = {}) => push('onChat', {rid: 'r', msg, from: 'bob', target: '*', epoch: 1, offset, time: offset, ...more});

// A server that is gate and connector at once. `answer(route, body, socket, id)` gives the body of the answer, or undefined
// if it has sent what is to be sent. Keeps the requests and the sockets of the connector's part. `elsewhere`: ports that the
// gate names first.
async function scripted(answer, {heartbeat, host = HOST, elsewhere = []} = {}) {
  const server = new WebSocketServer({port: 0, host: HOST});
  await once(server, 'listening');
  const script = {requests: [], sockets: [], beats: 0, port: server.address().port, elsewhere};
  server.on('connection', (socket) => {
    socket.on('message', (bytes) => {
      if (bytes[0] === HANDSHAKE) {
        script.handshake = JSON.parse(bytes.subarray(4));
        socket.send(pack(HANDSHAKE, JSON.stringify({code: 200, sys: {heartbeat, dict: {[ENTER]: 300}}})));
      } else if (bytes[0] === ACK) {
        if (heartbeat) socket.send(pack(HEARTBEAT));
      } else if (bytes[0] === HEARTBEAT) {
        script.beats += 1;
        if (script.answersHeartbeats !== false) socket.send(pack(HEARTBEAT));
      } else if (bytes[0] === DATA) {
        const id = bytes[5];
        const coded = bytes[4] & 1;
        const end = coded ? 8 : 7 + bytes[6];
        const route = coded ? (assert.equal(bytes.readUInt16BE(6), 300), ENTER) : bytes.subarray(7, end).toString();
        const body = JSON.parse(bytes.subarray(end));
        if (route === 'gate.gateHandler.queryEntry') {
          script.asked = (script.asked ?? 0) + 1;
          socket.send(response(id, {code: 200, host, port: elsewhere.shift() ?? script.port}));
          return;
        }
        if (!script.sockets.includes(socket)) script.sockets.push(socket);
        script.requests.push({route, ...body});
        const result = answer(route, body, socket, id);
        if (result !== undefined) socket.send(response(id, result));
      }
    });
  });
  ends.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return script;
}

function client(script, options = {}) {
  const made = new HubbubClient({gate: `ws://${HOST}:${script.port}`, WebSocket, backoff: {min: 5, max: 20}, ...options});
  made.seen = [];
  made.on('message', ({text, recovered}) => made.seen.push(recovered ? `recovered ${text}` : text));
  made.on('join', ({user}) => made.seen.push(`+${user}`));
  made.on('leave', ({user}) => made.seen.push(`-${user}`));
  made.on('gap', () => made.seen.push('gap'));
  made.on('lost', ({error}) => made.seen.push(`lost: ${error.message}`));
  made.states = [];
  made.on('state', ({state, reason}) => made.states.push(reason ? `${state}: ${reason}` : state));
  ends.push(() => made.close());
  return made;
}

const entered = (offset, more = {}) => ({users: ['ada'], total: 1, epoch: 1, offset, resume: `token-${offset}`, ...more});

test('it says that it is a client without protobuf', async () => {
  const script = await scripted(() => entered(1));
  await client(script).connect('ada');
  assert.equal(script.handshake.sys.type, 'hubbub-web');
  assert.match(script.handshake.sys.version, /^\d+\.\d+\.\d+$/);
});

test('pushes that overtake the answer of enter come after it; older ones and doubles are dropped', async () => {
  const script = await scripted((route, body, socket, id) => {
    socket.send(Buffer.concat([chat(4, 'before I came'), chat(6, 'first'), push('onAdd', {rid: 'r', user: 'eve', epoch: 1, offset: 7})]));
    socket.send(Buffer.concat([response(id, entered(5)), chat(7, 'a double'), chat(8, 'second'), chat(8, 'a double')]));
  });
  const ada = client(script);
  await ada.connect('ada');
  const {users} = await ada.enter('r');
  await until(() => ada.seen.includes('second'), 'the second message');
  assert.deepEqual(ada.seen, ['first', '+eve', 'second']);
  assert.ok(users.includes('ada'));
  assert.deepEqual(ada.users('r'), ['ada', 'eve']);
});

test('offsets of a new epoch count again', async () => {
  const script = await scripted((route, body, socket, id) => {
    socket.send(Buffer.concat([response(id, entered(5)), chat(6, 'old'), chat(1, 'new', {epoch: 2}), chat(1, 'a double', {epoch: 2}),
                               chat(2, 'newer', {epoch: 2})]));
  });
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => ada.seen.includes('newer'), 'the newest message');
  assert.deepEqual(ada.seen, ['old', 'new', 'newer']);
  const {epoch, offset} = ada.resumePoint('r');
  assert.deepEqual([epoch, offset], [2, 2]);
});

test('after a lost connection it shows what it has, and takes missed events in before later ones', async () => {
  let enters = 0;
  const script = await scripted((route, body, socket, id) => {
    enters += 1;
    if (enters === 1) {
      socket.send(Buffer.concat([response(id, entered(5)), chat(6, 'seen')]));
    } else {
      socket.send(chat(9, 'later'));
      socket.send(response(id, entered(8, {recovered: true, events: [
        {route: 'onChat', rid: 'r', msg: 'missed', from: 'bob', target: '*', epoch: 1, offset: 7, time: 7},
        {route: 'onAdd', rid: 'r', user: 'eve', epoch: 1, offset: 8},
      ]})));
    }
  });
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => ada.seen.includes('seen'), 'the first message');
  script.sockets[0].terminate();
  await until(() => ada.seen.includes('later'), 'the message after the reconnect');
  assert.deepEqual(ada.seen, ['seen', 'recovered missed', '+eve', 'later']);
  const {attempt, ...again} = script.requests[1];
  assert.deepEqual(again, {route: ENTER, username: 'ada', rid: 'r', resume: 'token-5', epoch: 1, offset: 6});
  assert.equal(script.requests[0].attempt, undefined);
  assert.ok(Number.isSafeInteger(attempt) && attempt > 0);
  await until(() => ada.state === 'connected', 'the state to say so');
  assert.deepEqual(ada.states, ['connecting', 'connected', 'reconnecting', 'connected']);
});

const SEND = 'chat.chatHandler.send';
const inRoom = (answer) => (route, ...rest) => (route === ENTER ? entered(rest[0].offset ?? 1) : answer(route, ...rest));
const sends = (script) => script.requests.filter(({route}) => route === SEND);

test('a send that may be repeated is, under one id, until the server has taken it', async () => {
  const answers = [{code: 503, error: true, message: 'soon'}, {code: 504, error: true, message: 'late'}, undefined, {offset: 7}];
  const script = await scripted(inRoom(() => answers.shift()));
  const ada = client(script, {requestTimeout: 100});
  await ada.connect('ada');
  await ada.enter('r');
  assert.deepEqual(await ada.send('r', 'hello', '*', {within: 60000}), {offset: 7});
  assert.equal(sends(script).length, 4);
  const [{id}] = sends(script);
  assert.match(id, /^.{16,64}$/);
  for (const body of sends(script)) assert.deepEqual(body, {route: SEND, rid: 'r', content: 'hello', target: '*', from: 'ada', id});
});

test('such sends survive the connection, wait for their room, and keep their order', async () => {
  let drops = 2;
  const script = await scripted(inRoom((route, body, socket) => {
    if (drops-- > 0) socket.terminate();
    else return {offset: Number(body.id)};
  }));
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  const answers = ['11', '12', '13'].map((id) => ada.send('r', `text ${id}`, '*', {id, within: 60000}));
  assert.deepEqual(await Promise.all(answers), [{offset: 11}, {offset: 12}, {offset: 13}]);
  assert.deepEqual(script.requests.map(({route, id}) => id ?? route), [ENTER, '11', ENTER, '11', ENTER, '11', '12', '13']);
});

test('such sends fail with what is final, and when their time or their room is over', async () => {
  const answers = [{code: 404, error: true, message: 'nobody has that name'}, {offset: 2}];
  const script = await scripted(inRoom(() => answers.shift() ?? {code: 503, error: true, message: 'never'}));
  const ada = client(script);
  await ada.connect('ada');
  await assert.rejects(ada.send('r', 'too early', '*', {within: 60000}), {name: 'HubbubError', code: 'left'});
  await ada.enter('r');
  const [first, second] = [ada.send('r', 'one', 'bob', {within: 60000}), ada.send('r', 'two', '*', {within: 60000})];
  await assert.rejects(first, {code: 404, message: /nobody/});
  assert.deepEqual(await second, {offset: 2}, 'a failure does not hold up the next one');
  await assert.rejects(ada.send('r', 'three', '*', {within: 50}), {code: 503, message: 'never'});
  const fourth = ada.send('r', 'four', '*', {within: 60000});
  await until(() => sends(script).some(({content}) => content === 'four'), 'a first attempt');
  const closed = assert.rejects(fourth, {code: 'closed'});
  ada.close();
  await closed;
});

test('it tells of what it drops, and which part of a room it may have missed', async () => {
  const script = await scripted((route, body, socket, id) => {
    if (script.requests.length > 1) return entered(9);
    socket.send(Buffer.concat([response(id, entered(5)), chat(6, 'seen'), chat(6, 'seen')]));
  });
  const ada = client(script);
  const told = [];
  ada.on('stale', ({room, route, body}) => told.push([room, route, body.offset]));
  ada.on('gap', (gap) => told.push(gap));
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => told.length, 'the double');
  script.sockets[0].terminate();
  await until(() => told.length === 2, 'the gap');
  assert.deepEqual(told, [['r', 'onChat', 6], {room: 'r', since: {epoch: 1, offset: 6}, until: {epoch: 1, offset: 9}}]);
});

test('it says that there may be a gap unless it knows better', async () => {
  const offsets = [5, 5, 9];
  const script = await scripted(() => entered(offsets.shift()));
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  script.sockets[0].terminate();
  await until(() => ada.states.length === 4, 'the first reconnect');
  assert.deepEqual(ada.seen, [], 'no event can be missing between equal offsets');
  script.sockets[1].terminate();
  await until(() => ada.states.length === 6, 'the second reconnect');
  assert.deepEqual(ada.seen, ['gap']);
});

test('a room that refuses it for good is reported as lost, and tried again while that may help', async () => {
  const soon = {code: 503, error: true, message: 'try again soon'};
  const answers = [entered(1), ...Array(8).fill(soon), {code: 403, error: true, message: 'banned'}];
  const script = await scripted(() => answers.shift());
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  script.sockets[0].terminate();
  await until(() => ada.seen.length, 'the room to be lost');
  assert.deepEqual(ada.seen, ['lost: banned']);
  assert.deepEqual(ada.rooms, []);
});

test('a connector that does not answer is left for another one', async () => {
  // Enters whose answers never come, as from a connector that hangs.
  let entersLeft = 1;
  const script = await scripted(() => (entersLeft-- > 0 ? entered(1) : undefined));
  const other = await scripted(() => entered(1, {recovered: true, events: []}));
  const ada = client(script, {timeout: 150});
  await ada.connect('ada');
  await ada.enter('r');
  script.sockets[0].terminate();
  await until(() => script.requests.length === 2, 'a second enter');
  script.elsewhere.push(other.port);
  await until(() => other.requests.length, 'an enter at the other one');
  await until(() => ada.state === 'connected', 'the client to be back');
  assert.deepEqual(ada.seen, []);
  assert.ok(script.asked >= 3, 'by way of the gate');
  assert.deepEqual(ada.rooms, ['r']);
});

test('a push says which messages were left out', async () => {
  const script = await scripted((route, body, socket, id) => {
    socket.send(Buffer.concat([response(id, entered(5)), chat(6, 'first'),
                               push('onGap', {rid: 'r', since: {epoch: 1, offset: 6}, until: {epoch: 1, offset: 9}}), chat(10, 'next')]));
  });
  const ada = client(script);
  const told = [];
  ada.on('gap', (gap) => told.push(gap));
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => ada.seen.includes('next'), 'the next message');
  assert.deepEqual(ada.seen, ['first', 'gap', 'next']);
  assert.deepEqual(told, [{room: 'r', since: {epoch: 1, offset: 6}, until: {epoch: 1, offset: 9}}]);
});

for (const [reason, states] of [['reconnect', ['reconnecting', 'connected']], ['replaced', ['offline: replaced']], ['banned', ['offline: banned']]]) {
  test(`a kick with the reason "${reason}"`, async () => {
    const script = await scripted(() => entered(1));
    const ada = client(script);
    const kicks = [];
    ada.on('kick', (kick) => kicks.push(kick.reason));
    await ada.connect('ada');
    await ada.enter('r');
    script.sockets[0].send(pack(KICK, JSON.stringify({reason})));
    await until(() => ada.states.length === 2 + states.length, 'the states to change');
    assert.deepEqual(ada.states.slice(2), states);
    assert.deepEqual(kicks, [reason]);
  });
}

// A connector that takes nobody, and says so in one way or another.
async function refusing(refuse) {
  const server = new WebSocketServer({port: 0, host: HOST});
  await once(server, 'listening');
  server.on('connection', refuse);
  ends.push(() => server.close());
  return server.address().port;
}

test('connect() asks the gate again when the connector is full, drains or cannot be reached', async () => {
  const kick = (reason) => (socket) => {
    socket.send(pack(KICK, JSON.stringify({reason})));
    socket.close(1013, reason);
  };
  const closed = new WebSocketServer({port: 0, host: HOST});
  await once(closed, 'listening');
  const nobody = closed.address().port;
  await new Promise((resolve) => closed.close(resolve));
  for (const refusals of [[kick('full')], [kick('reconnect'), kick('full')], [(socket) => socket.close(1013, 'full')], [null, kick('full')]]) {
    const elsewhere = await Promise.all(refusals.map((refuse) => (refuse ? refusing(refuse) : nobody)));
    const asks = elsewhere.length + 1;
    const script = await scripted(() => entered(1), {elsewhere});
    const ada = client(script);
    await ada.connect('ada');
    await ada.enter('r');
    assert.deepEqual(ada.states, ['connecting', 'connected']);
    assert.equal(script.asked, asks);
  }
});

test('connect() gives up when no connector takes the client', async () => {
  const full = await refusing((socket) => socket.close(1013, 'full'));
  const script = await scripted(() => entered(1), {elsewhere: [full, full, full, full]});
  const ada = client(script);
  await assert.rejects(ada.connect('ada'), {name: 'HubbubError', code: 'closed', message: /full/});
  assert.equal(script.asked, 3);
  assert.equal(ada.state, 'offline');
});

test('a client whose address has too many goes round no other connectors: connect() fails, and a reconnect waits longer', async () => {
  const kick = (socket) => {
    socket.send(pack(KICK, JSON.stringify({reason: 'too-many'})));
    socket.close(1013, 'too-many');
  };
  const close = (socket) => socket.close(1013, 'too-many');
  for (const refuse of [kick, close]) {
    const there = await refusing(refuse);
    const script = await scripted(() => entered(1), {elsewhere: [there]});
    const ada = client(script);
    await assert.rejects(ada.connect('ada'), {name: 'HubbubError', code: 429, message: /too many clients at your address/});
    assert.equal(script.asked, 1);
    assert.equal(ada.state, 'offline');

    await ada.connect('ada');
    await ada.enter('r');
    script.elsewhere.push(there, there);
    const attempts = [];
    ada.on('state', ({attempt, error}) => attempt && attempts.push([attempt, error.code]));
    script.sockets[0].terminate();
    await until(() => ada.state === 'connected' && attempts.length, 'the client to be back');
    assert.deepEqual(attempts, [[1, 'closed'], [2, 429], [3, 429]]);
    assert.equal(script.asked, 5);
  }
});

test('requests fail with a clear error when the connection ends or no answer comes', async () => {
  const script = await scripted((route) => (route === ENTER ? entered(1) : undefined));
  const ada = client(script, {requestTimeout: 300});
  await ada.connect('ada');
  await ada.enter('r');
  await assert.rejects(ada.send('r', 'hello?'), {name: 'HubbubError', code: 'timeout'});
  const pending = ada.send('r', 'hello??');
  script.sockets[0].terminate();
  await assert.rejects(pending, {name: 'HubbubError', code: 'closed', message: /before the server answered/});
});

test('it answers heartbeats in time, and gives a server up that has none left', async () => {
  const script = await scripted(() => entered(1), {heartbeat: 0.1});
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => script.beats >= 3, 'three heartbeats');
  assert.equal(ada.state, 'connected');
  script.answersHeartbeats = false;
  await until(() => ada.states.includes('reconnecting'), 'the silence to be noticed');
});

test('a pause of this process is not taken for one of the server', async () => {
  const script = await scripted(() => entered(1), {heartbeat: 0.2});
  let pauses = 0;
  // The timer that gives the server up is due before its answer can be read.
  Object.defineProperty(script, 'answersHeartbeats', {get: () => {
    if (++pauses <= 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    return true;
  }});
  const ada = client(script);
  await ada.connect('ada');
  await ada.enter('r');
  await until(() => script.beats >= 5, 'five heartbeats');
  assert.ok(!ada.states.includes('reconnecting'));
});

test('close() ends it for good, also in the middle of a reconnect', async () => {
  const script = await scripted(() => entered(1));
  const ada = client(script, {backoff: {min: 60000, max: 60000}});
  await ada.connect('ada');
  await ada.enter('r');
  script.sockets[0].terminate();
  await until(() => ada.state === 'reconnecting', 'the loss to be noticed');
  ada.close();
  assert.deepEqual(ada.states.at(-1), 'offline: closed');
  await ada.connect('ada');
  await ada.enter('r');
  assert.equal(ada.state, 'connected');
});

test('a server that writes nonsense is given up with an error that says so', async () => {
  const script = await scripted((route, body, socket) => {
    socket.send(pack(DATA, Buffer.from([4, 1, 0x7b])));
  });
  const ada = client(script);
  await ada.connect('ada');
  await assert.rejects(ada.enter('r'), {code: 'protocol', message: /cannot be read/});
});

test('an address of the loopback is read as "where the gate is" by those who reached the gate elsewhere', async () => {
  const dialled = [];
  class Dial {
    constructor(url) {
      dialled.push(url);
      return new WebSocket(url.replace(/\/\/[^/:]+/, `//${HOST}`));
    }
  }
  const script = await scripted(() => entered(1), {host: 'localhost'});
  const ada = new HubbubClient({gate: `ws://chat.example:${script.port}/`, WebSocket: Dial});
  ends.push(() => ada.close());
  await ada.connect('ada');
  assert.deepEqual(dialled, [`ws://chat.example:${script.port}/`, `ws://chat.example:${script.port}/`]);
});
