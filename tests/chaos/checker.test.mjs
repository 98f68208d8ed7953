// The checker finds what it is there to find, and excuses only what it should.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {check, checkPresence} from './checker.mjs';

const ROOM = 'r';

// Two members who saw `count` messages of ann, all acknowledged, one each 100 ms.
function world(count = 5) {
  const message = (n, more = {}) => ({t: 100 * n + 5, kind: 'message', id: `m${n}`, from: 'ann', n, epoch: 7, offset: 10 + n, ...more});
  const all = Array.from({length: count}, (_, i) => i + 1);
  const record = (user) => ({user, room: ROOM, entries: [{t: 0, kind: 'entered', epoch: 7, offset: 10}, ...all.map((n) => message(n))]});
  return {
    message,
    records: [record('ann'), record('bob')],
    sends: all.map((n) => ({id: `m${n}`, room: ROOM, from: 'ann', n, sent: 100 * n, acked: 100 * n + 3, epoch: 7, offset: 10 + n})),
    deaths: [],
    get bob() {
      return this.records[1].entries;
    },
  };
}
const without = (entries, ...ids) => entries.filter(({id}) => !ids.includes(id));
const kinds = (result) => [...new Set(result.violations.map(({kind}) => kind))];

test('finds nothing where nothing is wrong', () => {
  const {violations, counts} = check(world());
  assert.deepEqual(violations, []);
  assert.deepEqual([counts.sent, counts.acknowledged, counts.deliveries, counts.due], [5, 5, 10, 10]);
});

test('finds a loss', () => {
  const one = world();
  one.records[1].entries = without(one.bob, 'm3');
  const result = check(one);
  assert.deepEqual(kinds(result), ['loss']);
  assert.match(result.violations[0].text, /bob never got 'm3'/);
  assert.equal(result.counts.missing, 1);
});

test('finds a double, whether the client library dropped it or it has another place', () => {
  const dropped = world();
  dropped.bob.push({t: 900, kind: 'stale', id: 'm3'});
  assert.deepEqual(kinds(check(dropped)), ['double']);
  const again = world();
  again.bob.push(again.message(3, {offset: 30}));
  assert.deepEqual(kinds(check(again)), ['double']);
});

test('finds a reorder, in a client and between clients', () => {
  const late = world();
  late.records[1].entries = without(late.bob, 'm3');
  late.bob.push({t: 900, kind: 'stale', id: 'm3'});
  assert.ok(kinds(check(late)).includes('order'));
  const swapped = world();
  swapped.bob[2] = swapped.message(3, {offset: 12});
  swapped.bob[3] = swapped.message(2, {offset: 13});
  assert.deepEqual(kinds(check(swapped)), ['order']);
});

test('finds that the order of a sender was not kept, though all saw the same', () => {
  const one = world();
  for (const {entries} of one.records) [entries[2].n, entries[3].n] = [entries[3].n, entries[2].n];
  assert.deepEqual(kinds(check(one)), ['order']);
});

test('finds epochs that came in another order, or came back', () => {
  const one = world(2);
  one.bob.push(one.message(3, {epoch: 8, offset: 1}), one.message(4, {epoch: 7, offset: 14}));
  assert.ok(kinds(check(one)).includes('order'));
});

// Both lose the last message; the room goes on in a new life.
function died({at, until = at}) {
  const one = world();
  for (const record of one.records) {
    record.entries = without(record.entries, 'm5');
    record.entries.push(one.message(6, {epoch: 8, offset: 1}));
  }
  one.deaths = [{t: at, until, rooms: [ROOM]}];
  return one;
}

test('a message that its chat server took along is counted by itself', () => {
  const {violations, counts} = check(died({at: 600}));
  assert.deepEqual(violations, []);
  assert.equal(counts['lost with their chat server'], 2);
});

