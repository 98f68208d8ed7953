// The network of a suite (suite.mjs, `network: true`): a link between each two servers, and between each chat server and the
// store. Each server has a servers.json of its own, in which every other server has an address that only this one uses: its
// link. Chat servers find each other by the store, which has one address for all: there the link is found by the process that
// calls. Only servers that call each other have a link.
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';

import {Link, Port} from './link.mjs';

// All of 127.0.0.0/8 is this machine: these addresses need no setting up.
const PAIR = '127.20';
const PEERS = '127.21.0';
const STORE_NUMBER = 250;
const HOST = '127.0.0.1';
const CALLS = {gate: ['connector', 'chat'], connector: ['chat'], chat: []};

// What links to the store are named by.
export const STORE = 'store';

// The process, of those whose numbers are `pids`, that has the other end of a connection which has come to `socket`.
export function callerOf(socket, pids) {
  if (socket.remotePort === undefined) return undefined;  // It has ended.
  const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
  const [from, to] = [hex(socket.remotePort), hex(socket.localPort)];
  // gRPC calls IPv4 addresses from sockets of IPv6.
  const lines = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n')).flat();
  const line = lines.map((line) => line.trim().split(/\s+/))
      .find(([, local, remote]) => local?.endsWith(`:${from}`) && remote.endsWith(`:${to}`));
  if (!line) return undefined;
  const wanted = `socket:[${line[9]}]`;
  const has = (pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`) === wanted;
        } catch {
          return false;  // It was closed meanwhile.
        }
      });
    } catch {
      return false;  // The process has ended.
    }
  };
  return pids.find(has);
}

export class Network {
  #links = new Map();    // `${from} ${to}` to Link.
  #ports = new Map();    // `${from} ${to}`, or the id of a chat server for its peers, to Port.
  #numbers = new Map();  // By id.
  #servers = new Map();  // By id.
  #store = null;         // {host, port}

  // `store`: where PostgreSQL listens, {host, port}; nothing, if the store is a file.
  constructor(store) {
    this.#store = store;
  }

  // A server of the suite: {id, kind, port, process}.
  async add(server) {
    this.#servers.set(server.id, server);
    this.#numbers.set(server.id, this.#numbers.size + 1);
    for (const other of this.#servers.values()) {
      if (other === server) continue;
      for (const [from, to] of [[server, other], [other, server]]) {
        if (CALLS[from.kind].includes(to.kind)) await this.#open(from, to);
        if (from.kind === 'chat' && to.kind === 'chat') this.#linkPeers(from, to);
      }
    }
    if (server.kind !== 'chat') return;
    // Those that there will be, too.
    const links = () => this.links.filter(({from, to}) => to === server.id && this.#servers.get(from).kind === 'chat');
    const port = new Port(`${PEERS}.${this.#numbers.get(server.id)}`, server.port, {host: HOST, port: server.port}, links,
                          (socket) => this.#linkOfPeer(socket, links()));
    this.#ports.set(server.id, await port.open());
    if (this.#store) await this.#openTo(server, STORE, STORE_NUMBER, this.#store);
  }

  // Where `from` finds `to`, as {host, port}; nothing, if it does not call it.
  seenBy(from, to) {
    return this.#ports.get(`${from} ${to}`);
  }

  // From the caller to the server; undefined if they have none.
  link(from, to) {
    return this.#links.get(`${from} ${to}`);
  }

  // Where the other chat servers find this one.
  peerPort(id) {
    return this.#ports.get(id);
  }

  get links() {
    return [...this.#links.values()];
  }

  // Does `what`, such as {held: true}, to all that `a` sends to `b`, whichever of them called.
  oneWay(a, b, what) {
    this.link(a, b)?.set({up: what});
    this.link(b, a)?.set({down: what});
  }

  bothWays(a, b, what) {
    this.oneWay(a, b, what);
    this.oneWay(b, a, what);
  }

  // Ends the connections between two, by RST.
  cut(a, b) {
    for (const link of [this.link(a, b), this.link(b, a)]) link?.cut();
  }

  heal() {
    for (const link of this.#links.values()) link.heal();
    for (const port of this.#ports.values()) if (port.refuses) void port.refuse(false);
  }

  async close() {
    for (const port of this.#ports.values()) await port.close();
  }

  #linkPeers(from, to) {
    this.#links.set(`${from.id} ${to.id}`, new Link(from.id, to.id, () => this.#ports.get(to.id)));
  }

  #open(from, to) {
    return this.#openTo(from, to.id, this.#numbers.get(to.id), {host: HOST, port: to.port});
  }

  async #openTo(from, to, number, target) {
    const link = new Link(from.id, to, () => port);
    const port = new Port(`${PAIR}.${this.#numbers.get(from.id)}.${number}`, target.port, target, () => [link]);
    this.#links.set(`${from.id} ${to}`, link);
    this.#ports.set(`${from.id} ${to}`, await port.open());
  }

  #linkOfPeer(socket, links) {
    const running = links.filter(({from}) => this.#servers.get(from).process);
    const pidOf = ({from}) => this.#servers.get(from).process.pid;
    const pid = callerOf(socket, running.map(pidOf));
    return running.find((link) => pidOf(link) === pid);
  }
}
