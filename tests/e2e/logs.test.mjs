// What a running suite logs: one JSON object a line, an id that leads from a client's request to the chat server's answer, a
// level that changes while the programs run, and nothing of what people say.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

let suite;
let client;

before(async () => {
  const flags = ['--log_format=json', '--log_level=debug'];
  suite = await Suite.start({flags: {gate: flags, connector: flags, chat: flags}});
  client = await new StockClient().connect(suite.gatePort, 'alice');
});
after(async () => {
  client?.close();
  await suite?.stop();
});

// All whole lines of a server so far.
const linesOf = (server) => server.log.split('\n').slice(0, -1).map((line) => JSON.parse(line));

test('every line is one JSON object that says when, how grave, who and what', async () => {
  for (const server of [suite.gate, suite.connectors[0], suite.chats[0]]) {
    await until(() => linesOf(server).length > 0, `${server.id} to log something`);
    for (const {time, level, server: who, message} of linesOf(server)) {
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.match(level, /^(trace|debug|info|warn|error|critical)$/);
      assert.equal(who, server.id);
      assert.ok(message.length > 0);
    }
  }
});

test('so is the line on standard output that says that a server is ready', () => {
  for (const server of [suite.gate, suite.connectors[0], suite.chats[0]]) {
    const {server: who, message, grpc} = JSON.parse(server.ready);
    assert.deepEqual([who, message], [server.id, 'ready']);
    assert.match(grpc, new RegExp(`:${server.port}$`));
  }
});

test("a request's id leads from the connector to the chat server", async () => {
  await client.enter('alice', 'lobby');
  const [connector, chat] = [suite.connectors[0], suite.chats[0]];
  const last = (server, route) => linesOf(server).findLast((line) => line.route === route && line.request);
  await until(() => last(connector, 'connector.entryHandler.enter')?.code === '200', 'the connector to log the request');
  const {request} = last(connector, 'connector.entryHandler.enter');
  assert.match(request, /^[0-9a-f]{6}-[0-9a-f]+-[0-9a-f]+$/);
  const ofChat = () => linesOf(chat).filter((line) => line.request === request);
  await until(() => ofChat().length > 0, `the chat server to log ${request}`);
  assert.deepEqual(ofChat().map(({message, code}) => [message, code]), [['/hubbub.chat.v1.ChatService/Add', 'OK']]);
});

test('nothing of what people say is logged', async () => {
  await client.send('lobby', 'the secret word');
  await client.send('lobby', 'the secret word', 'nobody-of-this-name');
  const answered = () => linesOf(suite.connectors[0]).filter((line) => line.route === 'chat.chatHandler.send');
  await until(() => answered().length === 2, 'both requests to be logged');
  assert.deepEqual(answered().map(({code}) => code), ['200', '404']);
  // By the ids of the requests the chat server's lines are found, though both went over one stream.
  const codes = () => answered().map(({request}) => linesOf(suite.chats[0]).find((line) => line.request === request)?.code);
  await until(() => codes().join() === 'OK,NOT_FOUND', 'the chat server to log both');
  for (const server of [suite.gate, suite.connectors[0], suite.chats[0]]) assert.ok(!server.log.includes('secret'), server.id);
});

test('every answer is logged with the milliseconds that it took', async () => {
  await client.send('lobby', 'good morning');
  const answers = (server, start) => linesOf(server).filter(({message}) => message.startsWith(start));
  for (const [server, start] of [[suite.connectors[0], 'a request of'], [suite.chats[0], '/hubbub.chat.v1.ChatService/Add'],
                                 [suite.chats[0], 'ChatService.SendStream: a send']]) {
    await until(() => answers(server, start).length > 0, `${server.id} to log "${start} …"`);
    for (const {ms} of answers(server, start)) assert.match(ms, /^\d+\.\d$/, start);
  }
});

test('signals change the level while the program runs', async () => {
  const [connector] = suite.connectors;
  const levels = () => linesOf(connector).map(({message}) => /level is (\w+) now/.exec(message)?.[1]).filter(Boolean);
  for (const [signal, level] of [['SIGUSR2', 'info'], ['SIGUSR2', 'warn'], ['SIGUSR1', 'info'], ['SIGUSR1', 'debug']]) {
    const before = levels().length;
    connector.process.kill(signal);
    await until(() => levels().length > before, `${connector.id} to say its level after ${signal}`);
    assert.equal(levels().at(-1), level);
  }
});

// Bytes that are no UTF-8 in a field that has to be, as anybody who reaches a gRPC port can send them: protobuf complains of each.
async function sendNoUtf8(port, times) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const body = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0xff]);
  await Promise.all(Array.from({length: times}, () => new Promise((resolve) => {
    const stream = session.request({':method': 'POST', ':path': '/hubbub.chat.v1.ChatService/Send', 'content-type': 'application/grpc', te: 'trailers'});
    stream.on('error', () => {});
    stream.on('close', resolve);
    stream.resume();
    stream.end(body);
  })));
  session.close();
}

test("what gRPC and protobuf say are lines as the others, and a stranger cannot fill the log with them", async () => {
  const [chat] = suite.chats;
  await sendNoUtf8(chat.port, 200);
  const complaints = () => linesOf(chat).filter(({message}) => message.startsWith('protobuf: '));
  await until(() => complaints().length > 0, 'protobuf to complain');
  assert.ok(complaints().length <= 20, `${complaints().length} lines`);
  for (const {level, source} of complaints()) {
    assert.equal(level, 'error');
    assert.match(source, /^[\w.]+:\d+$/);
  }
});

test('a server that runs as root says so once, and no other does', () => {
  const expected = process.getuid() === 0 ? ['warn'] : [];
  for (const server of [suite.gate, suite.connectors[0], suite.chats[0]]) {
    const warnings = linesOf(server).filter(({message}) => message.includes('runs as root'));
    assert.deepEqual(warnings.map(({level}) => level), expected, server.id);
  }
});
