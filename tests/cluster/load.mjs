// People who chat while something happens to the cluster, others who arrive meanwhile, and the proof of what all of them saw.
import {check, checkPresence} from '../chaos/checker.mjs';
import {watchOwnPauses} from '../chaos/pauses.mjs';
import {now, Person, sleep} from '../chaos/person.mjs';
import {callChat} from '../chaos/storm.mjs';
import {until} from '../e2e/wait.mjs';
import {Arrivals} from './arrivals.mjs';
import {pods, portForward} from './kubernetes.mjs';
import {longestSilence} from './silences.mjs';

const PEOPLE = 40;
const ROOMS = 10;
const EACH_MS = 220;       // Between two messages of a room.
const MOST_PENDING = 2;    // Sends of one person that wait for an answer.
const BEFORE_MS = 3000;    // Talk before the event and after it.
const AFTER_MS = 6000;
const BACK_WITHIN_MS = 60000;
const SETTLE_MS = 20000;

export class Load {
  sends = [];
  #timers = [];

  constructor(name, gatePort) {
    this.rooms = Array.from({length: ROOMS}, (_, i) => `${name}-${i + 1}`);
    this.people = Array.from({length: PEOPLE}, (_, i) => {
      const [first, second] = [i % ROOMS, (i * 7 + 3) % ROOMS];
      const rooms = [...new Set([this.rooms[first], this.rooms[second]])];
      return new Person(`${name}-user-${i + 1}`, gatePort, rooms, this.sends);
    });
    this.visited = Array.from({length: 5}, (_, i) => `${name}-visited-${i + 1}`);
    this.arrivals = new Arrivals(gatePort, this.visited);
  }

  // Everybody talks while `event()` goes on. Answers what came of it: see table.mjs.
  async during(event) {
    const ownPause = watchOwnPauses();
    try {
      await Promise.all(this.people.map((person) => person.start()));
      this.#talk();
      this.arrivals.begin();
      await sleep(BEFORE_MS);
      const begin = now();
      await event();
      const took = now() - begin;
      await sleep(AFTER_MS);
      const back = await until(() => this.people.every(({whole}) => whole), 'everybody to be back', BACK_WITHIN_MS).catch(() => false);
      await this.arrivals.end();
      const end = now();
      this.#timers.forEach(clearInterval);
      await until(() => this.people.every(({pending}) => !pending), 'each send to end', BACK_WITHIN_MS).catch(() => {});
      return await this.#judge({begin, took, end, back, ownPause: ownPause()});
    } finally {
      this.#timers.forEach(clearInterval);
      await this.arrivals.end();
      for (const person of this.people) person.close();
    }
  }

  #talk() {
    for (const room of this.rooms) {
      const members = this.people.filter(({rooms}) => rooms.includes(room));
      let turn = 0;
      this.#timers.push(setInterval(() => {
        for (let i = 0; i < members.length; ++i) {
          const person = members[turn++ % members.length];
          if (person.pending >= MOST_PENDING) continue;
          person.say(room);
          return;
        }
      }, EACH_MS));
    }
  }

  get #records() {
    return this.people.flatMap(({user, records}) => [...records].map(([room, entries]) => ({user, room, entries})));
  }

  async #judge({begin, took, end, back, ownPause}) {
    let result;
    const look = () => (result = check({records: this.#records, sends: this.sends, deaths: []})).violations.length === 0;
    await until(look, 'every message to arrive', SETTLE_MS).catch(() => {});
    const settled = now() + SETTLE_MS;
    let presence;
    do presence = await this.#presence(); while (presence.length && now() < settled);
    const silence = longestSilence(this.#records, begin, end);
    const {counts} = result;
    const givenUp = this.sends.filter(({error}) => error);
    const putOut = this.people.flatMap(({troubles}) => troubles.map(({text}) => text));
    const {served, again, failed, slowest, reasons} = this.arrivals;
    return {
      seconds: took / 1000, acknowledged: counts.acknowledged, due: counts.due, delivered: counts.due - counts.missing - counts['due in a gap'],
      missing: counts.missing + counts['due in a gap'], doubled: counts.doubled, misplaced: counts.misplaced,
      givenUp: givenUp.length, putOut: putOut.length, away: back ? 0 : this.people.filter(({whole}) => !whole).length,
      presence: presence.length, served, again, failed, slowest: Math.round(slowest), pause: Math.round(silence.ms), pauseOf: `${silence.user} in ${silence.room}`,
      ownPause: Math.round(ownPause), reasons: Object.fromEntries(reasons),
      examples: [...result.violations.map(({text}) => text), ...presence, ...putOut, ...givenUp.map(({id, error}) => `'${id}' was given up: ${error}`)]
          .slice(0, 12),
    };
  }

  // What is wrong about who is where: each member's list, the chat servers' own, and who has which room.
  async #presence() {
    const expected = new Map(this.rooms.map((room) => [room, this.people.filter(({rooms}) => rooms.includes(room)).map(({user}) => user)]));
    for (const room of this.visited) expected.set(room, []);
    const views = this.people.flatMap((person) => person.client.rooms.map((room) => ({who: person.user, room, users: person.usersOf(room)})));
    const wrong = [];
    const owners = new Map();
    try {
      for (const {name} of await pods('chat')) {
        await portForward(`pod/${name}`, 6050, async (port) => {
          const {rooms = []} = await callChat({port}, 'ListRooms', {page_size: 1000});
          for (const {room} of rooms.filter((one) => expected.has(one.room))) {
            if (owners.has(room)) wrong.push(`${room} is at ${owners.get(room)} and at ${name}`);
            owners.set(room, name);
          }
          for (const room of expected.keys()) {
            const {members = []} = await callChat({port}, 'GetRoom', {room});
            views.push({who: name, room, users: members.map(({user}) => user)});
          }
        });
      }
    } catch (error) {
      wrong.push(`the chat servers do not say who is where: ${error.message}`);
    }
    return [...wrong, ...checkPresence(views, expected).map(({text}) => text)];
  }
}
