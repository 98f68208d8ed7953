// People at stock Pomelo clients who talk in rooms without end, and a record of what each of them saw, for the checker of the
// chaos test.
import {StockClient} from '../e2e/stock_client.mjs';
import {until} from '../e2e/wait.mjs';

const AGAIN_WITHIN_MS = 30000;
const BETWEEN_MS = 20;  // What a person waits before saying the next thing into a room.
const now = () => performance.now();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Talk {
  people = [];   // {client, user, port}
  records = [];  // As checker.mjs wants them, and the sends too.
  sends = [];
  #talking = [];
  #stopped = false;

  constructor(rooms) {
    this.rooms = rooms;
  }

  // One more person, in all rooms, on the connector at that port: a name that the gate sends there is looked for.
  async join(name, gatePort, connectorPort) {
    const {client, user} = await this.#connect(name, gatePort, connectorPort);
    this.people.push({client, user});
    for (const room of this.rooms) {
      // Chat servers that have just started may be about to find their store.
      let answer;
      const {epoch, offset} = await until(async () => (answer = await client.enter(user, room)).users && answer,
                                          () => `${user} to enter ${room}; it answers ${JSON.stringify(answer)}`, AGAIN_WITHIN_MS);
      this.records.push({user, room, entries: [{t: now(), kind: 'entered', epoch, offset}]});
    }
    client.pomelo.on('onChat', ({rid, from, msg, epoch, offset}) => {
      const n = Number(msg.slice(msg.lastIndexOf(' ') + 1));
      this.record(user, rid).entries.push({t: now(), kind: 'message', id: msg, from, n, epoch, offset});
    });
  }

  async #connect(name, gatePort, connectorPort) {
    for (let i = 0; i < 100; ++i) {
      const client = new StockClient();
      const user = `${name}-${i}`;
      await client.connect(gatePort, user);
      if (client.entry.port === connectorPort) return {client, user};
      client.close();
    }
    throw new Error(`The gate sends nobody to port ${connectorPort}.`);
  }

  record(user, room) {
    return this.records.find((one) => one.user === user && one.room === room);
  }

  // In every room everybody says one thing after the other, until end().
  begin() {
    this.#talking = this.rooms.flatMap((room) => this.people.map((person) => this.#speak(person, room)));
  }

  async #speak({client, user}, room) {
    for (let n = 1; !this.#stopped; ++n) {
      const id = `${user} ${room} ${n}`;
      const send = {id, room, from: user, n, sent: now()};
      this.sends.push(send);
      const {offset, epoch} = await this.#say(client, send);
      Object.assign(send, {acked: now(), epoch, offset});
      await pause(BETWEEN_MS);
    }
  }

  // What was refused is said again, with the same id: the room says it once.
  #say(client, {id, room}) {
    let refused;
    return until(async () => {
      const answer = await client.request('chat.chatHandler.send', {rid: room, content: id, target: '*', id});
      if (answer.error) refused = answer;
      return !answer.error && answer;
    }, () => `${room} to take '${id}'; it answers ${JSON.stringify(refused)}`, AGAIN_WITHIN_MS);
  }

  // Until everybody has heard, in every room, something that was said from now on.
  flows(what, deadline) {
    const since = now();
    const places = this.records.map(({entries}) => entries.length);
    const sent = (id) => this.sends.findLast((send) => send.id === id)?.sent;
    const quiet = () => this.records.filter(({entries}, i) => !entries.slice(places[i]).some(({id}) => sent(id) >= since));
    return until(() => quiet().length === 0, () => `messages to flow ${what}; silent: ${quiet().map(({user, room}) => `${room} for ${user}`)}`,
                 deadline);
  }

  async end() {
    this.#stopped = true;
    await Promise.all(this.#talking);
  }

  close() {
    this.#stopped = true;
    for (const {client} of this.people) client.close();
  }
}
