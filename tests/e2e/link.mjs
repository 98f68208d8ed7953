// A network between two programs that a test can make bad: bytes on their way wait, vanish or come late, connections are
// refused, or cut by RST. TCP, IPv4, on loopback addresses. A `Link` is one pair of programs, a `Port` the address at which
// the calling one finds the other.
//
// Where nobody listens at the target, nobody listens at the port: a server that has died refuses connections here too, before
// its old ones end.
import {once} from 'node:events';
import net from 'node:net';

const LOOK_MS = 20;  // Between two looks whether the target listens again.
const MOST_QUEUED = 1 << 20;  // Bytes of one way of one connection that wait to be late; then its source is not read.

// Ends a connection by RST. One whose FIN is still on its way to the kernel is closed: libuv refuses to reset it, and Node would
// then keep its descriptor, and the process, forever.
export function reset(socket) {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

// What happens to bytes that go one way. Nothing, at first.
class Way {
  held = false;     // They wait, as they do in a network that is cut: what its ends keep sending comes when it is whole again.
  swallows = false; // They vanish, and both ends believe that they have come. It ends with a cut, for they never come.
  delay = 0;        // So many milliseconds late.

  get blocked() {
    return this.held || this.swallows;
  }
}

// One way of one connection. What ends the source ends the sink in the same way, in its turn.
class Pump {
  #queue = [];  // {due, bytes}, {due, end} or {due, reset}
  #queued = 0;
  #timer = null;
  #busy = false;
  #ended = false;  // Nothing more comes from the source, or is wanted of it.

  // `beforeEnd`: awaited before the sink is told that the source has ended.
  constructor(source, sink, way, {spoil, reset, beforeEnd}) {
    Object.assign(this, {source, sink, way, spoil, reset, beforeEnd});
    source.on('data', (bytes) => {
      if (way.swallows) return spoil();
      this.#queued += bytes.length;
      this.#push({bytes});
    });
    source.on('end', () => this.#push({end: true}));
    source.on('error', () => (this.#ended ? this.reset() : this.#push({reset: true})));
    sink.on('drain', () => this.run());
    this.run();
  }

  #push(piece) {
    if (this.#ended) return;
    this.#ended = piece.end || piece.reset;
    this.#queue.push({due: performance.now() + this.way.delay, ...piece});
    this.run();
  }

  // Goes on, as the way is now.
  async run() {
    if (this.way.held || this.#queued > MOST_QUEUED) this.source.pause();
    else this.source.resume();
    if (this.#busy) return;
    this.#busy = true;
    while (this.#queue.length && !this.way.blocked && !this.sink.writableNeedDrain) {
      const {due, bytes, reset} = this.#queue[0];
      const early = due - performance.now();
      if (early > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.run(), early);
        break;
      }
      this.#queue.shift();
      if (bytes) {
        this.#queued -= bytes.length;
        if (this.sink.writable) this.sink.write(bytes);
      } else {
        await this.beforeEnd();
        if (reset) this.reset();
        else this.sink.end();
      }
    }
    this.#busy = false;
    if (!this.way.held && this.#queued <= MOST_QUEUED) this.source.resume();
  }

  stop() {
    this.#ended = true;
    this.#queue = [];
    clearTimeout(this.#timer);
  }
}

export class Link {
  up = new Way();    // From the program that calls to the server.
  down = new Way();  // Back.
  resets = false;    // New connections are taken, and ended by RST.
  #connections = new Set();  // {client, server, pumps, spoiled}; without a server it waits for a network that is whole.

  // `port()`: where the caller finds the server; undefined until that is there.
  constructor(from, to, port) {
    Object.assign(this, {from, to, port});
  }

  get blocked() {
    return this.up.blocked || this.down.blocked;
  }

  get connections() {
    return this.#connections.size;
  }

  // `ways`: {up, down}, each of them any of {held, swallows, delay}.
  set({up = {}, down = {}, resets = this.resets} = {}) {
    const swallowed = this.up.swallows || this.down.swallows;
    Object.assign(this.up, up);
    Object.assign(this.down, down);
    this.resets = resets;
    if (swallowed && !this.up.swallows && !this.down.swallows) {
      for (const connection of this.#connections) if (connection.spoiled) this.#reset(connection);
    }
    for (const connection of this.#connections) {
      if (connection.server) for (const pump of connection.pumps) pump.run();
      else if (!this.blocked) connection.dial();
    }
    this.port()?.look();
  }

  heal() {
    const whole = {held: false, swallows: false, delay: 0};
    this.set({up: whole, down: whole, resets: false});
  }

  // Ends all connections, by RST.
  cut() {
    for (const connection of this.#connections) this.#reset(connection);
  }

  // A connection of the program that calls, which its port leads here.
  take(client) {
    if (this.resets) return reset(client);
    const connection = {client, server: null, pumps: [], spoiled: false, dial: () => this.#dial(connection)};
    this.#connections.add(connection);
    client.on('error', () => {});
    client.on('close', () => !connection.server && this.#connections.delete(connection));
    if (!this.blocked) connection.dial();
  }

  #dial(connection) {
    const {client} = connection;
    const port = this.port();
    const server = net.connect({...port.target, allowHalfOpen: true});
    connection.server = server;
    server.setNoDelay(true);
    const end = async () => {
      await port.look();
      this.#reset(connection);
    };
    server.once('error', end);
    server.once('connect', () => {
      server.off('error', end);
      const with_ = {spoil: () => (connection.spoiled = true), reset: () => this.#reset(connection)};
      connection.pumps = [new Pump(client, server, this.up, {...with_, beforeEnd: async () => {}}),
                          new Pump(server, client, this.down, {...with_, beforeEnd: () => port.look()})];
      const closed = () => client.destroyed && server.destroyed && this.#connections.delete(connection);
      client.on('close', closed);
      server.on('close', closed);
    });
  }

  #reset(connection) {
    this.#connections.delete(connection);
    for (const pump of connection.pumps) pump.stop();
    for (const socket of [connection.client, connection.server]) if (socket && !socket.destroyed) reset(socket);
  }
}

export class Port {
  refuses = false;
  #server = null;
  #timer = null;
  #looking = null;
  #asked = false;
  #closed = false;

  // `target`: {host, port}. `linkOf(socket)`: which link a connection is of; undefined: nobody's. `links`: all that it may be.
  constructor(host, port, target, links, linkOf = () => links()[0]) {
    Object.assign(this, {host, port, target, links, linkOf});
  }

  get address() {
    return `${this.host}:${this.port}`;
  }

  async open() {
    await this.look();
    return this;
  }

  // Nobody seems to listen here, though the target does. Connections that there are stay: see Link.cut.
  async refuse(on) {
    this.refuses = on;
    await this.look();
  }

  // Listens, or not, as the target does. A network that is cut does not tell who listens.
  look() {
    this.#asked = true;
    const looks = async () => {
      while (this.#asked) {
        this.#asked = false;
        await this.#look();
      }
    };
    this.#looking ??= looks().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async close() {
    this.#closed = true;
    await this.#looking;
    clearTimeout(this.#timer);
    this.#server?.close();
    for (const link of this.links()) link.cut();
  }

  async #look() {
    clearTimeout(this.#timer);
    const cut = () => this.links().some((link) => link.blocked);
    const wanted = !this.refuses && (cut() || await this.#targetListens());
    if (this.#closed) return;
    if (wanted && !this.#server) await this.#listen();
    if (!wanted && this.#server) {
      this.#server.close();
      this.#server = null;
    }
    if (!wanted && !this.refuses && !this.#closed) this.#timer = setTimeout(() => this.look(), LOOK_MS);
  }

  async #targetListens() {
    const socket = net.connect(this.target);
    const listens = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)])
        .catch(() => false);
    socket.on('error', () => {});
    socket.destroy();
    return listens;
  }

  async #listen() {
    const server = net.createServer({allowHalfOpen: true, pauseOnConnect: true, noDelay: true}, (client) => {
      const link = this.linkOf(client);
      if (link) link.take(client);
      else reset(client);
    });
    server.listen(this.port, this.host);
    await once(server, 'listening');
    this.#server = server;
    server.unref();
    if (this.#closed) server.close();
  }
}
