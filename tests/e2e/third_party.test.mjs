// Clients that others have written, as they come from their registries: what works with the stock demo works here, with
// numbers as names and with any text.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until, withDeadline} from './wait.mjs';

const QUERY_ENTRY = 'gate.gateHandler.queryEntry';
const ENTER = 'connector.entryHandler.enter';
const LEAVE = 'connector.entryHandler.leave';
const SEND = 'chat.chatHandler.send';
const TEXTS = ['plain', 'Grüße, señor', '你好，世界', '"quotes" \\ / \n\t', '😂 and 𝒳', '語'.repeat(3000)];

// pypomelo, over TCP. It has a process of its own, which pypomelo_client.py lets us drive.
class PyPomelo {
  events = [];
  #process;
  #log = '';

  static start() {
    const python = fileURLToPath(new URL('../../.cache/e2e-venv/bin/python', import.meta.url));
    assert.ok(existsSync(python), `${python} is missing: ./dev test makes it`);
    const client = new PyPomelo();
    client.#process = spawn(python, [fileURLToPath(new URL('pypomelo_client.py', import.meta.url))]);
    client.#process.stderr.on('data', (text) => {
      client.#log += text;
    });
    createInterface({input: client.#process.stdout}).on('line', (line) => client.events.push(JSON.parse(line)));
    return client;
  }

  #say(command) {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #next(match, what, from) {
    return until(() => this.events.slice(from).find(match), () => `${what} of pypomelo, which says ${this.#log}`);
  }

  async init(port) {
    const from = this.events.length;
    this.#say({connect: port});
    await this.#next(({connected}) => connected, 'the handshake', from);
  }

  async request(route, body) {
    const from = this.events.length;
    this.#say({request: route, body});
    return (await this.#next(({response}) => response === route, `the answer to ${route}`, from)).body;
  }

  pushes(route) {
    return this.events.filter(({push}) => push === route).map(({body}) => body);
  }

  async disconnect() {
    const from = this.events.length;
    this.#say({close: true});
    await this.#next(({closed}) => closed, 'the end', from);
  }

  close() {
    this.#process.kill('SIGKILL');
  }
}

// pomelo-client-websocket, which reads the first package of a WebSocket frame alone.
class ClientWebSocket {
  static #Pomelo;
  #pomelo = null;
  #pushes = {onChat: [], onAdd: [], onLeave: []};

  static start() {
    // It puts a WebSocket of its own where Node.js may have one.
    ClientWebSocket.#Pomelo ??= createRequire(import.meta.url)('pomelo-client-websocket');
    return new ClientWebSocket();
  }

  init(port) {
    this.#pomelo = new ClientWebSocket.#Pomelo();
    for (const route of Object.keys(this.#pushes)) this.#pomelo.on(route, (body) => this.#pushes[route].push(body));
    return withDeadline(new Promise((resolve) => this.#pomelo.init({host: '127.0.0.1', port}, resolve)), 'the handshake');
  }

  request(route, body) {
    return withDeadline(new Promise((resolve) => this.#pomelo.request(route, body, resolve)), `the answer to ${route}`);
  }

  pushes(route) {
    return this.#pushes[route];
  }

  async disconnect() {
    this.#pomelo?.disconnect();
    this.#pomelo = null;
  }

  close() {
    this.disconnect();
  }
}

let suite;
before(async () => {
  suite = await Suite.start();
});
after(() => suite?.stop());

for (const [Kind, username, rid] of [[PyPomelo, 10001, 7], [ClientWebSocket, 10002, 8]]) {
  test(`${Kind.name}: enters, sends, receives and leaves, with numbers as names`, async () => {
    const other = new StockClient();
    const client = Kind.start();
    try {
      await client.init(suite.gatePort);
      assert.equal((await client.request(QUERY_ENTRY, {})).code, 500, 'a queryEntry without uid is refused with 500');
      const entry = await client.request(QUERY_ENTRY, {uid: username});
      assert.equal(entry.code, 200, JSON.stringify(entry));
      assert.equal((await client.request(QUERY_ENTRY, {uid: String(username)})).port, entry.port, 'a number is its text');
      await client.disconnect();
      await client.init(entry.port);

      assert.deepEqual((await client.request(ENTER, {username, rid})).users, [String(username)]);
      await other.connect(suite.gatePort, 'other');
      assert.deepEqual((await other.enter('other', String(rid))).users, [String(username), 'other']);
      await until(() => client.pushes('onAdd').some(({user}) => user === 'other'), 'onAdd');

      for (const content of TEXTS) {
        const answer = await client.request(SEND, {rid, content, from: username, target: '*'});
        assert.equal(answer.error, undefined, JSON.stringify(answer));
      }
      assert.ok((await client.request(SEND, {rid, content: 42, from: username, target: 'other'})).offset);
      const sent = [...TEXTS, '42'];
      await until(() => other.texts.length === sent.length, 'the messages');
      assert.deepEqual(other.texts, sent);
      assert.deepEqual([...new Set(other.pushes.onChat.map(({from}) => from))], [String(username)]);

      for (const text of TEXTS) await other.send(rid, text, username);
      const toClient = () => client.pushes('onChat').filter(({from}) => from === 'other');
      await until(() => toClient().length === TEXTS.length, () => `${TEXTS.length} messages; there are ${JSON.stringify(toClient())}`);
      assert.deepEqual(toClient().map(({msg}) => msg), TEXTS);
      assert.deepEqual(client.pushes('onChat').filter(({from}) => from === String(username)).map(({msg}) => msg), TEXTS, 'its own');

      assert.equal((await client.request(LEAVE, {rid})).code, 200);
      await other.received('onLeave', ({user}) => user === String(username));
      await client.disconnect();
    } finally {
      other.close();
      client.close();
    }
  });
}
