// Pomelo's packages and messages, as little as tests of the wire need, and clients over raw TCP and raw WebSocket that
// hide nothing: what comes in is kept in `packages`, and nothing is sent that the test has not asked for.
import net from 'node:net';
import tls from 'node:tls';

import {WebSocket} from 'ws';

import {until} from './wait.mjs';

export const HANDSHAKE = 1;
export const ACK = 2;
export const HEARTBEAT = 3;
export const DATA = 4;
export const KICK = 5;

export function pack(type, body = '') {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(4);
  head.writeUInt8(type, 0);
  head.writeUIntBE(bytes.length, 1, 3);
  return Buffer.concat([head, bytes]);
}

// With this type the server sends JSON alone, which is what decodeMessage() reads.
export const handshake = (sys = {type: 'hubbub-web', version: '0.0.0'}, user = {}) => pack(HANDSHAKE, JSON.stringify({sys, user}));

function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const named = (route) => {
  const name = Buffer.from(route);
  return Buffer.concat([Buffer.from([name.length]), name]);
};
const json = (body) => Buffer.from(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));

// `body` may be a string or bytes: then it is sent as it is. `route` may be a number: a code of the dictionary. `id` may be
// bytes.
export function request(id, route, body) {
  const code = typeof route === 'number';
  const to = code ? Buffer.from([route >> 8, route & 0xff]) : named(route);
  return pack(DATA, Buffer.concat([Buffer.from([code ? 1 : 0]), Buffer.isBuffer(id) ? id : varint(id), to, json(body)]));
}
export const notify = (route, body) => pack(DATA, Buffer.concat([Buffer.from([2]), named(route), json(body)]));

// A response {id, body} or a push {route, body}.
function decodeMessage(bytes) {
  const type = bytes[0] >> 1;
  let at = 1;
  if (type === 2) {
    let id = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      id += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return {id, body: JSON.parse(bytes.subarray(at))};
  }
  if (type !== 3 || bytes[0] & 1) throw new Error(`A message begins with ${bytes[0]}: no response and no push by name.`);
  const length = bytes[at++];
  const route = bytes.subarray(at, at + length).toString();
  return {route, body: JSON.parse(bytes.subarray(at + length))};
}

// Whole packages that stand back to back in these bytes; 0 if something else is there.
function packagesIn(bytes) {
  let packages = 0;
  let at = 0;
  for (; at + 4 <= bytes.length; ++packages) at += 4 + bytes.readUIntBE(at + 1, 3);
  return at === bytes.length ? packages : 0;
}

class RawClient {
  packages = [];  // {type, body}
  closed = false;
  #rest = Buffer.alloc(0);
  #lastId = 0;
  #messages = [];
  #decoded = 0;  // How many packages have been looked at for #messages.

  received(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readUIntBE(1, 3);
      if (this.#rest.length < end) return;
      this.packages.push({type: this.#rest[0], body: this.#rest.subarray(4, end)});
      this.#rest = this.#rest.subarray(end);
    }
  }

  of(type) {
    return this.packages.filter((one) => one.type === type);
  }

  // Each is decoded once, however often a wait asks: decoding all of them again each time takes a test that reads a thousand
  // messages longer than the server that sends them.
  get messages() {
    for (; this.#decoded < this.packages.length; ++this.#decoded) {
      const {type, body} = this.packages[this.#decoded];
      if (type === DATA) this.#messages.push(decodeMessage(body));
    }
    return this.#messages;
  }

  responses(id) {
    return this.messages.filter((message) => message.id === id).map(({body}) => body);
  }

  pushes(route) {
    return this.messages.filter((message) => message.route === route).map(({body}) => body);
  }

  // Handshake and acknowledgement; answers the server's part.
  async join(sys) {
    this.send(handshake(sys));
    const answer = await until(() => this.of(HANDSHAKE)[0], 'the answer to the handshake');
    this.send(pack(ACK));
    return JSON.parse(answer.body);
  }

  async request(route, body) {
    const id = ++this.#lastId;
    this.send(request(id, route, body));
    return until(() => this.responses(id)[0], `the answer to ${route}`);
  }

  ended() {
    return until(() => this.closed, 'the server to close the connection');
  }
}

export class RawTcp extends RawClient {
  // `localAddress`: where the client comes from. `tlsOptions`: for TLS, as tls.connect() takes them.
  static async connect(port, host = '127.0.0.1', localAddress = undefined, tlsOptions = undefined) {
    const client = new RawTcp();
    const options = {port, host, localAddress, noDelay: true};
    client.socket = tlsOptions ? tls.connect({...options, ...tlsOptions}) : net.connect(options);
    let ready = !tlsOptions;
    client.socket.on('secureConnect', () => {
      ready = true;
    });
    client.socket.on('data', (bytes) => client.received(bytes));
    client.socket.on('error', () => {});  // 'close' follows.
    client.socket.on('close', () => {
      client.closed = true;
    });
    await until(() => (ready && client.socket.readyState === 'open') || client.closed, 'a TCP connection');
    if (client.closed) throw new Error(`Nobody listens on port ${port}.`);
    return client;
  }

  send(bytes) {
    this.socket.write(bytes);
  }

  close() {
    this.socket.destroy();
  }
}

export class RawWebSocket extends RawClient {
  frames = [];  // How many packages each frame has held; 0 for one that ends within a package.

  // `tlsOptions`: for wss, as tls.connect() takes them.
  static async connect(port, tlsOptions = undefined) {
    const client = new RawWebSocket();
    client.socket = new WebSocket(`${tlsOptions ? 'wss' : 'ws'}://127.0.0.1:${port}/any/path?at=all`, {perMessageDeflate: false, ...tlsOptions});
    client.socket.on('message', (bytes) => {
      client.frames.push(packagesIn(bytes));
      client.received(bytes);
    });
    client.socket.on('error', () => {});  // 'close' follows.
    client.socket.on('close', () => {
      client.closed = true;
    });
    await until(() => client.socket.readyState === WebSocket.OPEN || client.closed, 'a WebSocket connection');
    if (client.closed) throw new Error(`Nobody takes a WebSocket on port ${port}.`);
    return client;
  }

  send(bytes) {
    this.socket.send(bytes);
  }

  close() {
    this.socket.terminate();
  }
}
