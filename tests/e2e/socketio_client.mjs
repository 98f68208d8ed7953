// Clients of Socket.IO as they come from the registry, several majors of them.
import {createRequire} from 'node:module';

import {until, withDeadline} from './wait.mjs';

const require = createRequire(import.meta.url);
export const MAJORS = [2, 3, 4];

const ROUTES = ['onChat', 'onAdd', 'onLeave', 'onKick'];

export class SocketIo {
  pushes = Object.fromEntries(ROUTES.map((route) => [route, []]));
  events = [];  // ['connect'], ['disconnect', reason], ['connect_error', error], in the order of time.

  // `options` as io() takes them.
  constructor(port, {major = 4, namespace = '/', scheme = 'http', ...options} = {}) {
    const io = require(`socket.io-client-${major}`);
    this.socket = io(`${scheme}://127.0.0.1:${port}${namespace}`, {forceNew: true, reconnectionDelay: 100, ...options});
    for (const route of ROUTES) this.socket.on(route, (body) => this.pushes[route].push(body));
    // Majors before 3 say 'error' where the server refuses a namespace.
    for (const event of ['connect', 'disconnect', 'connect_error', 'error']) {
      this.socket.on(event, (detail) => this.events.push([event, detail]));
    }
  }

  static async connect(port, options) {
    const client = new SocketIo(port, options);
    await client.happened('connect');
    return client;
  }

  happened(event, count = 1) {
    return until(() => this.events.filter(([name]) => name === event)[count - 1], () => `${event}; there were ${JSON.stringify(this.events)}`);
  }

  ask(event, ...args) {
    return withDeadline(new Promise((resolve) => this.socket.emit(event, ...args, resolve)), `the answer to ${event}`);
  }

  get transport() {
    return this.socket.io.engine.transport.name;
  }

  get texts() {
    return this.pushes.onChat.map(({msg}) => msg);
  }

  received(route, match) {
    return until(() => this.pushes[route].find(match), () => `a matching ${route}; there were ${JSON.stringify(this.pushes[route]).slice(0, 500)}`);
  }

  close() {
    this.socket.removeAllListeners?.();
    this.socket.disconnect();
  }
}

// Pomelo over Socket.IO: what Pomelo's own page for it puts into the text of an event, and how it reads what comes.
export class PomeloOverSocketIo {
  pushes = Object.fromEntries(ROUTES.map((route) => [route, []]));
  #waiting = new Map();
  #id = 1;

  static async connect(port, {major = 2, ...options} = {}) {
    const client = new PomeloOverSocketIo();
    const io = require(`socket.io-client-${major}`);
    client.socket = io(`ws://127.0.0.1:${port}`, {'force new connection': true, forceNew: true, ...options});
    client.socket.on('message', (text) => client.#onMessage(JSON.parse(text)));
    await withDeadline(new Promise((resolve) => client.socket.on('connect', resolve)), 'the connection of Pomelo over Socket.IO');
    return client;
  }

  #onMessage({id, route, body, reason}) {
    if (id) return this.#waiting.get(id)(body);
    this.pushes[route].push(body ?? {reason});
  }

  #say(id, route, body) {
    const bytes = [id >>> 24, id >>> 16 & 255, id >>> 8 & 255, id & 255, route.length];
    this.socket.send(String.fromCharCode(...bytes) + route + JSON.stringify({...body, timestamp: Date.now()}));
  }

  request(route, body) {
    const id = ++this.#id;
    this.#say(id, route, body);
    return withDeadline(new Promise((resolve) => this.#waiting.set(id, resolve)), `the answer to ${route}`);
  }
  notify(route, body) {
    this.#say(0, route, body);
  }
  // So that the next id has bytes of two characters in UTF-8.
  skipTo(id) {
    this.#id = id;
  }

  get texts() {
    return this.pushes.onChat.map(({msg}) => msg);
  }
  received(route, match) {
    return until(() => this.pushes[route].find(match), () => `a matching ${route}; there were ${JSON.stringify(this.pushes[route]).slice(0, 500)}`);
  }
  close() {
    this.socket.disconnect();
  }
}
