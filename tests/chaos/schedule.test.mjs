// The schedule and the pauses: pure parts of the chaos test.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {distribution, pausesOf} from './pauses.mjs';
import {Random} from './random.mjs';
import {EVENTS, eventNames, steps} from './schedule.mjs';

function take(count, iterator) {
  return Array.from({length: count}, () => iterator.next().value);
}

test('a seed gives the same steps each time, and another seed others', () => {
  const of = (seed) => take(30, steps(new Random(seed).of('steps'), eventNames('', 'sqlite')));
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
});

test('every kind of event comes once before any comes again', () => {
  const names = eventNames('', 'postgres');
  assert.deepEqual(take(names.length, steps(new Random(5), names)).map(({name}) => name).sort(), Object.keys(EVENTS).sort());
});

test('events are named by themselves or by their group', () => {
  assert.deepEqual(eventNames('kill-chat,rolling', 'sqlite'), ['kill-chat', 'rolling']);
  assert.deepEqual(eventNames('cut-pair,network', 'sqlite'), eventNames('network', 'sqlite').sort((a, b) =>
    (b === 'cut-pair') - (a === 'cut-pair')));
  assert.ok(eventNames('', 'sqlite').includes('isolate-chat'));
});

test('an event that is not there is named, with those that are', () => {
  assert.throws(() => eventNames('kill-chat,flood', 'sqlite'), /no event 'flood'.*kill-chat/);
});

test('a store that is a file has no network and no server', () => {
  assert.ok(!eventNames('', 'sqlite').includes('kill-store'));
  assert.throws(() => eventNames('kill-store', 'sqlite'), /kill-store: only with --store=postgres/);
  assert.deepEqual(eventNames('kill-store', 'postgres'), ['kill-store']);
});

test('random numbers are spread over their range, and a stream does not depend on others', () => {
  const random = new Random(3);
  const numbers = Array.from({length: 1000}, () => random.between(10, 20));
  assert.ok(numbers.every((n) => n >= 10 && n < 20));
  assert.ok(Math.min(...numbers) < 10.5 && Math.max(...numbers) > 19.5);
  assert.equal(random.of('a').next(), new Random(3).of('a').next());
  assert.notEqual(random.of('a').next(), random.of('b').next());
});

test('a pause lasts until the last member has a message that is newer than the event', () => {
  const message = (t, id) => ({t, kind: 'message', id});
  const records = [{room: 'r', entries: [message(120, 'old'), message(300, 'new')]},
                   {room: 'r', entries: [message(340, 'new')]},
                   {room: 'other', entries: [message(900, 'new')]}];
  const sends = [{id: 'old', sent: 90}, {id: 'new', sent: 110}];
  assert.deepEqual(pausesOf([{t: 100, name: 'kill-chat', rooms: ['r']}], records, sends), {'kill-chat': [240]});
  assert.deepEqual(distribution([3, 1, 2]), {count: 3, p50: 2, p99: 3, max: 3});
});
