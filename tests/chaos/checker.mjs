// Goes through what every client has seen and proves what a chat promises. Pure: it takes records, and knows no server.
//
//   records   [{user, room, entries}]: one for each client and room, entries in the order in which they were seen:
//             {t, kind: 'entered', epoch, offset}              the events after this point are due
//             {t, kind: 'message', id, from, n, epoch, offset} n counts the sender's messages into this room
//             {t, kind: 'stale', id}                           a message that the client library dropped as seen before
//             {t, kind: 'gap', since, until}                   told that what is between two points cannot be had
//             {t, kind: 'out'}                                 left, or was put out of the room
//   sends     [{id, room, from, n, sent, acked, epoch, offset, once}]; acked is undefined if no answer came. `once`: its client
//             does not repeat it, and may say more before it knows what became of it
//   deaths    [{t, until, rooms}]: while it owned these rooms, a chat server was killed, or did not know for a while that it
//             had been replaced. Where the store keeps what is said there are none to be excused
//
// Times are in milliseconds of one clock; a point is {epoch, offset}.
import {orderOfEpochs} from './epochs.mjs';

// A server that dies takes along what it had acknowledged and not yet pushed. More than this before its death, or after it
// (the answer was still on its way to the client), cannot be explained so.
const BEFORE_MS = 2000;
const AFTER_MS = 500;
const MAX_EXAMPLES = 20;

export function check({records, sends, deaths}) {
  const result = {
    violations: [],
    counts: {sent: sends.length, acknowledged: 0, unanswered: 0, deliveries: 0, due: 0, missing: 0, doubled: 0, misplaced: 0,
             gaps: 0, 'due in a gap': 0, 'lost with their chat server': 0, 'said again after their chat server died': 0,
             'acknowledged by an owner that was replaced': 0},
  };
  const rooms = new Map();
  for (const record of records) {
    if (!rooms.has(record.room)) rooms.set(record.room, {records: [], sends: []});
    rooms.get(record.room).records.push(record);
  }
  for (const send of sends) rooms.get(send.room)?.sends.push(send);
  for (const [room, {records, sends}] of rooms) {
    new RoomCheck(room, records, sends, deaths.filter((death) => death.rooms.includes(room)), result).run();
  }
  return result;
}

class RoomCheck {
  constructor(room, records, sends, deaths, result) {
    Object.assign(this, {room, records, sends, deaths, result});
    this.sendById = new Map(sends.map((send) => [send.id, send]));
  }

  run() {
    this.order = orderOfEpochs(this.records.map(({entries}) => entries));
    if (this.order.contradiction) this.violation('order', `epochs came in different orders: ${this.order.contradiction}`);
    this.checkPlaces();
    for (const record of this.records) {
      this.checkSequence(record);
      this.checkDeliveries(record);
    }
    this.countReplaced();
    for (const send of this.sends) this.result.counts[send.acked === undefined ? 'unanswered' : 'acknowledged'] += 1;
  }

  // Of two lives of a room the older one said that it had a message, when the newer one had said so of another.
  countReplaced() {
    let newest = -1;
    const acked = this.sends.filter((send) => send.acked !== undefined && this.order.has(send.epoch));
    for (const {epoch} of acked.sort((a, b) => a.acked - b.acked)) {
      const place = this.order.at(epoch);
      if (place < newest) this.result.counts['acknowledged by an owner that was replaced'] += 1;
      newest = Math.max(newest, place);
    }
  }

  violation(kind, text) {
    const {violations} = this.result;
    if (violations.length < MAX_EXAMPLES || !violations.some((one) => one.kind === kind)) {
      violations.push({kind, room: this.room, text: `${this.room}: ${text}`});
    }
  }

  // All members see the same message at one place in the order.
  checkPlaces() {
    const places = new Map();
    const take = (who, {id, epoch, offset}) => {
      const place = `${epoch}:${offset}`;
      const known = places.get(place);
      if (known === undefined) {
        places.set(place, {who, id});
      } else if (known.id !== id) {
        this.result.counts.misplaced += 1;
        this.violation('order', `${known.who} has '${known.id}' at offset ${offset} of epoch ${epoch}, ${who} has '${id}' there`);
      }
    };
    for (const {user, entries} of this.records) {
      for (const entry of entries) if (entry.kind === 'message') take(user, entry);
    }
    for (const send of this.sends) if (send.acked !== undefined) take(`the answer to ${send.from}`, send);
  }

