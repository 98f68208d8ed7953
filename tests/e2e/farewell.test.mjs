// What one user does has one order for everybody, also at the end: all that was said before it, the leave, then nothing.
import assert from 'node:assert/strict';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';

import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

import {RawTcp, RawWebSocket, request} from './pomelo_wire.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const proto = fileURLToPath(new URL('../../proto', import.meta.url));
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, {includeDirs: [proto], longs: Number})).hubbub;
const {ConnectorService} = load('hubbub/connector/v1/connector.proto').connector.v1;
const {ChatService} = load('hubbub/chat/v1/chat.proto').chat.v1;

const ROUNDS = 15;
const SENDS = 30;
const ROOM = 'farewell';

let suite;
let chat;
let connector;
let observer;
let heard = 0;  // Of the observer's messages.

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
  const credentials = grpc.credentials.createInsecure();
  chat = new ChatService(`127.0.0.1:${suite.chats[0].port}`, credentials);
  connector = new ConnectorService(`127.0.0.1:${suite.connectors[0].port}`, credentials);
  observer = await RawTcp.connect(suite.connectors[1].clientPort);
  await observer.join();
  await observer.request('connector.entryHandler.enter', {username: 'observer', rid: ROOM});
  const beat = setInterval(() => observer.send(Buffer.from([3, 0, 0, 0])), 2000);
  observer.socket.on('close', () => clearInterval(beat));
});
after(async () => {
  observer?.close();
  chat?.close();
  connector?.close();
  await suite?.stop();
});

const call = (stub, method, body) => new Promise((resolve, reject) => {
  stub[method](body, {deadline: Date.now() + 10000}, (error, answer) => (error ? reject(error) : resolve(answer)));
});

// How somebody may go, and whether all that was said before must have been heard.
const ENDS = {
  'a leave': {lossless: true, Client: RawTcp, end: (client) => client.send(request(1000, 'connector.entryHandler.leave', {rid: ROOM}))},
  'a close frame': {lossless: true, Client: RawWebSocket, end: (client) => client.socket.close()},
  'a FIN': {lossless: true, Client: RawTcp, end: (client) => client.socket.end()},
  'a WebSocket that breaks': {lossless: false, Client: RawWebSocket, end: (client) => client.close()},
  // What the room had taken before the kick may be heard after it: it waits for the store, and a leave does not.
  'an operator\'s kick': {lossless: false, late: true, Client: RawTcp, end: (_, user) => call(chat, 'Kick', {room: ROOM, user})},
  'a ban': {lossless: false, Client: RawWebSocket, end: (_, user) => call(connector, 'Disconnect', {user})},
};

for (const [name, {lossless, late, Client, end}] of Object.entries(ENDS)) {
  test(`after ${name} ${late ? 'nothing new is heard' : 'nobody is heard any more'}${lossless ? ', and nothing said before is lost' : ''}`, async () => {
    for (let round = 0; round < ROUNDS; ++round) {
      const user = `${name} ${round}`;
      const client = await Client.connect(suite.connectors[0].clientPort);
      await client.join();
      await client.request('connector.entryHandler.enter', {username: user, rid: ROOM});
      for (let i = 0; i < SENDS; ++i) {
        client.send(request(100 + i, 'chat.chatHandler.send', {rid: ROOM, content: `${i}`, target: '*'}));
      }
      const ended = end(client, user);
      const mine = () => observer.messages.slice(heard).filter(({body}) => [body?.user, body?.from].includes(user));
      await until(() => mine().some(({route}) => route === 'onLeave'), `the leave of ${user}`);
      await ended;
      // What comes later than the leave would come before this.
      const {offset} = await observer.request('chat.chatHandler.send', {rid: ROOM, content: 'is anybody there?', target: '*'});
      await until(() => observer.pushes('onChat').some((one) => one.offset === offset), 'the observer to hear itself');
      const seen = mine().map(({route, body}) => (route === 'onChat' ? body.msg : route));
      heard = observer.messages.length;
      const said = Array.from({length: seen.length - 2}, (_, i) => `${i}`);
      if (late) seen.push(...seen.splice(seen.indexOf('onLeave'), 1));
      assert.deepEqual(seen, ['onAdd', ...said, 'onLeave']);
      if (lossless) assert.equal(said.length, SENDS);
      client.close();
    }
  });
}
