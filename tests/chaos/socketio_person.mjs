// A client of the chaos test by Socket.IO's own client, unchanged. What it takes to come back it does as an application would:
// it asks the gate again, enters with what it has seen, and says again under the same id what was not answered.
import {createRequire} from 'node:module';

import {now, sleep} from './person.mjs';

const {io} = createRequire(new URL('../e2e/package.json', import.meta.url))('socket.io-client-4');

const COME_BACK_MS = 60000;
const SEND_WITHIN_MS = 60000;
const CONNECT_MS = 3000;
const REQUEST_MS = 12000;
const PAUSE_MS = 200;

// Resolves when the socket is connected to its namespace.
function connected(socket) {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
    socket.once('disconnect', (reason) => reject(new Error(reason)));
  });
}

const ask = (socket, event, body) => socket.timeout(REQUEST_MS).emitWithAck(event, body);

// Stays in one room.
export class SocketIoPerson {
  records = new Map();  // By room: see checker.mjs.
  pending = 0;
  joins = 0;
  leaves = 0;
  returns = 0;  // With all that it had missed.
  troubles = [];
  #users = new Set();
  #point = {};    // {resume, epoch, offset, attempt}
  #held = null;   // Pushes that came while an enter was under way.
  #socket = null;
  #inside = false;
  #count = 0;

  // The first in number uses WebSocket at once, the second begins with polls, and so on.
  constructor(user, gatePort, [room], sends) {
    const transports = Number(user.match(/\d+$/)[0]) % 2 ? ['websocket'] : ['polling', 'websocket'];
    Object.assign(this, {user, gatePort, room, rooms: [room], sends, transports});
    this.records.set(room, []);
  }

  get whole() {
    return this.#inside;
  }
  get present() {
    return this.rooms;
  }
  usersOf() {
    return [...this.#users];
  }

  start() {
    return this.#comeBack();
  }

  say(room) {
    if (this.pending) return;  // What it says, it says in order.
    const n = (this.#count += 1);
    const send = {id: `${this.user} ${room} ${n}`, room, from: this.user, n, sent: now()};
    this.sends.push(send);
    this.pending = 1;
    this.#deliver(send).finally(() => (this.pending = 0));
  }

  close() {
    this.closed = true;
    this.#end();
  }

  async #deliver(send) {
    const {id, room} = send;
    let last = 'it was not in the room';
    for (const end = now() + SEND_WITHIN_MS; now() < end && !this.closed; await sleep(PAUSE_MS)) {
      if (!this.#inside) continue;
      const answer = await ask(this.#socket, 'send', {rid: room, content: id, target: '*', id}).catch(({message}) => ({message}));
      if (answer.offset) return Object.assign(send, {acked: now(), epoch: answer.epoch, offset: answer.offset});
      last = `${answer.code ?? ''} ${answer.message}`;
    }
    return Object.assign(send, {error: last});
  }

  #note(entry) {
    this.records.get(this.room).push({t: now(), ...entry});
  }

  async #comeBack() {
    const end = now() + COME_BACK_MS;
    while (!this.closed) {
      try {
        return await this.#enter(await this.#connect());
      } catch (error) {
        this.#end();
        if (now() > end) return this.#putOut(`in vain for ${COME_BACK_MS / 1000} s: ${error.message}`);
      }
      await sleep(PAUSE_MS);
    }
    return undefined;
  }

  #open(port) {
    return io(`http://127.0.0.1:${port}`, {forceNew: true, reconnection: false, timeout: CONNECT_MS, transports: this.transports});
  }

  async #connect() {
    const gate = this.#open(this.gatePort);
    let entry;
    try {
      await connected(gate);
      entry = await ask(gate, 'gate.gateHandler.queryEntry', {uid: this.user});
    } finally {
      gate.disconnect();
    }
    if (entry.code !== 200) throw new Error(`the gate says ${JSON.stringify(entry)}`);
    const socket = this.#open(entry.port);
    this.#socket = socket;
    await connected(socket);
    return socket;
  }

  async #enter(socket) {
    const entries = this.records.get(this.room);
    const begin = entries.length;
    this.#held = [];
    for (const route of ['onChat', 'onAdd', 'onLeave']) {
      socket.on(route, (body) => socket === this.#socket && (this.#held ? this.#held.push([route, body]) : this.#apply(route, body)));
    }
    socket.on('onKick', ({reason}) => {
      if (socket === this.#socket && reason !== 'reconnect' && reason !== 'full') this.#putOut(`it was kicked: ${reason}`);
    });
    const again = this.#point;
    if (again.resume) again.attempt = Math.max(Date.now(), (again.attempt ?? 0) + 1);
    const answer = await ask(socket, 'enter', {username: this.user, rid: this.room, ...again});
    if (!answer.users) throw new Error(JSON.stringify(answer));
    this.#users = new Set(answer.users);
    const {resume, epoch, offset, recovered, events = []} = answer;
    if (again.epoch === undefined) {
      entries.splice(begin, 0, {t: now(), kind: 'entered', epoch, offset});
    } else if (recovered) {
      this.returns += 1;
      for (const {route, ...body} of events) this.#apply(route, body);
    } else {
      this.#note({kind: 'gap', since: {epoch: again.epoch, offset: again.offset}, until: {epoch, offset}});
    }
    this.#point = {...this.#point, resume, epoch, offset};
    const held = this.#held;
    this.#held = null;
    for (const [route, body] of held) this.#apply(route, body);
    this.#inside = true;
    socket.once('disconnect', () => socket === this.#socket && this.#lose());
    if (!socket.connected) this.#lose();
  }

  #apply(route, {msg, from, user, epoch, offset}) {
    // Comings and goings have no offset where history is durable.
    if (offset) {
      const point = this.#point;
      if (epoch === point.epoch && offset <= point.offset) {
        if (route === 'onChat') this.#note({kind: 'stale', id: msg});
        return;
      }
      Object.assign(point, {epoch, offset});
    }
    if (route === 'onChat') this.#note({kind: 'message', id: msg, from, n: Number(msg.slice(msg.lastIndexOf(' ') + 1)), epoch, offset});
    if (route === 'onAdd') {
      this.joins += 1;
      this.#users.add(user);
    }
    if (route === 'onLeave') {
      this.leaves += 1;
      this.#users.delete(user);
      if (user === this.user) this.#putOut('the server took this client out of the room');
    }
  }

  #lose() {
    this.#end();
    if (!this.closed) this.#comeBack();
  }

  #end() {
    this.#inside = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.disconnect();
  }

  #putOut(why) {
    const t = now();
    this.#note({kind: 'out'});
    this.troubles.push({t, text: `${this.user} was put out of ${this.room} at ${(t / 1000).toFixed(2)} s: ${why}`});
  }
}
