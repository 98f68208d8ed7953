// python-socketio, as it comes from its registry, in one room with a client of Pomelo.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const TEXTS = ['plain', 'Grüße, señor', '你好，世界', '"quotes" \\ / \n\t', '😂 and 𝒳', '語'.repeat(3000)];

class PythonSocketIo {
  events = [];
  #log = '';

  constructor() {
    const python = fileURLToPath(new URL('../../.cache/e2e-venv/bin/python', import.meta.url));
    assert.ok(existsSync(python), `${python} is missing: ./dev test makes it`);
    this.process = spawn(python, [fileURLToPath(new URL('python_socketio_client.py', import.meta.url))]);
    this.process.stderr.on('data', (text) => {
      this.#log += text;
    });
    createInterface({input: this.process.stdout}).on('line', (line) => this.events.push(JSON.parse(line)));
  }

  // Says a command and waits for what it brings.
  async say(command, match) {
    const from = this.events.length;
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
    return until(() => this.events.slice(from).find(match), () => `what ${JSON.stringify(command)} brings; python-socketio says ${this.#log}`);
  }
  async ask(event, body) {
    return (await this.say({ask: event, body}, ({answer}) => answer === event)).body;
  }
  pushes(route) {
    return this.events.filter(({push}) => push === route).map(({body}) => body);
  }
}

let suite;
before(async () => {
  suite = await Suite.start();
});
after(() => suite?.stop());

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  for (const namespace of ['/', '/chat']) {
    test(`python-socketio by ${transports} in ${namespace}`, async () => {
      const rid = `${transports} ${namespace}`;
      const client = new PythonSocketIo();
      const other = await new StockClient().connect(suite.gatePort, 'other');
      try {
        const [{clientPort}] = suite.connectors;
        await client.say({connect: `http://127.0.0.1:${clientPort}`, transports, namespace}, ({connected}) => connected);
        assert.deepEqual((await client.ask('enter', {username: 'monty', rid})).users, ['monty']);
        await other.enter('other', rid);
        await until(() => client.pushes('onAdd').some(({user}) => user === 'other'), 'onAdd');
        for (const content of TEXTS) assert.equal((await client.ask('send', {rid, content, target: '*'})).error, undefined);
        await until(() => other.texts.length === TEXTS.length, 'the messages');
        assert.deepEqual(other.texts, TEXTS);
        for (const content of TEXTS) await other.send(rid, content);
        await until(() => client.pushes('onChat').length === 2 * TEXTS.length, 'all messages');
        assert.deepEqual(client.pushes('onChat').map(({msg}) => msg), [...TEXTS, ...TEXTS]);
        await client.say({close: true}, ({closed}) => closed);
        await other.received('onLeave', ({user}) => user === 'monty');
      } finally {
        client.process.kill('SIGKILL');
        other.close();
      }
    });
  }
}
