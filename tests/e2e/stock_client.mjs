// The stock JavaScript client, unchanged, as many times in one process as a test wants. Each one gets a global object of its
// own with what the client expects of a browser; see "traps" in the notes on the protocol: it reads Protocol, protobuf and
// EventEmitter from `window` when it is loaded, and calls decodeStr what the package from the registry calls decode.
import {EventEmitter} from 'node:events';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import vm from 'node:vm';

import {WebSocket} from 'ws';

import {until, withDeadline} from './wait.mjs';

const require = createRequire(import.meta.url);
const scriptOf = (name, path) => {
  const file = join(dirname(require.resolve(`${name}/package.json`)), path);
  return new vm.Script(readFileSync(file, 'utf8'), {filename: file});
};
const scripts = {
  protocol: scriptOf('pomelo-protocol', 'lib/protocol.js'),
  protobuf: scriptOf('pomelo-protobuf', 'lib/client/protobuf.js'),
  client: scriptOf('pomelo-jsclient-websocket', 'lib/pomelo-client.js'),
};

export class Storage {
  #items = new Map();
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
}

export class StockClient {
  pushes = {onChat: [], onAdd: [], onLeave: [], onKick: []};
  events = [];      // 'close', 'disconnect', 'reconnect', 'heartbeat timeout', …
  handshakes = [];  // What the client sent first on each connection, as it went out.
  #timers = new Set();
  #sockets = [];

  // `storage` is shared by clients that stand for one browser.
  constructor({storage = new Storage()} = {}) {
    const self = this;
    class Socket extends WebSocket {
      constructor(url) {
        super(url);
        self.#sockets.push(this);
      }
      send(data) {
        const bytes = Buffer.from(data);
        if (bytes[0] === 1) self.handshakes.push(JSON.parse(bytes.subarray(4)));
        super.send(data);
      }
    }
    const schedule = (callback, delay) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        callback();
      }, delay);
      this.#timers.add(timer);
      return timer;
    };
    const quiet = () => {};
    const window = vm.createContext({
      EventEmitter,
      WebSocket: Socket,
      localStorage: storage,
      console: {log: quiet, warn: quiet, error: quiet},
      setTimeout: schedule,
      clearTimeout: (timer) => clearTimeout(timer),
      // Values cross between the client and the tests, so both must mean the same types.
      JSON, ArrayBuffer, Uint8Array, Float32Array, Float64Array,
    });
    window.window = window;
    for (const part of ['protocol', 'protobuf', 'client']) {
      window.module = {exports: {}};
      scripts[part].runInContext(window);
      if (part === 'protobuf') {
        window.protobuf = window.module.exports;
        window.protobuf.decodeStr = window.protobuf.decode;
      }
    }
    this.pomelo = window.pomelo;
    for (const route of Object.keys(this.pushes)) this.pomelo.on(route, (body) => this.pushes[route].push(body));
    for (const event of ['close', 'disconnect', 'reconnect', 'heartbeat timeout', 'error', 'io-error']) {
      this.pomelo.on(event, () => this.events.push(event));
    }
  }

  // `params` as in pomelo.init: {port, reconnect, …}. Resolves after each handshake; `onInit` is called for later ones.
  init(params, onInit = () => {}) {
    let first;
    const opened = new Promise((resolve) => {
      first = resolve;
    });
    this.pomelo.init({host: '127.0.0.1', ...params}, () => {
      first();
      onInit();
    });
    return withDeadline(opened, 'the handshake of a stock client');
  }

  request(route, body) {
    const answered = new Promise((resolve) => this.pomelo.request(route, body, resolve));
    return withDeadline(answered, `the answer to ${route}`);
  }

  notify(route, body) {
    this.pomelo.notify(route, body);
  }

  // As the demo does it: the gate names a connector, then everything goes there.
  async connect(gatePort, uid, params = {}) {
    await this.init({port: gatePort});
    const entry = await this.request('gate.gateHandler.queryEntry', {uid});
    if (entry.code !== 200) throw new Error(`The gate refused: ${JSON.stringify(entry)}`);
    this.pomelo.disconnect();
    this.entry = entry;
    await this.init({port: entry.port, ...params});
    return this;
  }

  enter(username, rid, more = {}) {
    return this.request('connector.entryHandler.enter', {username, rid, ...more});
  }

  leave(rid) {
    return this.request('connector.entryHandler.leave', {rid});
  }

  // `from` as the demo's page sends it; the server knows better.
  send(rid, content, target = '*', from = 'nobody') {
    return this.request('chat.chatHandler.send', {rid, content, from, target});
  }

  get texts() {
    return this.pushes.onChat.map(({msg}) => msg);
  }

  get open() {
    return this.#sockets.at(-1)?.readyState === WebSocket.OPEN;
  }

  // The network socket of the newest connection, for tests that stop reading.
  get socket() {
    return this.#sockets.at(-1);
  }

  received(route, match, what = `a matching ${route}`) {
    return until(() => this.pushes[route].find(match), () => `${what}; there were ${JSON.stringify(this.pushes[route]).slice(0, 500)}`);
  }

  close() {
    for (const socket of this.#sockets) socket.terminate();
    for (const timer of this.#timers) clearTimeout(timer);
    // A socket that ends starts the client's reconnect timer.
    this.pomelo.removeAllListeners();
    for (const socket of this.#sockets) socket.onclose = null;
  }
}
