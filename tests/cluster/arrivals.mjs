// People at stock Pomelo clients who come all the time: each asks a gate, connects to the connector that it names, enters a room,
// says one thing and goes.
import {StockClient} from '../e2e/stock_client.mjs';
import {until, withDeadline} from '../e2e/wait.mjs';

const EACH_MS = 60;
const STEP_WITHIN_MS = 5000;
const COME_WITHIN_MS = 15000;  // For all tries of one person.
const MOST_AT_ONCE = 100;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Arrivals {
  served = 0;
  again = 0;    // Tries after the first, of people who got in at last.
  failed = 0;   // People who did not get in.
  slowest = 0;  // Milliseconds.
  reasons = new Map();
  #count = 0;
  #here = new Set();

  constructor(gatePort, rooms) {
    Object.assign(this, {gatePort, rooms});
  }

  begin() {
    this.timer = setInterval(() => {
      if (this.#here.size >= MOST_AT_ONCE) return;
      const visit = this.#visit(`visitor-${++this.#count}`, this.rooms[this.#count % this.rooms.length]).finally(() => this.#here.delete(visit));
      this.#here.add(visit);
    }, EACH_MS);
  }

  async end() {
    clearInterval(this.timer);
    await Promise.all(this.#here);
  }

  async #visit(user, room) {
    const begin = performance.now();
    for (let tries = 0;; ++tries) {
      const reason = await this.#try(user, room);
      const took = performance.now() - begin;
      if (!reason) {
        this.served += 1;
        this.again += tries;
        this.slowest = Math.max(this.slowest, took);
        return;
      }
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
      if (took > COME_WITHIN_MS) {
        this.failed += 1;
        return;
      }
      await pause(200);
    }
  }

  // Why it did not work; nothing if it did.
  async #try(user, room) {
    const client = new StockClient();
    let step = '';
    const take = (what, promise) => {
      step = what;
      promise.catch(() => {});
      // The stock client's requests know nothing of a connection that has ended.
      const ended = until(() => client.events.includes('io-error') || client.socket?.readyState > 1, 'an end', STEP_WITHIN_MS + 1000)
          .then(() => Promise.reject(new Error('the connection failed')), () => new Promise(() => {}));
      ended.catch(() => {});
      return withDeadline(Promise.race([promise, ended]), 'an answer', STEP_WITHIN_MS);
    };
    const answered = (answer, field) => {
      if (answer[field] === undefined) throw new Error(`answered ${answer.code}`);
      return answer;
    };
    try {
      await take('gate', client.init({port: this.gatePort}));
      const {host, port} = answered(await take('queryEntry', client.request('gate.gateHandler.queryEntry', {uid: user})), 'host');
      client.pomelo.disconnect();
      client.events.length = 0;
      await take('connector', client.init({host, port}));
      answered(await take('enter', client.enter(user, room)), 'users');
      answered(await take('send', client.send(room, 'hello')), 'offset');
      return null;
    } catch (error) {
      return `${step}: ${error.message}`;
    } finally {
      client.close();
    }
  }
}
