// Does to a suite what the schedule says.
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

import {STORE} from '../e2e/network.mjs';
import {now} from './person.mjs';

const require = createRequire(new URL('../e2e/package.json', import.meta.url));
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const proto = fileURLToPath(new URL('../../proto', import.meta.url));
const {ChatService} = grpc.loadPackageDefinition(
    loader.loadSync('hubbub/chat/v1/chat.proto', {includeDirs: [proto], longs: Number})).hubbub.chat.v1;

// Calls a chat server, once, on a connection of its own.
export function callChat(server, method, request) {
  const client = new ChatService(`${server.host ?? '127.0.0.1'}:${server.port}`, grpc.credentials.createInsecure(), {'grpc.use_local_subchannel_pool': 1});
  return new Promise((resolve, reject) => {
    client[method](request, {deadline: Date.now() + 5000}, (error, answer) => {
      client.close();
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

// Within this time a server that was cut off or halted knows what has become of it.
const NOTICE_MS = 3000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Storm {
  events = [];  // {t, name, rooms}: what was done, and which rooms it touched. What ends is one more event.
  deaths = [];  // As in checker.mjs.

  // `rooms`: all of them; `say` prints a line. `least` and `most`: how many servers of a kind there may be.
  constructor(suite, rooms, say, {least = 2, most = 4} = {}) {
    Object.assign(this, {suite, rooms, say, least, most});
  }

  async run(step) {
    await wait(step.calm);
    await this[step.does](step);
  }

  async kill(step) {
    const server = this.#choose(step);
    const rooms = await this.#roomsOf(server);
    this.#note(step, server.id, rooms, {dies: server.kind === 'chat'});
    await server.stop('SIGKILL');
    await wait(step.down);
    await server.start();
  }

  // A chat server and a connector at once, as when their machine dies.
  async killNode(step) {
    const [chat, connector] = [this.#choose({...step, server: 'chat'}), this.#choose({server: 'connector', which: step.other})];
    const rooms = await this.#roomsOf(chat);
    this.#note(step, `${chat.id} and ${connector.id}`, this.rooms);
    this.#dies(rooms);
    await Promise.all([chat.stop('SIGKILL'), connector.stop('SIGKILL')]);
    await wait(step.down);
    await Promise.all([chat.start(), connector.start()]);
  }

  async hang(step) {
    const server = this.#choose(step);
    const rooms = await this.#roomsOf(server);
    await this.#during(step, server.id, rooms, {dies: server.kind === 'chat'}, () => server.halt(), () => server.goOn());
  }

  // Two servers that call each other.
  async cutPair(step) {
    const [a, b] = this.#choosePair(step);
    const rooms = await this.#roomsOf(b);
    const {network} = this.suite;
    const what = badness(step);
    const ends = step.turn < 0.5 ? [a.id, b.id] : [b.id, a.id];
    const cut = () => (step.oneWay ? network.oneWay(...ends, what) : network.bothWays(...ends, what));
    await this.#during(step, `${a.id} ${arrow(step)} ${b.id} (${Object.keys(what)})`, rooms, {}, cut, () => network.heal());
  }

  // A chat server from everybody, from the store too where it is reached by the network.
  async isolate(step) {
    const server = this.#choose({...step, server: 'chat'});
    const rooms = await this.#roomsOf(server);
    const {network} = this.suite;
    const what = badness(step);
    const out = step.turn < 0.5;
    const cut = () => {
      for (const other of [...this.suite.chats, ...this.suite.connectors, {id: STORE}]) {
        if (other === server) continue;
        if (!step.oneWay || out) network.oneWay(server.id, other.id, what);
        if (!step.oneWay || !out) network.oneWay(other.id, server.id, what);
      }
    };
    const which = step.oneWay ? ` (what it ${out ? 'sends' : 'gets'})` : '';
    await this.#during(step, `${server.id}${which} (${Object.keys(what)})`, rooms, {dies: true}, cut, () => network.heal());
  }

  // A chat server and a connector from all others of their kinds, as when the link between two nodes is cut. All reach the store and the gate.
  async split(step) {
    const [chat, connector] = [this.#choose({...step, server: 'chat'}), this.#choose({server: 'connector', which: step.other})];
    const {network, chats, connectors} = this.suite;
    const what = badness(step);
    const cut = () => {
      for (const one of chats) for (const other of [...chats, ...connectors]) {
        if (one !== other && [chat, connector].includes(one) !== [chat, connector].includes(other)) network.bothWays(one.id, other.id, what);
      }
    };
    await this.#during(step, `${chat.id} and ${connector.id} from all others (${Object.keys(what)})`, this.rooms, {}, cut, () => network.heal());
  }

  async resetPair(step) {
    const [a, b] = this.#choosePair(step);
    this.#note(step, `${a.id} ${arrow(step)} ${b.id}`, await this.#roomsOf(b));
    this.suite.network.cut(a.id, b.id);
  }

  async slowPair(step) {
    const [a, b] = this.#choosePair(step);
    const rooms = await this.#roomsOf(b);
    const {network} = this.suite;
    const late = {delay: 50 + 250 * step.open};
    await this.#during(step, `${a.id} ${arrow(step)} ${b.id} (${late.delay.toFixed(0)} ms)`, rooms, {},
                       () => network.bothWays(a.id, b.id, late), () => network.heal());
  }

  // A chat server gives its rooms away while what it says reaches the connectors late: the new owners are ahead of it.
  async slowMove(step) {
    const server = this.#choose({...step, server: 'chat'});
    const rooms = await this.#roomsOf(server);
    const {network, connectors} = this.suite;
    const late = {delay: 100 + 600 * step.open};
    for (const {id} of connectors) network.oneWay(server.id, id, late);
    this.#note(step, `${server.id} (${late.delay.toFixed(0)} ms)`, rooms);
    try {
      await server.stop();
    } finally {
      network.heal();
    }
    await server.start();
  }

  // The other chat servers are told that nobody listens where a chat server lives.
  async refusePeers(step) {
    const server = this.#choose({...step, server: 'chat'});
    const rooms = await this.#roomsOf(server);
    const {network} = this.suite;
    const refuse = async () => {
      await network.peerPort(server.id).refuse(true);
      for (const other of this.suite.chats) if (other !== server) network.cut(other.id, server.id);
    };
    await this.#during(step, server.id, rooms, {dies: true}, refuse, () => network.heal());
  }

  async cutStore(step) {
    const server = this.#choose({...step, server: 'chat'});
    const rooms = await this.#roomsOf(server);
    const {network} = this.suite;
    const what = badness(step);
    const ends = step.turn < 0.5 ? [server.id, STORE] : [STORE, server.id];
    const cut = () => (step.oneWay ? network.oneWay(...ends, what) : network.bothWays(...ends, what));
    await this.#during(step, `${ends.join(step.oneWay ? ' -> ' : ' - ')} (${Object.keys(what)})`, rooms, {dies: true}, cut,
                       () => network.heal());
  }

  async killStore(step) {
    await this.#during(step, STORE, this.rooms, {}, () => this.suite.postgres.kill(), () => this.suite.postgres.restart());
  }

  async hangStore(step) {
    await this.#during(step, STORE, this.rooms, {}, () => this.suite.postgres.halt(), () => this.suite.postgres.goOn());
  }

  // 2 -> 4 -> 2 chat servers, one after the other.
  async scale(step) {
    for (const most of [this.most, this.least]) {
      while (this.suite.chats.length !== most) {
        await (this.suite.chats.length < most ? this.#addOne(step) : this.#removeOne(step));
      }
    }
  }

  async restart(step) {
    const server = this.#choose(step);
    this.#note(step, server.id, await this.#roomsOf(server));
    await server.stop();
    await wait(step.down);
    await server.start();
  }

  async rolling(step) {
    for (const server of [...this.suite.chats, ...this.suite.connectors, this.suite.gate]) {
      this.#note(step, server.id, server.kind === 'gate' ? [] : await this.#roomsOf(server));
      await server.stop();
      await server.start();
      await wait(step.down);
    }
  }

  async add(step) {
    if (this.#of(step.server).length >= this.most) return this.#removeOne({...step, name: `remove-${step.server}`, down: 3000});
    return this.#addOne(step);
  }

  async remove(step) {
    if (this.#of(step.server).length <= this.least) return this.#addOne({...step, name: `add-${step.server}`});
    return this.#removeOne(step);
  }

  async #addOne(step) {
    const t = now();  // Rooms and clients may move as soon as the directory says so.
    const server = await this.suite.add(step.server);
    this.#note({name: step.name}, server.id, this.rooms, {t});
  }

  async #removeOne(step) {
    const server = this.#choose(step);
    this.#note(step, server.id, await this.#roomsOf(server));
    await this.suite.remove(server);
    await wait(step.down);
    // Whatever it still has moves only now.
    this.#note({name: `${step.name}, end`}, server.id, await this.#roomsOf(server));
    await server.stop();
  }

  // From `begin` to `end`, for as long as the step says.
  async #during(step, who, rooms, {dies = false}, begin, end) {
    this.#note(step, who, rooms);
    const death = dies && this.#dies(rooms);
    await begin();
    try {
      await wait(step.down);
    } finally {
      await end();
      if (death) death.until = now() + NOTICE_MS;
      this.#note({name: `${step.name}, end`}, who, rooms);
    }
  }

  #of(kind) {
    return kind === 'chat' ? this.suite.chats : this.suite.connectors;
  }

  #choose({server, which}) {
    const all = this.#of(server);
    return all[Math.floor(which * all.length)];
  }

  // A connector and a chat server, or two chat servers. The second is a chat server.
  #choosePair({which}) {
    const {chats, connectors} = this.suite;
    const pairs = chats.flatMap((chat, i) => [...connectors, ...chats.slice(0, i)].map((other) => [other, chat]));
    return pairs[Math.floor(which * pairs.length)];
  }

  // A connector has members of every room, near enough.
  async #roomsOf(server) {
    if (server.kind !== 'chat') return this.rooms;
    const {rooms = []} = await callChat(server, 'ListRooms', {page_size: 1000});
    return rooms.map(({room}) => room).filter((room) => this.rooms.includes(room));
  }

  #note({name, down}, who, rooms, {dies = false, t = now()} = {}) {
    this.events.push({t, name, rooms});
    if (dies) this.#dies(rooms);
    this.say(`${name} ${who}${down ? ` for ${down} ms` : ''}, ${rooms.length} rooms`);
  }

  // A chat server is killed, or may not notice for so long that it was replaced.
  #dies(rooms) {
    const death = {t: now(), until: now(), rooms};
    this.deaths.push(death);
    return death;
  }
}

const arrow = ({oneWay, turn}) => (!oneWay ? '-' : turn < 0.5 ? '->' : '<-');

// Bytes wait in two of three cases, and vanish in the third.
const badness = ({open}) => (open < 0.67 ? {held: true} : {swallows: true});