test('a death long after, long before, or of another room excuses nothing', () => {
  for (const at of [3000, -1000]) assert.deepEqual(kinds(check(died({at}))), ['loss'], `a death at ${at}`);
  const elsewhere = died({at: 600});
  elsewhere.deaths[0].rooms = ['another'];
  assert.deepEqual(kinds(check(elsewhere)), ['loss']);
});

test('what a server acknowledged that did not know that it was replaced is counted by itself', () => {
  const {violations, counts} = check(died({at: -6000, until: 100}));
  assert.deepEqual(violations, []);
  assert.equal(counts['lost with their chat server'], 2);
  assert.deepEqual(kinds(check(died({at: -6000, until: -1000}))), ['loss']);
});

test('counts what two owners have acknowledged at one time', () => {
  const one = world(4);
  const send = (n, acked, epoch) => ({id: `x${n}`, room: ROOM, from: 'eve', n, sent: acked - 5, acked, epoch, offset: n});
  one.bob.push(one.message(1, {id: 'x1', from: 'eve', epoch: 8, offset: 1}));
  one.records[0].entries.push(one.message(1, {id: 'x1', from: 'eve', epoch: 8, offset: 1}));
  one.sends.push(send(1, 290, 8));
  assert.equal(check(one).counts['acknowledged by an owner that was replaced'], 2);
});

test('the order of a sender who does not wait is not judged', () => {
  const one = world();
  for (const {entries} of one.records) [entries[2].n, entries[3].n] = [entries[3].n, entries[2].n];
  for (const send of one.sends) send.once = true;
  assert.deepEqual(kinds(check(one)), []);
});

test('a hole before a message that came is a loss, death or not', () => {
  const one = died({at: 600});
  one.records[1].entries = without(one.bob, 'm3');
  const result = check(one);
  assert.deepEqual(kinds(result), ['loss']);
  assert.equal(result.counts.missing, 1);
});

test('a message that was said again in the next life is excused by a death between, and by nothing else', () => {
  const one = world();
  one.sends[4].acked = 900;
  for (const {entries} of one.records) entries.push(one.message(5, {epoch: 8, offset: 1, t: 895}));
  assert.deepEqual(kinds(check(one)), ['double']);
  one.deaths = [{t: 510, until: 510, rooms: [ROOM]}];
  const {violations, counts} = check(one);
  assert.deepEqual(violations, []);
  assert.equal(counts['said again after their chat server died'], 2);
});

test('a gap excuses what lies in it, for the client that was told, and nothing more', () => {
  const one = world();
  one.records[1].entries = without(one.bob, 'm2', 'm3');
  one.bob.splice(2, 0, {t: 350, kind: 'gap', since: {epoch: 7, offset: 11}, until: {epoch: 7, offset: 13}});
  const {violations, counts} = check(one);
  assert.deepEqual(violations, []);
  assert.deepEqual([counts.gaps, counts['due in a gap']], [1, 2]);
  one.records[1].entries = without(one.bob, 'm4');
  assert.deepEqual(kinds(check(one)), ['loss']);
});

test('nothing is due to those who came later or had gone', () => {
  const one = world();
  one.records[1].entries = [{t: 210, kind: 'entered', epoch: 7, offset: 12}, one.message(3), {t: 390, kind: 'out'}];
  const {violations, counts} = check(one);
  assert.deepEqual(violations, []);
  assert.equal(counts.due, 6);
});

test('finds lists of users that do not agree', () => {
  const expected = new Map([[ROOM, ['ann', 'bob']]]);
  const view = (users) => [{who: 'ann', room: ROOM, users}];
  assert.deepEqual(checkPresence(view(['bob', 'ann']), expected), []);
  assert.match(checkPresence(view(['ann']), expected)[0].text, /lacks bob/);
  assert.match(checkPresence(view(['ann', 'bob', 'eve']), expected)[0].text, /also has eve/);
  assert.match(checkPresence(view(['ann', 'bob', 'bob']), expected)[0].text, /more than once/);
});
