// The Java clients of Socket.IO as they come from their registry, two majors of them.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

import {until} from './wait.mjs';

export const MAJORS = [1, 2];
const ROUTES = ['onChat', 'onAdd', 'onLeave', 'onKick'];

// One Java program, which has all clients of a major: to start one takes longer than what a test does with it.
export class JavaProgram {
  #log = '';
  #clients = [];

  constructor(major) {
    this.major = major;
    const jars = fileURLToPath(new URL(`../../.cache/java/socket.io-client-${major}`, import.meta.url));
    assert.ok(existsSync(jars), `${jars} is missing: ./dev test makes it`);
    // Java compiles the file in memory. The options are for a short life on few cores.
    this.process = spawn('java', ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', `${jars}/*`,
                                  fileURLToPath(new URL('java/SocketIoClient.java', import.meta.url))]);
    for (const event of ['error', 'exit']) this.process.on(event, (how) => this.#note(`${event} ${how}`));
    this.process.stdin.on('error', () => {});  // The log says more.
    this.process.stderr.on('data', (text) => this.#note(text));
    createInterface({input: this.process.stdout}).on('line', (line) => {
      const event = JSON.parse(line);
      this.#clients[event.client].heard(event);
    });
  }

  #note(text) {
    this.#log = (this.#log + text).slice(-5000);
  }
  get log() {
    return this.#log;
  }

  say(command) {
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  // `options`: namespace, transports and auth, as Java's IO.socket() takes them.
  client(port, {namespace = '/', ...options} = {}) {
    const number = this.#clients.length;
    const client = new JavaSocketIo(this, number);
    this.#clients.push(client);
    this.say({client: number, connect: `http://127.0.0.1:${port}${namespace}`, ...options});
    return client;
  }

  async connect(port, options) {
    const client = this.client(port, options);
    await client.happened('connect');
    return client;
  }

  // The clients' sessions end with it.
  close() {
    this.process.kill('SIGKILL');
  }
}

class JavaSocketIo {
  pushes = Object.fromEntries(ROUTES.map((route) => [route, []]));
  events = [];  // ['connect'], ['disconnect', reason], ['connect_error', error], in the order of time.
  #answers = new Map();
  #id = 0;

  constructor(program, number) {
    Object.assign(this, {program, number});
  }

  heard({event, args, id, answer}) {
    if (answer) this.#answers.set(id, answer);
    else if (event in this.pushes) this.pushes[event].push(...args);
    else this.events.push([event, ...args]);
  }

  async #answer(command) {
    const id = ++this.#id;
    this.program.say({client: this.number, id, ...command});
    const answer = await until(() => this.#answers.get(id),
                               () => `the answer to ${JSON.stringify(command).slice(0, 500)}; ${this.program.log}`);
    assert.equal(answer.length, 1);
    return answer[0];
  }

  ask(event, ...args) {
    return this.#answer({ask: event, args});
  }
  transport() {
    return this.#answer({transport: true});
  }

  happened(event, count = 1) {
    return until(() => this.events.filter(([name]) => name === event)[count - 1],
                 () => `${event}; there were ${JSON.stringify(this.events)}; ${this.program.log}`);
  }
  received(route, match) {
    return until(() => this.pushes[route].find(match),
                 () => `a matching ${route}; there were ${JSON.stringify(this.pushes[route]).slice(0, 500)}`);
  }
  get texts() {
    return this.pushes.onChat.map(({msg}) => msg);
  }

  close() {
    this.program.say({client: this.number, close: true});
  }
}
