// A client of the chaos test by Socket.IO's own client, unchanged. What it takes to come back it does as an application would:
// it asks the gate again, has its state recovered, or enters with what it has seen where that cannot be, and says again under
// the same id what was not answered.
import {createRequire} from 'node:module';

import {now, sleep} from './person.mjs';

const {io} = createRequire(new URL('../e2e/package.json', import.meta.url))('socket.io-client-4');

const COME_BACK_MS = 60000;
const SEND_WITHIN_MS = 60000;
const CONNECT_MS = 3000;
const REQUEST_MS = 12000;
const PAUSE_MS = 200;

const urlOf = (port) => `http://127.0.0.1:${port}`;

// Resolves when the socket is connected to its namespace.
async function connected(socket) {
  const listeners = {};
  let timer;
  try {
    await new Promise((resolve, reject) => {
      Object.assign(listeners, {connect: resolve, connect_error: reject, disconnect: (reason) => reject(new Error(reason))});
      for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
      timer = setTimeout(() => reject(new Error('no answer to CONNECT in time')), REQUEST_MS);
    });
  } finally {
    clearTimeout(timer);
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
  }
}

const ask = (socket, event, body) => socket.timeout(REQUEST_MS).emitWithAck(event, body);

// Stays in one room.
export class SocketIoPerson {
  records = new Map();  // By room: see checker.mjs.
  pending = 0;
  joins = 0;
  leaves = 0;
  recoveries = 0;  // Of its state.
  returns = 0;     // By an enter, with all that it had missed.
  troubles = [];
  #users = new Set();
  #point = {};    // {epoch, offset, attempt}
  #held = null;   // Pushes that came before the answer to an enter.
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
    this.#inside = false;
    this.#socket?.disconnect();
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
        await this.#connect();
        if (this.#socket.recovered) this.recoveries += 1;
        else await this.#enter();
        // What happened while this waited for an answer is not told again.
        if (!this.#socket.connected) throw new Error('the connection was lost at once');
        this.#inside = true;
        return;
      } catch (error) {
        this.#socket?.disconnect();
        if (now() > end) return this.#putOut(`in vain for ${COME_BACK_MS / 1000} s: ${error.message}`);
      }
      await sleep(PAUSE_MS);
    }
  }

  #open(port, more = {}) {
    return io(urlOf(port), {forceNew: true, reconnection: false, timeout: CONNECT_MS, transports: this.transports, ...more});
  }

  // By the one socket that there is, so that it shows what it has seen.
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
    this.#socket ??= this.#makeSocket(entry.port);
    this.#socket.io.uri = urlOf(entry.port);
    const done = connected(this.#socket);
    this.#socket.connect();
    await done;
  }

  #makeSocket(port) {
    const socket = this.#open(port, {auth: {username: this.user, recover: true}, autoConnect: false});
    // Before anything else comes.
    socket.on('connect', () => (this.#held = socket.recovered ? null : []));
    for (const route of ['onChat', 'onAdd', 'onLeave']) {
      socket.on(route, (body) => (this.#held ? this.#held.push([route, body]) : this.#apply(route, body)));
    }
    socket.on('onMembers', ({users}) => (this.#users = new Set(users)));
    socket.on('onKick', ({reason}) => {
      if (!this.closed && reason !== 'reconnect' && reason !== 'full') this.#putOut(`it was kicked: ${reason}`);
    });
    socket.on('disconnect', () => {
      const was = this.#inside;
      this.#inside = false;
      if (was && !this.closed) this.#comeBack();
    });
    return socket;
  }

  // Its state was not recovered, or it has none yet.
  async #enter() {
    const entries = this.records.get(this.room);
    const begin = entries.length;
    const again = this.#point;
    const attempt = again.epoch && Math.max(Date.now(), (again.attempt ?? 0) + 1);
    const answer = await ask(this.#socket, 'enter', {rid: this.room, ...again, attempt});
    if (!answer.users) throw new Error(JSON.stringify(answer));
    this.#users = new Set(answer.users);
    const {epoch, offset, recovered, events = []} = answer;
    if (again.epoch === undefined) {
      entries.splice(begin, 0, {t: now(), kind: 'entered', epoch, offset});
    } else if (recovered) {
      this.returns += 1;
      for (const {route, ...body} of events) this.#apply(route, body);
    } else {
      this.#note({kind: 'gap', since: {epoch: again.epoch, offset: again.offset}, until: {epoch, offset}});
    }
    this.#point = {epoch, offset, attempt};
    const held = this.#held ?? [];
    this.#held = null;
    for (const [route, body] of held) this.#apply(route, body);
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

  #putOut(why) {
    const t = now();
    this.#note({kind: 'out'});
    this.troubles.push({t, text: `${this.user} was put out of ${this.room} at ${(t / 1000).toFixed(2)} s: ${why}`});
  }
}
