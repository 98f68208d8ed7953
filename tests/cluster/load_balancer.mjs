// What stands before the gates of a cluster: a TCP load balancer, which takes the next node when one does not answer.
import {connect, createServer} from 'node:net';

const ANSWER_WITHIN_MS = 1000;

export class LoadBalancer {
  #turn = 0;
  #sockets = new Set();

  constructor(hosts, port) {
    Object.assign(this, {hosts, port});
    this.server = createServer((client) => this.#lead(client, this.#turn++, this.hosts.length));
  }

  // Resolves with the port of this machine that it listens on.
  listen() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port)));
  }

  close() {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #lead(client, turn, left) {
    this.#keep(client);
    const host = this.hosts[turn % this.hosts.length];
    const node = connect({host, port: this.port, noDelay: true});
    this.#keep(node);
    let open = false;
    const timer = setTimeout(() => node.destroy(), ANSWER_WITHIN_MS);
    node.on('connect', () => {
      clearTimeout(timer);
      open = true;
      client.pipe(node).pipe(client);
    });
    node.on('close', () => {
      clearTimeout(timer);
      if (open || left <= 1 || client.destroyed) client.destroy();
      else this.#lead(client, turn + 1, left - 1);
    });
    client.on('close', () => node.destroy());
  }

  #keep(socket) {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }
}
