// Every request is answered exactly once. What cannot be done is answered with {code, error: true, message} and a code of
// 400 or more; a notify is never answered.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {RawTcp, RawWebSocket, notify, request} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ENTER = 'connector.entryHandler.enter';
const LEAVE = 'connector.entryHandler.leave';
const SEND = 'chat.chatHandler.send';
const LONG = 'x'.repeat(65);

let suite;
const open = [];

before(async () => {
  suite = await Suite.start();
});
after(async () => {
  for (const client of open) client.close();
  await suite?.stop();
});

async function client(Kind = RawTcp, port = suite.connectors[0].clientPort) {
  const made = await Kind.connect(port);
  open.push(made);
  await made.join();
  return made;
}

// The only answer to one request. A second request behind it has been answered by then, so a further answer to the first
// one would be here. A send does not keep the next request waiting, so its own answer may come after that one's.
async function onlyAnswer(raw, id, route, body) {
  raw.send(request(id, route, body));
  raw.send(request(id + 1, 'a.b.c', {}));
  await until(() => (raw.responses(id).length && raw.responses(id + 1).length) || raw.closed, `an answer to ${route}`);
  assert.equal(raw.responses(id).length, 1, `${route} has one answer`);
  return raw.responses(id)[0];
}

function assertError(answer, code, message) {
  assert.equal(answer.error, true, JSON.stringify(answer));
  assert.equal(answer.code, code, JSON.stringify(answer));
  assert.match(answer.message, message);
}

const ON_CONNECTOR = [
  ['enter without a name', ENTER, {rid: 'r'}, 400, /username/],
  ['enter with an empty name', ENTER, {username: '', rid: 'r'}, 400, /username/],
  ...[null, true, {}, ['u']].map((username) =>
    [`enter with ${JSON.stringify(username)} as name`, ENTER, {username, rid: 'r'}, 400, /username must be a text or a number/]),
  ['enter with an object as room', ENTER, {username: 'u', rid: {}}, 400, /rid must be a text or a number/],
  ['enter with a name of 65 bytes', ENTER, {username: LONG, rid: 'r'}, 400, /username.*64/],
  ['enter with a name of 22 Chinese characters', ENTER, {username: '名'.repeat(22), rid: 'r'}, 400, /username.*66 bytes/],
  ['enter with a line feed in the name', ENTER, {username: 'a\nb', rid: 'r'}, 400, /username.*control/],
  ['enter with U+0085 in the name', ENTER, {username: 'a\u0085b', rid: 'r'}, 400, /username.*control/],
  ['enter without a room', ENTER, {username: 'u'}, 400, /rid/],
  ['enter with an empty room', ENTER, {username: 'u', rid: ''}, 400, /rid/],
  ['enter with a room of 65 bytes', ENTER, {username: 'u', rid: LONG}, 400, /rid.*64/],
  ['enter with a DEL in the room', ENTER, {username: 'u', rid: 'a\x7f'}, 400, /rid.*control/],
  ['enter with broken JSON', ENTER, '{"username":', 400, /./],
  ['enter with JSON that is no object', ENTER, '[1,2]', 400, /./],
  ['enter with an empty body', ENTER, '', 400, /username is missing/],
  ['enter with bytes that are no UTF-8', ENTER, Buffer.from('7b2275223a22ff227d', 'hex'), 400, /./],
  ['send before enter', SEND, {rid: 'r', content: 'hi', target: '*'}, 403, /enter it first/],
  ['leave before enter', LEAVE, {rid: 'r'}, 403, /enter it first/],
  ['queryEntry at a connector', 'gate.gateHandler.queryEntry', {uid: 'u'}, 404, /gate/],
  ['an unknown method', 'chat.chatHandler.nonsense', {}, 404, /nonsense/],
  ['an unknown server type', 'area.areaHandler.move', {}, 404, /area/],
  ['a route without dots', 'enter', {}, 404, /enter/],
  ['a route with four parts', 'a.b.c.d', {}, 404, /a\.b\.c\.d/],
  ['a method named constructor', 'chat.chatHandler.constructor', {}, 404, /constructor/],
  ['an empty route', '', {}, 404, /./],
  ['an unknown code of the dictionary', 999, {}, 404, /999/],
];

for (const [name, route, body, code, message] of ON_CONNECTOR) {
  test(`refused: ${name}`, async () => {
    assertError(await onlyAnswer(await client(), 300, route, body), code, message);
  });
}

