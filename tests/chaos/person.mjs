// One client of the chaos test: Hubbub's own library, and a record of all that it sees.
import {createRequire} from 'node:module';

import {HubbubClient} from '../e2e/library.mjs';

const {WebSocket} = createRequire(new URL('../e2e/package.json', import.meta.url))('ws');

const SEND_WITHIN_MS = 60000;
export const now = () => performance.now();

export class Person {
  records = new Map();  // By room: see checker.mjs.
  pending = 0;          // Sends without an answer.
  joins = 0;            // How often others were seen to come and to go.
  leaves = 0;
  troubles = [];        // What must not happen to anybody: {t, text}.
  #counts = new Map();

  // `sends` is everybody's list of sends.
  constructor(user, gatePort, rooms, sends) {
    Object.assign(this, {user, rooms, sends});
    this.client = new HubbubClient({gate: `ws://127.0.0.1:${gatePort}`, WebSocket, requestTimeout: 4000,
                                    backoff: {min: 50, max: 1000}});
    const note = (room, entry) => this.records.get(room)?.push({t: now(), ...entry});
    this.client.on('message', ({room, from, text, epoch, offset}) => {
      const n = Number(text.slice(text.lastIndexOf(' ') + 1));
      note(room, {kind: 'message', id: text, from, n, epoch, offset});
    });
    this.client.on('stale', ({room, route, body}) => {
      if (route === 'onChat') note(room, {kind: 'stale', id: body.msg});
    });
    this.client.on('gap', ({room, since, until}) => note(room, {kind: 'gap', since, until}));
    this.client.on('join', () => (this.joins += 1));
    this.client.on('leave', ({room, self}) => {
      this.leaves += 1;
      if (self) this.#putOut(room, 'the server took this client out of the room');
    });
    this.client.on('lost', ({room, error}) => this.#putOut(room, `${error.code}: ${error.message}`));
    this.client.on('state', ({state, reason}) => {
      if (state !== 'offline' || this.closed) return;
      for (const room of rooms) this.#putOut(room, `the client went offline (${reason})`);
    });
  }

  get whole() {
    return this.client.state === 'connected' && this.client.rooms.length === this.rooms.length;
  }

  async start() {
    for (const room of this.rooms) this.records.set(room, []);
    await this.client.connect(this.user);
    for (const room of this.rooms) {
      const {epoch, offset} = await this.client.enter(room);
      this.records.get(room).unshift({t: now(), kind: 'entered', epoch, offset});
    }
  }

  // Says the next thing into a room; the list of sends has what became of it.
  say(room) {
    const n = (this.#counts.get(room) ?? 0) + 1;
    this.#counts.set(room, n);
    const id = `${this.user} ${room} ${n}`;
    const send = {id, room, from: this.user, n, sent: now()};
    this.sends.push(send);
    this.pending += 1;
    this.client.send(room, id, '*', {id, within: SEND_WITHIN_MS}).then(
        ({epoch, offset}) => Object.assign(send, {acked: now(), epoch, offset}),
        (error) => Object.assign(send, {error: `${error.code}: ${error.message}`}))
        .finally(() => (this.pending -= 1));
  }

  close() {
    this.closed = true;
    this.client.close();
  }

  #putOut(room, why) {
    const t = now();
    this.records.get(room)?.push({t, kind: 'out'});
    this.troubles.push({t, text: `${this.user} was put out of ${room} at ${(t / 1000).toFixed(2)} s: ${why}`});
  }
}