  // Offsets only grow, and so does the count of each sender.
  checkSequence({user, entries}) {
    const seen = new Set();
    const counts = new Map();
    let at = null;
    for (const entry of entries) {
      if (entry.kind === 'entered') {
        at = entry;
      } else if (entry.kind === 'gap') {
        this.result.counts.gaps += 1;
        at = entry.until;
      } else if (entry.kind === 'stale') {
        const kind = seen.has(entry.id) ? 'double' : 'order';
        this.result.counts[kind === 'double' ? 'doubled' : 'misplaced'] += 1;
        this.violation(kind, `${user} was sent '${entry.id}' ${kind === 'double' ? 'twice' : 'after a later message'}`);
      } else if (entry.kind === 'message') {
        this.result.counts.deliveries += 1;
        if (at && this.compare(entry, at) <= 0) {
          this.result.counts.misplaced += 1;
          this.violation('order', `${user} saw '${entry.id}' at offset ${entry.offset} after offset ${at.offset} of epoch ${at.epoch}`);
        }
        if (!seen.has(entry.id)) {
          if (entry.n < counts.get(entry.from) && !this.sendById.get(entry.id)?.once) {
            this.result.counts.misplaced += 1;
            this.violation('order', `${user} saw '${entry.id}' after message ${counts.get(entry.from)} of ${entry.from}`);
          }
          counts.set(entry.from, entry.n);
        }
        seen.add(entry.id);
        at = entry;
      }
    }
  }

  checkDeliveries({user, entries}) {
    const copies = new Map();
    for (const entry of entries) {
      if (entry.kind !== 'message') continue;
      if (!copies.has(entry.id)) copies.set(entry.id, []);
      copies.get(entry.id).push(entry);
    }
    for (const [id, all] of copies) if (all.length > 1) this.judgeDouble(user, id, all);
    const spans = spansOf(entries);
    for (const send of this.sends) {
      if (send.acked === undefined || !this.isDue(send, spans)) continue;
      const {counts} = this.result;
      counts.due += 1;
      if (copies.has(send.id)) continue;
      if (this.inGap(send, entries)) {
        counts['due in a gap'] += 1;
      } else if (this.diedWith(send) && !sawLater(entries, send)) {
        counts['lost with their chat server'] += 1;
      } else {
        counts.missing += 1;
        this.violation('loss', `${user} never got '${send.id}', which was acknowledged at ${seconds(send.acked)} with offset ` +
                               `${send.offset} of epoch ${send.epoch}`);
      }
    }
  }

  // A message is due to those who entered before it and saw a later one, or have not gone out.
  isDue(send, spans) {
    return spans.some(({entered, last, out}) => {
      if (!this.order.has(send.epoch)) return entered.t < send.sent && !out;
      return this.compare(send, entered) > 0 && (!out || this.compare(send, last) <= 0);
    });
  }

  inGap(send, entries) {
    return entries.some(({kind, since, until, t}) => {
      if (kind !== 'gap') return false;
      if (!this.order.has(send.epoch)) return send.sent < t;
      return this.compare(send, since) > 0 && this.compare(send, until) <= 0;
    });
  }

  diedWith({acked}) {
    return this.deaths.some(({t, until}) => acked >= t - BEFORE_MS && acked <= until + AFTER_MS);
  }

  // It was said, its sender was not told because the chat server died, and was right to say it again in the room's next life.
  judgeDouble(user, id, all) {
    const send = this.sendById.get(id);
    const lives = new Set(all.map(({epoch}) => epoch)).size;
    const excused = send && lives === all.length &&
        this.deaths.some(({t, until}) => send.sent <= until + AFTER_MS && (send.acked ?? Infinity) >= t - AFTER_MS);
    if (excused) {
      this.result.counts['said again after their chat server died'] += 1;
    } else {
      this.result.counts.doubled += 1;
      this.violation('double', `${user} got '${id}' ${all.length} times: ` +
                               all.map(({epoch, offset, t}) => `offset ${offset} of epoch ${epoch} at ${seconds(t)}`).join(', '));
    }
  }

  compare(a, b) {
    return a.epoch === b.epoch ? a.offset - b.offset : this.order.at(a.epoch) - this.order.at(b.epoch);
  }
}

const seconds = (t) => `${(t / 1000).toFixed(2)} s`;

const sawLater = (entries, {epoch, offset}) =>
  entries.some((entry) => entry.kind === 'message' && entry.epoch === epoch && entry.offset > offset);

// The times for which a client was in the room: {entered, last, out}, `last` the newest point that it saw.
function spansOf(entries) {
  const spans = [];
  for (const entry of entries) {
    if (entry.kind === 'entered') spans.push({entered: entry, last: entry, out: null});
    const span = spans.at(-1);
    if (!span || span.out) continue;
    if (entry.kind === 'message') span.last = entry;
    else if (entry.kind === 'gap') span.last = entry.until;
    else if (entry.kind === 'out') span.out = entry;
  }
  return spans;
}

// Who is in each room, as every side has it: `views` [{who, room, users}]. All views of a room must be equal, and equal to
// `expected`, a Map of room to users.
export function checkPresence(views, expected) {
  const violations = [];
  for (const {who, room, users} of views) {
    const wanted = expected.get(room);
    const has = new Set(users);
    const absent = wanted.filter((user) => !has.has(user));
    const extra = users.filter((user) => !wanted.includes(user));
    const twice = users.length - has.size;
    if (!absent.length && !extra.length && !twice) continue;
    const parts = [absent.length && `lacks ${absent.join(', ')}`, extra.length && `also has ${extra.join(', ')}`,
                   twice && `has ${twice} users more than once`].filter(Boolean);
    violations.push({kind: 'presence', room, text: `${room}: the list of ${who} ${parts.join(' and ')}`});
  }
  return violations;
}
