// Clients that come and go: a person who leaves rooms and enters them again, or vanishes and comes back, and one with the stock
// JavaScript client, which keeps no token, and whose page connects again when its connection has ended.
import {StockClient} from '../e2e/stock_client.mjs';
import {now, Person, sleep} from './person.mjs';

const COME_BACK_MS = 60000;  // Time that an enter or a leave may take, with whatever is going on.
const PAUSE_MS = [300, 3000];

// The stock client does not tell a request that its connection has ended.
async function unlessClosed(client, promise) {
  let done = false;
  const watch = async () => {
    for (; !done; await sleep(50)) {
      if (client.socket?.readyState === 3) throw new Error('the connection has ended');
    }
  };
  promise.catch(() => {});
  return Promise.race([promise, watch()]).finally(() => (done = true));
}

// What both have: a loop of doings, which settle() ends at a point where it is known which rooms the client is in. The class
// that has it gives `wander(chance)`, one doing.
const Wandering = (Base) => class extends Base {
  inside = new Set();
  #stopped = true;
  #loop = Promise.resolve();

  get present() {
    return [...this.inside];
  }

  // A list with promises of random numbers in between is no replay to the millisecond, but what they choose is.
  begin(chance) {
    if (!this.#stopped || this.closed) return;
    this.#stopped = false;
    this.#loop = (async () => {
      while (!this.#stopped) {
        const end = now() + chance.between(...PAUSE_MS);
        while (now() < end && !this.#stopped) await sleep(50);
        if (!this.#stopped) await this.wander(chance).catch((error) => this.trouble(error.message));
      }
    })();
  }

  // Resolves when what it was doing is done.
  async settle() {
    this.#stopped = true;
    await this.#loop;
  }

  trouble(why) {
    const t = now();
    this.troubles.push({t, text: `${this.user}, at ${(t / 1000).toFixed(2)} s: ${why}`});
  }

  // `attempt` until it does not throw, or its error is final.
  async insist(what, attempt, isFinal = () => false) {
    const end = now() + COME_BACK_MS;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (isFinal(error)) return undefined;
        if (now() > end) throw new Error(`in vain for ${COME_BACK_MS / 1000} s: ${what}: ${error.code ?? ''} ${error.message}`);
      }
      await sleep(200);
    }
  }
};

export class Wanderer extends Wandering(Person) {
  get whole() {
    return this.client.state === 'connected';
  }

  async start() {
    await super.start();
    for (const room of this.rooms) this.inside.add(room);
  }

  async wander(chance) {
    const room = chance.pick(this.rooms);
    if (this.client.state === 'offline' || this.client.state === 'idle') return this.#comeBack();
    if (chance.next() < 0.3) {
      this.#goOut(this.present);
      this.vanish();
      return;
    }
    if (!this.inside.has(room)) return this.#comeIn(room);
    this.#goOut([room]);
    // A session that has come back without this room is not in it, nor is one that has ended.
    await this.insist(`leave ${room}`, () => this.client.leave(room), ({code}) => code === 403 || this.client.state === 'offline');
  }

  #goOut(rooms) {
    for (const room of rooms) {
      this.inside.delete(room);
      this.note(room, {kind: 'out'});
    }
  }

  async #comeBack() {
    await this.insist('connect', () => this.client.connect(this.user));
    for (const room of this.rooms) await this.#comeIn(room);
  }

  async #comeIn(room) {
    const {client} = this;
    await this.insist(`enter ${room}`, async () => {
      if (client.state === 'offline' || client.state === 'idle') await client.connect(this.user);
      await this.enter(room);
    }, ({code}) => code === 'entered');
    this.inside.add(room);
  }

  putOut(room, why) {
    this.inside.delete(room);
    super.putOut(room, why);
  }

  newSend(room) {
    return Object.assign(super.newSend(room), {once: true});
  }
}

// In one room. Its connection may end: then it is out, and comes back as a page does that is loaded again.
export class StockPerson extends Wandering(Object) {
  records = new Map();
  pending = 0;
  joins = 0;
  leaves = 0;
  ends = 0;  // Of its connections, that it did not end itself.
  troubles = [];
  client = null;
  #count = 0;

  constructor(user, gatePort, rooms, sends) {
    super();
    Object.assign(this, {user, gatePort, rooms, sends});
    this.records.set(rooms[0], []);
  }

  get whole() {
    return this.inside.size > 0;
  }

  usersOf() {
    return null;  // The stock client keeps no list.
  }

  // For texts.
  get where() {
    return this.whole ? `by the connector at ${this.client.entry.port} since ${(this.since / 1000).toFixed(2)} s, ` +
                        (this.client.open ? 'connected' : 'not connected') : 'nowhere';
  }

  start() {
    return this.#comeBack();
  }

  async wander(chance) {
    if (!this.whole) return this.#comeBack();
    if (chance.next() < 0.3) this.#end();
    return undefined;
  }

  say(room) {
    const {client} = this;
    if (!this.whole || this.pending) return;
    const n = (this.#count += 1);
    const send = {id: `${this.user} ${room} ${n}`, room, from: this.user, n, sent: now(), once: true};
    this.sends.push(send);
    this.pending = 1;
    // Without an id nobody repeats it: it is said or it is not.
    client.send(room, send.id).then(({epoch, offset}) => offset && Object.assign(send, {acked: now(), epoch, offset}),
                                    () => {})
        .finally(() => (this.pending = 0));
  }

  close() {
    this.closed = true;
    this.#end();
  }

  #end() {
    const {client} = this;
    this.client = null;
    if (this.inside.size) this.#note({kind: 'out'});
    this.inside.clear();
    client?.close();
  }

  #note(entry) {
    this.records.get(this.rooms[0]).push({t: now(), ...entry});
  }

  async #comeBack() {
    const [room] = this.rooms;
    const entries = this.records.get(room);
    await this.insist(`enter ${room}`, async () => {
      this.#end();
      const client = new StockClient();
      this.client = client;
      const begin = entries.length;
      client.pomelo.on('onChat', ({msg, from, epoch, offset}) => {
        if (client === this.client) {
          this.#note({kind: 'message', id: msg, from, n: Number(msg.slice(msg.lastIndexOf(' ') + 1)), epoch, offset});
        }
      });
      client.pomelo.on('onAdd', () => (this.joins += 1));
      client.pomelo.on('onLeave', ({user}) => {
        this.leaves += 1;
        if (user === this.user && client === this.client && this.whole) this.trouble('the server took this client out of its room');
      });
      const answer = await unlessClosed(client, client.connect(this.gatePort, this.user)
          .then(() => client.enter(this.user, room)));
      if (answer.users === undefined) {
        client.close();
        throw Object.assign(new Error(JSON.stringify(answer)), {code: answer.code});
      }
      const {epoch, offset} = answer;
      entries.splice(begin, 0, {t: now(), kind: 'entered', epoch, offset});
      this.inside.add(room);
      this.since = now();
      for (const event of ['close', 'disconnect', 'io-error', 'heartbeat timeout', 'onKick']) {
        client.pomelo.on(event, () => client === this.client && this.#lose());
      }
      if (!client.open) this.#lose();
    });
  }

  #lose() {
    this.ends += 1;
    this.#end();
  }
}
