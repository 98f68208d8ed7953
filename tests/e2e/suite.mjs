// Runs a whole suite, gate, connectors and chat servers, on free ports of this machine, from the programs in HUBBUB_BIN.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

import {Network, STORE} from './network.mjs';
import {RawTcp} from './pomelo_wire.mjs';
import {Postgres} from './postgres.mjs';
import {until, withDeadline} from './wait.mjs';

const BIN = process.env.HUBBUB_BIN ?? fileURLToPath(new URL('../../build/dev', import.meta.url));
const PROGRAMS = {gate: 'gateway/hubbub-gate', connector: 'connector/hubbub-connector', chat: 'chat/hubbub-chat'};
export const programOf = (kind) => join(BIN, PROGRAMS[kind]);
const START_MS = 30000;
const STOP_MS = 20000;
const HALT_MS = 10000;

// Servers that this process has started and that still run: none outlives it, however it ends.
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// A port at or above which the system takes ports of outgoing connections. A server that is restarted must find its port
// free, so it may not be one that a client can get meanwhile.
function firstEphemeralPort() {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    return 0;
  }
}

async function listen(port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  return Promise.race([once(server, 'listening').then(() => server), once(server, 'error').then(() => null)]).catch(() => null);
}

// Ports that were free a moment ago. All are held until the last one is found, so that they differ.
export async function freePorts(count) {
  const [low, high] = [12000, firstEphemeralPort()];
  const servers = [];
  while (servers.length < count) {
    const port = high > low + 1000 ? low + Math.floor(Math.random() * (high - low)) : 0;
    const server = await listen(port);
    if (server) servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export class Server {
  // `config`: its servers.json, or nothing, if the flags tell it the others in another way. `ulimit`: what the shell that
  // starts it is to say first, such as "-Sn 256".
  constructor(kind, entry, config, flags, ulimit) {
    Object.assign(this, {kind, entry, id: entry.id, port: entry.port, clientPort: entry.clientPort, config, flags, ulimit});
  }

  // Resolves when the server says that it is ready.
  async start() {
    this.log ??= '';  // Of all its processes, one after the other.
    this.exit = null;
    const command = [programOf(this.kind), '--id', this.id, ...(this.config ? ['--config', this.config] : []), ...this.flags];
    if (this.ulimit) command.unshift('bash', '-c', `ulimit ${this.ulimit} && exec "$0" "$@"`);
    this.process = spawn(command[0], command.slice(1), {stdio: ['ignore', 'pipe', 'pipe']});
    const child = this.process;
    running.add(child);
    this.process.stderr.on('data', (text) => {
      this.log = (this.log + text).slice(-100000);
    });
    const exited = new Promise((resolve) => {
      this.process.on('error', (error) => resolve(error.message));
      this.process.on('close', (code, signal) => resolve(signal ?? code));
    });
    exited.then((how) => {
      running.delete(child);
      this.exit = {how};
    });
    const ready = new Promise((resolve) => {
      createInterface({input: this.process.stdout}).on('line', (line) => {
        this.ready = line;
        // Or a line of the log, with --log_format=json.
        if (line.startsWith(`ready id=${this.id} `) || line.includes('"message":"ready"')) resolve(null);
      });
    });
    const how = await withDeadline(Promise.race([ready, exited]), `${this.id} to be ready`, START_MS);
    if (how !== null) throw new Error(`${this.id} ended (${how}) before it was ready:\n${this.log}`);
  }

  // Asks the server to end, or makes it end with 'SIGKILL'. A server that was asked must say that all went well.
  async stop(signal = 'SIGTERM') {
    if (!this.process) return;
    if (!this.exit) {
      this.process.kill(signal);
      this.process.kill('SIGCONT');  // One that is halted would never see the signal.
    }
    try {
      await until(() => this.exit, `${this.id} to end after ${signal}`, STOP_MS);
    } catch (error) {
      this.process.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.log}`);
    }
    this.process = null;
    this.halted = false;
    if (signal === 'SIGTERM') assert.equal(this.exit.how, 0, `${this.id} ended badly:\n${this.log}`);
  }

  // Halts the process, as a machine that hangs would, until goOn(). Each of its threads has stopped when this returns: on a busy
  // machine they go on for a while after the signal.
  halt() {
    this.halted = this.process.kill('SIGSTOP');
    const tasks = `/proc/${this.process.pid}/task`;
    const stopped = (id) => {
      try {
        return /\) [TtZX] /.test(readFileSync(`${tasks}/${id}/stat`, 'utf8'));
      } catch {
        return true;  // It has ended meanwhile.
      }
    };
    for (const end = Date.now() + HALT_MS; !readdirSync(tasks).every(stopped);) {
      assert.ok(Date.now() < end, `${this.id} did not halt`);
    }
  }
  goOn() {
    this.halted = false;
    this.process?.kill('SIGCONT');
  }
}

export class Suite {
  // flags: {gate: […], connector: […], chat: […]}; ulimits: {gate: '-Sn 256', …}; store: sqlite or postgres, this one started
  // by the suite; network: whether the servers reach each other and PostgreSQL by links that a test can make bad
  // (network.mjs); tokenFor: (user) => its sign-in token, for a suite that demands one; flagsOf: (id) => flags of one server;
  // tlsOptions: as tls.connect() takes them, for a suite with TLS alone.
  static async start({connectors = 1, chats = 1, flags = {}, ulimits = {}, store = 'sqlite', network = false,
                      tokenFor = () => undefined, flagsOf = () => [], tlsOptions} = {}) {
    for (let attempt = 0; ; ++attempt) {
      const suite = new Suite();
      Object.assign(suite, {tokenFor, flagsOf, tlsOptions});
      try {
        await suite.#start({connectors, chats, flags, ulimits, store, network});
        return suite;
      } catch (error) {
        await suite.stop({evenIfBad: true});
        // Somebody may have taken a port between its finding and its use.
        if (attempt > 0 || !/another program has this port|in use|cannot serve gRPC/i.test(error.message)) throw error;
      }
    }
  }

  async #start({connectors, chats, flags, ulimits, store, network}) {
    this.folder = await mkdtemp(join(tmpdir(), 'hubbub-e2e-'));
    Object.assign(this, {flags, ulimits});
    const ports = await freePorts(3 + 2 * connectors + chats);
    const storePort = ports.pop();
    if (store === 'postgres') this.postgres = await Postgres.start(storePort);
    if (network) this.network = new Network(this.postgres && {host: '127.0.0.1', port: storePort});
    const make = (kind, count) => Array.from({length: count}, (_, i) => this.#make(kind, i + 1, ports));
    [this.chats, this.connectors, [this.gate]] = [make('chat', chats), make('connector', connectors), make('gate', 1)];
    this.#numbers = {chat: chats, connector: connectors};
    for (const server of this.#all) await this.#connect(server);
    await this.#writeDirectory();
    for (const group of [this.chats, this.connectors, [this.gate]]) await Promise.all(group.map((server) => server.start()));
    await this.serves();
  }

  #numbers;
  #removed = [];

  get #all() {
    return [this.gate, ...this.connectors, ...this.chats];
  }

  #make(kind, number, ports) {
    const entry = {id: `${kind}-server-${number}`, host: '127.0.0.1', port: ports.pop()};
    if (kind !== 'chat') Object.assign(entry, {clientPort: ports.pop(), frontend: true});
    // As ./dev run does.
    const development = kind === 'gate' ? ['--reflection', '--servers_page'] : ['--reflection'];
    const config = join(this.folder, this.network ? `${entry.id}.json` : 'servers.json');
    return new Server(kind, entry, config, [...development, ...this.flags[kind] ?? [], ...this.flagsOf(entry.id)], this.ulimits[kind]);
  }

  // Gives it its links, and a chat server its store.
  async #connect(server) {
    await this.network?.add(server);
    if (server.kind !== 'chat') return;
    const seen = this.network?.seenBy(server.id, STORE);
    const store = this.postgres ? this.postgres.url(seen?.host, seen?.port) : `sqlite:${join(this.folder, 'store.db')}`;
    // First, so that a test's own flag counts.
    server.flags = [`--store=${store}`, ...this.network ? ['--listen=127.0.0.1'] : [], ...server.flags];
  }

  // As `viewer` finds the server. A chat server's own host is the one that others find it by.
  #entryFor(viewer, {id, kind, entry}) {
    if (!this.network) return entry;
    if (id === viewer.id) return kind === 'chat' ? {...entry, host: this.network.peerPort(id).host} : entry;
    const seen = this.network.seenBy(viewer.id, id);
    return seen ? {...entry, host: seen.host, port: seen.port, clientHost: entry.host} : entry;
  }

  async #writeDirectory() {
    const viewers = this.network ? this.#all : [this.gate];
    // One that is listed no more reads on what there is.
    for (const viewer of [...viewers, ...this.network ? this.#removed : []]) {
      const entries = (servers) => servers.map((server) => this.#entryFor(viewer, server));
      const directory = {gate: entries([this.gate]), connector: entries(this.connectors), chat: entries(this.chats)};
      // A reader sees the whole old file or the whole new one.
      await writeFile(`${viewer.config}.new`, JSON.stringify({development: directory}));
      await rename(`${viewer.config}.new`, viewer.config);
    }
  }

  // One more chat server or connector: in the directory, then started.
  async add(kind) {
    const server = this.#make(kind, ++this.#numbers[kind], await freePorts(2));
    (kind === 'chat' ? this.chats : this.connectors).push(server);
    await this.#connect(server);
    await this.#writeDirectory();
    await server.start();
    return server;
  }

  // Takes a server out of the directory. It runs on until its stop().
  async remove(server) {
    this.chats = this.chats.filter((one) => one !== server);
    this.connectors = this.connectors.filter((one) => one !== server);
    this.#removed.push(server);
    await this.#writeDirectory();
  }

  get gatePort() {
    return this.gate.clientPort;
  }

  // Until the gate knows every connector that runs, and each of them reaches every chat server. A ready server may still be
  // about to connect to the others.
  async serves() {
    const running = this.connectors.filter((connector) => connector.process);
    const wanted = new Set(running.map((connector) => connector.clientPort));
    let gate = null;
    let number = 0;
    await until(async () => {
      const uid = `probe-${++number}`;
      const token = this.tokenFor(uid);
      // A session whose client has signed in is one user's.
      if (gate && token) gate.close();
      if (!gate || token) {
        gate = await RawTcp.connect(this.gatePort, '127.0.0.1', undefined, this.tlsOptions);
        await gate.join();
      }
      const {port} = await gate.request('gate.gateHandler.queryEntry', {uid, token});
      wanted.delete(port);
      return wanted.size === 0;
    }, 'the gate to know all connectors');
    gate.close();
    for (const connector of running) {
      const probe = await RawTcp.connect(connector.clientPort, '127.0.0.1', undefined, this.tlsOptions);
      await probe.join();
      // So many rooms that no chat server is likely to be without one.
      for (let i = 0; i < 8 * this.chats.length; ++i) {
        const rid = `probe-room-${i}`;
        await until(async () => (await probe.request('connector.entryHandler.enter', {username: connector.id, rid, token: this.tokenFor(connector.id)})).users,
                    `${connector.id} to reach the chat servers`);
        await probe.request('connector.entryHandler.leave', {rid});
      }
      probe.close();
    }
  }

  // All servers, in the reverse of the order of start. Fails if one of them did not end well.
  async stop({evenIfBad = false} = {}) {
    const failures = [];
    for (const group of [[this.gate], this.connectors, this.chats]) {
      for (const server of group ?? []) await server?.stop().catch((error) => failures.push(error));
    }
    await this.network?.close();
    await this.postgres?.remove();
    if (this.folder) await rm(this.folder, {recursive: true, force: true});
    if (failures.length && !evenIfBad) throw failures[0];
  }
}
