// The parts of the cluster test that need no cluster.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {test} from 'node:test';

import {chosen} from './choice.mjs';
import {LoadBalancer} from './load_balancer.mjs';
import {operatorLines} from './operator.mjs';
import {longestSilence} from './silences.mjs';
import {saysNothing, tableOf, wrongsOf} from './table.mjs';

const good = {name: 'rollout-chat', planned: true, longestPause: 1000, seconds: 21.4, acknowledged: 900, due: 7200, delivered: 7200, missing: 0,
              doubled: 0, misplaced: 0, givenUp: 0, putOut: 0, away: 0, presence: 0, served: 400, again: 0, failed: 0, slowest: 120, pause: 640, ownPause: 90};

test('a result is wrong by whatever was promised and did not come', () => {
  assert.deepEqual(wrongsOf(good), []);
  assert.deepEqual(wrongsOf({...good, pause: 9000}), [], 'a pause says little on a busy machine');
  for (const field of ['missing', 'doubled', 'misplaced', 'givenUp', 'putOut', 'away', 'presence', 'failed']) {
    assert.equal(wrongsOf({...good, [field]: 3}).length, 1, field);
    assert.match(wrongsOf({...good, [field]: 3})[0], /^3 /);
  }
  assert.equal(wrongsOf({...good, again: 1}).length, 1, 'nobody may have to try again when an operator does something');
  assert.equal(wrongsOf({...good, again: 1, planned: false}).length, 0);
  assert.deepEqual(wrongsOf({...good, planned: false, waits: true, failed: 9, again: 9, missing: 1}), ['1 lost'], 'what comes may wait');
  assert.deepEqual(wrongsOf({name: 'drain', error: 'no node'}), ['no node']);
});

test('on a machine without time for the test, waiting says nothing and losing does', () => {
  const busy = {...good, ownPause: 5000};
  assert.equal(saysNothing(good), false);
  assert.equal(saysNothing(busy), false, 'all was well all the same');
  assert.equal(saysNothing({...busy, again: 2}), true);
  assert.equal(saysNothing({...busy, failed: 2}), true);
  assert.equal(saysNothing({...busy, failed: 2, missing: 1}), false);
  assert.equal(saysNothing({...busy, away: 2, missing: 1, presence: 2}), true, 'who is not back may get it yet');
  assert.equal(saysNothing({...busy, away: 2, doubled: 1}), false);
  assert.equal(saysNothing({...good, failed: 2}), false);
  assert.equal(saysNothing({name: 'drain', error: 'no node'}), false);
});

test('the table has a line for each event, and says which have failed', () => {
  const lines = tableOf([good, {...good, name: 'drain', missing: 2, pause: 1500}, {name: 'node-cut', error: 'no node'}]);
  assert.equal(lines.length, 4);
  assert.match(lines[0], /^event +s +acknowledged +delivered \/ due/);
  assert.match(lines[1], /^rollout-chat +21 +900 +7200 \/ 7200 .* 400 \/ 400 .* 0\.6 s +0\.1 s +ok$/);
  assert.match(lines[2], /^drain .* 1\.5 s \(> 1\) +0\.1 s +FAILED$/);
  assert.match(lines[3], /^node-cut .*FAILED$/);
});

test('a silence counts from the event on, and ends with the next message', () => {
  const at = (...times) => times.map((t, i) => ({t, kind: i ? 'message' : 'entered'}));
  const records = [
    {user: 'ann', room: 'lobby', entries: at(0, 100, 5000, 5100)},
    {user: 'bob', room: 'lobby', entries: at(0, 4000, 4900, 5200)},
  ];
  assert.deepEqual(longestSilence(records, 3000, 5200), {ms: 2000, user: 'ann', room: 'lobby'});
  assert.deepEqual(longestSilence(records, 4900, 5200), {ms: 300, user: 'bob', room: 'lobby'});
  assert.deepEqual(longestSilence(records, 5200, 9000), {ms: 3800, user: 'ann', room: 'lobby'}, 'and with the end of all talk');
  assert.equal(longestSilence([], 0, 9000).ms, 0);
});

test('the load balancer goes on to the next node', async (t) => {
  const node = createServer((socket) => socket.end('here'));
  await new Promise((resolve) => node.listen(0, '127.0.0.2', resolve));
  t.after(() => node.close());
  // Nobody listens on the first one's address.
  const balancer = new LoadBalancer(['127.0.0.3', '127.0.0.2'], node.address().port);
  const port = await balancer.listen();
  t.after(() => balancer.close());
  for (let i = 0; i < 4; ++i) {
    const said = await new Promise((resolve, reject) => {
      let all = '';
      connect(port, '127.0.0.1').on('data', (data) => (all += data)).on('close', () => resolve(all)).on('error', reject);
    });
    assert.equal(said, 'here');
  }
});

test('events are named by themselves or by their groups, and one that cannot happen says why', () => {
  const events = {roll: {planned: true, short: true}, upgrade: {planned: true, before: true}, hang: {planned: false}};
  assert.deepEqual(chosen(['all'], events, ''), ['roll', 'hang']);
  assert.deepEqual(chosen(['all'], events, '/before'), ['roll', 'upgrade', 'hang']);
  assert.deepEqual(chosen(['hang', 'planned', 'short'], events, '/before'), ['hang', 'roll', 'upgrade', 'roll']);
  assert.deepEqual(chosen(['accidents'], events), ['hang']);
  assert.throws(() => chosen(['upgrade'], events, ''), /'upgrade' needs the version before.*HUBBUB_BEFORE=REVISION/);
  assert.throws(() => chosen(['flood'], events, ''), /no event 'flood'. These are: roll upgrade hang all planned accidents short\./);
});

test('deploy/README.md has the lines of an operator', () => {
  const lines = operatorLines(readFileSync(new URL('../../deploy/README.md', import.meta.url), 'utf8'));
  assert.ok(lines.filter((line) => line.includes(' port-forward ')).length >= 3);
  assert.ok(lines.some((line) => line.startsWith('grpcurl ')) && lines.some((line) => line.startsWith('ghz ')));
});
