// Does to a suite what the schedule says.
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

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

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Storm {
  events = [];  // {t, name, rooms}: what was done, and which rooms it touched.
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
    this.#note(step, server, rooms, {dies: server.kind === 'chat'});
    await server.stop('SIGKILL');
    await wait(step.down);
    await server.start();
  }

  async hang(step) {
    const server = this.#choose(step);
    const rooms = await this.#roomsOf(server);
    this.#note(step, server, rooms, {dies: server.kind === 'chat'});
    server.halt();
    try {
      await wait(step.down);
    } finally {
      server.goOn();
    }
  }

  async restart(step) {
    const server = this.#choose(step);
    this.#note(step, server, await this.#roomsOf(server));
    await server.stop();
    await wait(step.down);
    await server.start();
  }

  async rolling(step) {
    for (const server of [...this.suite.chats, ...this.suite.connectors, this.suite.gate]) {
      this.#note(step, server, server.kind === 'gate' ? [] : await this.#roomsOf(server));
      await server.stop();
      await server.start();
      await wait(step.down);
    }
  }

  async add(step) {
    const kind = this.#of(step.server);
    if (kind.length >= this.most) return this.remove({...step, name: `remove-${step.server}`, down: 3000});
    const t = now();  // Rooms and clients may move as soon as the directory says so.
    const server = await this.suite.add(step.server);
    this.#note(step, server, this.rooms, {t});
  }

  async remove(step) {
    if (this.#of(step.server).length <= this.least) return this.add({...step, name: `add-${step.server}`});
    const server = this.#choose(step);
    this.#note(step, server, await this.#roomsOf(server));
    await this.suite.remove(server);
    await wait(step.down);
    // Whatever it still has moves only now.
    this.#note({name: `${step.name}, end`}, server, await this.#roomsOf(server));
    await server.stop();
  }

  #of(kind) {
    return kind === 'chat' ? this.suite.chats : this.suite.connectors;
  }

  #choose({server, which}) {
    const all = this.#of(server);
    return all[Math.floor(which * all.length)];
  }

  // A connector has members of every room, near enough.
  async #roomsOf(server) {
    if (server.kind !== 'chat') return this.rooms;
    const {rooms = []} = await callChat(server, 'ListRooms', {page_size: 1000});
    return rooms.map(({room}) => room).filter((room) => this.rooms.includes(room));
  }

  #note({name, down}, server, rooms, {dies = false, t = now()} = {}) {
    const event = {t, name, rooms};
    this.events.push(event);
    if (dies) this.deaths.push(event);
    this.say(`${name} ${server.id}${down ? ` for ${down} ms` : ''}, ${rooms.length} rooms`);
  }
}
