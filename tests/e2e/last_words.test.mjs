// A client that has said its last word, and ended its side or closed, is still answered: FIN ends one direction only.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';

import {RawTcp, RawWebSocket, handshake, pack, request, ACK} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const SENDS = 64;

let suite;
let listener;

before(async () => {
  suite = await Suite.start();
  listener = await RawTcp.connect(suite.connectors[0].clientPort);
  await listener.join();
  await listener.request('connector.entryHandler.enter', {username: 'listener', rid: 'last'});
});
after(async () => {
  listener?.close();
  await suite?.stop();
});

const enter = (username) => request(1, 'connector.entryHandler.enter', {username, rid: 'last'});
const sends = (username) => Array.from({length: SENDS}, (_, i) =>
  request(2 + i, 'chat.chatHandler.send', {rid: 'last', content: `${username} ${i}`, target: '*'}));

// Every request once, and the room heard all of it.
async function expectAnswers(client, username) {
  await client.ended();
  for (let id = 1; id <= SENDS + 1; ++id) assert.equal(client.responses(id).length, 1, `answers to request ${id}`);
  assert.ok(client.responses(1)[0].users, JSON.stringify(client.responses(1)[0]));
  assert.ok(client.responses(SENDS + 1)[0].offset);
  await until(() => listener.pushes('onLeave').some(({user}) => user === username), `${username} to leave`);
  assert.equal(listener.pushes('onChat').filter(({from}) => from === username).length, SENDS);
}

test('over TCP all that came before a FIN is answered', async () => {
  for (let i = 0; i < 5; ++i) {
    const client = new RawTcp();
    client.socket = net.connect({port: suite.connectors[0].clientPort, host: '127.0.0.1', allowHalfOpen: true});
    client.socket.on('data', (bytes) => client.received(bytes));
    client.socket.on('end', () => {
      client.closed = true;
    });
    client.socket.end(Buffer.concat([handshake(), pack(ACK), enter(`fin${i}`), ...sends(`fin${i}`)]));
    await expectAnswers(client, `fin${i}`);
    client.close();
  }
});

test('over WebSocket all that came before a close frame is answered', async () => {
  for (let i = 0; i < 5; ++i) {
    const client = await RawWebSocket.connect(suite.connectors[0].clientPort);
    let code = 0;
    client.socket.on('close', (got) => {
      code = got;
    });
    await client.join();
    for (const bytes of [enter(`close${i}`), ...sends(`close${i}`)]) client.send(bytes);
    client.socket.close(1000);
    await expectAnswers(client, `close${i}`);
    assert.equal(code, 1000);
  }
});
