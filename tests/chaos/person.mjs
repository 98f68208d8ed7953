// One client of the chaos test: Hubbub's own library, and a record of all that it sees.
import {createRequire} from 'node:module';

import {HubbubClient} from '../e2e/library.mjs';

const {WebSocket} = createRequire(new URL('../e2e/package.json', import.meta.url))('ws');

const SEND_WITHIN_MS = 60000;
// More than the time for which a connector waits for a chat server before it answers.
const REQUEST_MS = 12000;
export const now = () => performance.now();
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Person {
  records = new Map();  // By room: see checker.mjs.
  pending = 0;          // Sends without an answer.
  joins = 0;            // How often others were seen to come and to go.
  leaves = 0;
  troubles = [];        // What must not happen to anybody: {t, text}.
  #counts = new Map();
  #sockets = [];

  // `rooms`: those that it wants to be in. `sends` is everybody's list of sends.
  constructor(user, gatePort, rooms, sends) {
    Object.assign(this, {user, gatePort, rooms, sends});
    for (const room of rooms) this.records.set(room, []);
    this.#makeClient();
  }

  get whole() {
    return this.client.state === 'connected' && this.client.rooms.length === this.rooms.length;
  }

  // The rooms that it is in now.
  get present() {
    return this.rooms;
  }

  usersOf(room) {
    return this.client.users(room);
  }

  async start() {
    await this.client.connect(this.user);
    for (const room of this.rooms) await this.enter(room);
  }

  async enter(room) {
    const entries = this.records.get(room);
    const begin = entries.length;
    const {epoch, offset} = await this.client.enter(room);
    // What overtook the answer has been shown by now, and counts in its offset.
    const first = entries.slice(begin).find(({kind}) => kind === 'message');
    const point = first ? {epoch: first.epoch, offset: first.offset - 1} : {epoch, offset};
    entries.splice(begin, 0, {t: now(), kind: 'entered', ...point});
  }

  // Says the next thing into a room; the list of sends has what became of it.
  say(room) {
    const send = this.newSend(room);
    this.client.send(room, send.id, '*', {id: send.id, within: SEND_WITHIN_MS}).then(
        ({epoch, offset}) => Object.assign(send, {acked: now(), epoch, offset}),
        (error) => Object.assign(send, {error: `${error.code}: ${error.message}`}))
        .finally(() => (this.pending -= 1));
  }

  newSend(room) {
    const n = (this.#counts.get(room) ?? 0) + 1;
    this.#counts.set(room, n);
    const send = {id: `${this.user} ${room} ${n}`, room, from: this.user, n, sent: now()};
    this.sends.push(send);
    this.pending += 1;
    return send;
  }

  note(room, entry) {
    this.records.get(room)?.push({t: now(), ...entry});
  }

  noteMessage(room, {text, from, epoch, offset}) {
    this.note(room, {kind: 'message', id: text, from, n: Number(text.slice(text.lastIndexOf(' ') + 1)), epoch, offset});
  }

  // Its connections end as those of a machine do that loses power, and it forgets all.
  vanish() {
    const {client} = this;
    this.#makeClient();
    for (const socket of this.#sockets.splice(0)) socket.terminate();
    client.close();
  }

  close() {
    this.closed = true;
    this.client.close();
  }

  #makeClient() {
    const sockets = this.#sockets;
    class Socket extends WebSocket {
      constructor(...values) {
        super(...values);
        sockets.push(this);
        if (sockets.length > 4) sockets.shift();
      }
    }
    const client = new HubbubClient({gate: `ws://127.0.0.1:${this.gatePort}`, WebSocket: Socket, requestTimeout: REQUEST_MS,
                                     backoff: {min: 50, max: 1000}});
    const isPast = () => client !== this.client || this.closed;
    const on = (event, listener) => client.on(event, (detail) => isPast() || listener(detail));
    on('message', (message) => this.noteMessage(message.room, message));
    on('stale', ({room, route, body}) => {
      if (route === 'onChat') this.note(room, {kind: 'stale', id: body.msg});
    });
    on('gap', ({room, since, until}) => this.note(room, {kind: 'gap', since, until}));
    on('join', () => (this.joins += 1));
    on('leave', ({room, self}) => {
      this.leaves += 1;
      if (self) this.putOut(room, 'the server took this client out of the room');
    });
    on('lost', ({room, error}) => this.putOut(room, `${error.code}: ${error.message}`));
    on('state', ({state, reason}) => {
      if (state !== 'offline' || reason === 'unreachable') return;
      for (const room of this.present) this.putOut(room, `the client went offline (${reason})`);
    });
    this.client = client;
  }

  putOut(room, why) {
    const t = now();
    this.note(room, {kind: 'out'});
    this.troubles.push({t, text: `${this.user} was put out of ${room} at ${(t / 1000).toFixed(2)} s: ${why}`});
  }
}