test('refused in a room: what cannot be sent, and entering again', async () => {
  const raw = await client(RawWebSocket);
  assert.deepEqual((await raw.request(ENTER, {username: 'ada', rid: 'in'})).users, ['ada']);
  const cases = [
    ['enter the same room again', ENTER, {username: 'ada', rid: 'in'}, 500, /already/],
    ['enter as somebody else', ENTER, {username: 'bob', rid: 'other'}, 403, /belongs to 'ada'/],
    ['send to another room', SEND, {rid: 'other', content: 'hi', target: '*'}, 403, /other/],
    ['send without a room', SEND, {content: 'hi', target: '*'}, 400, /rid/],
    ['send without content', SEND, {rid: 'in', target: '*'}, 400, /content/],
    ['send content that is no text', SEND, {rid: 'in', content: {}, target: '*'}, 400, /content/],
    ['send to true', SEND, {rid: 'in', content: 'hi', target: true}, 400, /target/],
    ['send with an id that is none', SEND, {rid: 'in', content: 'hi', target: '*', id: []}, 400, /id/],
    ['send content of 32 KiB and a byte', SEND, {rid: 'in', content: 'x'.repeat(32769), target: '*'}, 400, /content.*32769.*32768/],
    ['send as much as a request may have', SEND, {rid: 'in', content: 'x'.repeat(200000), target: '*'}, 400, /content.*200000.*32768/],
    ['send content that is too long as JSON', SEND, {rid: 'in', content: '\x01'.repeat(32768), target: '*'}, 400, /content.*196608.*JSON/],
    ['send to a user who is not there', SEND, {rid: 'in', content: 'hi', target: 'nobody'}, 404, /nobody/],
    ['send to a name that cannot be', SEND, {rid: 'in', content: 'hi', target: LONG}, 400, /target/],
    ['leave another room', LEAVE, {rid: 'other'}, 403, /other/],
    ['leave without a room', LEAVE, {}, 400, /rid/],
  ];
  let id = 1000;
  for (const [name, route, body, code, message] of cases) {
    const answer = await onlyAnswer(raw, id += 2, route, body);
    assert.ok(answer.error, `${name}: ${JSON.stringify(answer)}`);
    assertError(answer, code, message);
  }
  assert.deepEqual(raw.pushes('onChat'), [], 'nothing of this was said');
  const most = await raw.request(SEND, {rid: 'in', content: 'x'.repeat(32768), target: '*'});
  assert.equal(most.error, undefined, 'content of 32 KiB is allowed');
});

test('a gate refuses a missing or impossible uid with code 500, and all other routes', async () => {
  const raw = await client(RawTcp, suite.gatePort);
  let id = 1;
  for (const body of [{}, '', {uid: ''}, {uid: null}, {uid: true}, {uid: {}}, {uid: [1]}, {uid: LONG}, {uid: 'a\tb'}]) {
    assertError(await onlyAnswer(raw, id += 2, 'gate.gateHandler.queryEntry', body), 500, /uid/);
  }
  for (const body of ['{"uid":', 'null', '[1]', Buffer.from('7b2275223a22ff227d', 'hex')]) {
    assertError(await onlyAnswer(raw, id += 2, 'gate.gateHandler.queryEntry', body), 500, /the body of 'gate/);
  }
  assertError(await onlyAnswer(raw, id += 2, ENTER, {username: 'u', rid: 'r'}), 404, /gate/);
  assert.equal((await onlyAnswer(raw, id += 2, 'gate.gateHandler.queryEntry', {uid: 12345})).code, 200, 'numbers are taken as uid');
});

test('a notify is never answered, but acted upon', async () => {
  const raw = await client();
  await raw.request(ENTER, {username: 'eve', rid: 'notified'});
  const before = raw.messages.length;
  for (const [route, body] of [['no.such.route', {}], [ENTER, '{'], [SEND, {rid: 'notified', content: 'by notify', target: '*'}]]) {
    raw.send(notify(route, body));
  }
  await until(() => raw.pushes('onChat').length === 1, 'the message');
  assert.equal(raw.pushes('onChat')[0].msg, 'by notify');
  await raw.request(LEAVE, {rid: 'notified'});
  const later = raw.messages.slice(before);
  assert.deepEqual(later.map(({route, id}) => route ?? (id ? 'the answer to leave' : id)), ['onChat', 'the answer to leave']);
});

test('a request id comes back byte by byte, whichever group a client writes first', async () => {
  const raw = await client();
  const ids = ['2c', '822c', 'ac02', '8100', '808001', 'ffffffff7f', 'ffffffffffffffffff7f'];
  for (const id of ids) raw.send(request(Buffer.from(id, 'hex'), 'x.y.z', {}));
  const answers = () => raw.packages.filter(({type}) => type === 4).map(({body}) => body.toString('latin1'));
  await until(() => answers().length === ids.length, 'the answers');
  for (const [i, id] of ids.entries()) assert.ok(answers()[i].startsWith(`\x04${Buffer.from(id, 'hex').toString('latin1')}{"code":404,`), id);
});

test('request ids of up to five bytes come back as they were', async () => {
  for (const id of [1, 126, 127, 16382, 16383, 2 ** 21, 2 ** 31 - 1, 2 ** 32 - 2]) {
    assertError(await onlyAnswer(await client(), id, 'x.y.z', {}), 404, /x\.y\.z/);
  }
});
