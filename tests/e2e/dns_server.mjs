// A DNS server on loopback whose answers a test changes. It knows A records alone, over UDP (RFC 1035).
import dgram from 'node:dgram';
import {once} from 'node:events';

const TYPE_A = 1;
const NXDOMAIN = 3;

// The name of a message's question, and where the question ends.
function questionOf(message) {
  const labels = [];
  let at = 12;
  while (message[at]) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  return {name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5};
}

export class DnsServer {
  names = new Map();  // name -> [address…]

  static async start() {
    const server = new DnsServer();
    server.socket = dgram.createSocket('udp4', (message, from) => {
      server.socket.send(server.#answer(message), from.port, from.address);
    });
    server.socket.bind(0, '127.0.0.1');
    await once(server.socket, 'listening');
    server.address = `127.0.0.1:${server.socket.address().port}`;
    return server;
  }

  set(name, addresses) {
    this.names.set(name, addresses);
  }

  close() {
    this.socket.close();
  }

  #answer(message) {
    const {name, type, end} = questionOf(message);
    const known = this.names.get(name);
    const addresses = type === TYPE_A ? known ?? [] : [];
    const head = Buffer.from(message.subarray(0, end));
    head[2] = 0x85;
    head[3] = known ? 0 : NXDOMAIN;
    head.writeUInt16BE(addresses.length, 6);
    head.writeUInt32BE(0, 8);
    // The question's name, type A, class IN, valid for 0 seconds, 4 bytes.
    const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
    return Buffer.concat([head, ...addresses.flatMap((address) => [record, Buffer.from(address.split('.').map(Number))])]);
  }
}
