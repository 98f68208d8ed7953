// Pitaya's own client, in the program that tests/e2e/pitaya/main.go is and that `./dev` builds: its comment says which lines
// go in and out.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

import {until} from './wait.mjs';

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class PitayaClient {
  events = [];
  exit = null;
  #stderr = '';
  #said = 0;

  // `path`: of a WebSocket; without one the client uses TCP.
  static async connect(port, path) {
    const client = new PitayaClient();
    client.process = spawn('pitaya-client', [`127.0.0.1:${port}`, ...(path === undefined ? [] : [path])]);
    const child = client.process;
    running.add(child);
    child.stderr.on('data', (text) => {
      client.#stderr += text;
    });
    createInterface({input: child.stdout}).on('line', (line) => client.events.push(JSON.parse(line)));
    child.on('error', (error) => {
      client.exit = error.message;
    });
    child.on('close', (code, signal) => {
      running.delete(child);
      client.exit ??= signal ?? code;
    });
    await until(() => client.of('connected').length || client.exit !== null, 'a Pitaya client to connect');
    if (!client.of('connected').length) throw new Error(`A Pitaya client did not connect: ${client}`);
    return client;
  }

  of(event) {
    return this.events.filter((one) => one.event === event);
  }

  pushes(route) {
    return this.of('push').filter((push) => push.route === route).map(({body}) => body);
  }

  get open() {
    return this.exit === null && !this.of('disconnected').length;
  }

  #say(line) {
    this.process.stdin.write(`${JSON.stringify(line)}\n`);
    return ++this.#said;  // The client counts requests and notifies alike, and makes that the id.
  }

  notify(route, body) {
    this.#say({notify: route, body});
  }

  // {error, body} of the answer.
  request(route, body) {
    const id = this.#say({request: route, body});
    return until(() => this.of('response').find((response) => response.id === id), () => `the answer to ${route}: ${this}`);
  }

  // The body of an answer that is none of an error.
  async ask(route, body) {
    const answer = await this.request(route, body);
    if (answer.error) throw new Error(`${route} failed: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  received(route, match) {
    return until(() => this.pushes(route).find(match), () => `a matching ${route}: ${this}`);
  }

  toString() {
    return `${JSON.stringify(this.events).slice(-1000)} ${this.exit ?? ''} ${this.#stderr.slice(-1000)}`;
  }

  // Its input ends, so it disconnects.
  async close() {
    this.process.stdin.end();
    await until(() => this.exit !== null, 'a Pitaya client to end');
  }
}
