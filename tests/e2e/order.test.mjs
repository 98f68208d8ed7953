// Every member of a room sees the same messages in the same order, with offsets that grow, and each sender's own order is
// kept.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const MESSAGES = 1000;
const SENDERS = ['ada', 'bob', 'eve', 'jo'];
const LISTENERS = ['kim', 'lee'];
const ROOM = 'order';

let suite;
const clients = [];

before(async () => {
  // The senders need not be slow for fear of the limit on requests.
  suite = await Suite.start({connectors: 2, chats: 2, flags: {connector: ['--max_requests_per_second=100000']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

test(`${MESSAGES} messages from each of ${SENDERS.length} senders have one order`, async () => {
  for (const user of [...SENDERS, ...LISTENERS]) {
    const client = await new StockClient().connect(suite.gatePort, user);
    clients.push(client);
    assert.ok((await client.enter(user, ROOM)).users);
  }
  const answers = await Promise.all(SENDERS.map(async (user, s) => {
    const offsets = [];
    const inFlight = new Set();
    for (let i = 0; i < MESSAGES; ++i) {
      const answer = clients[s].send(ROOM, `${user} ${i}`).then(({offset}) => {
        offsets[i] = offset;
        inFlight.delete(answer);
      });
      inFlight.add(answer);
      if (inFlight.size >= 64) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
    return offsets;
  }));

  const total = MESSAGES * SENDERS.length;
  for (const client of clients) {
    await until(() => client.pushes.onChat.length >= total, () => `${total} messages; there are ${client.pushes.onChat.length}`, 60000);
  }
  const seen = clients.map((client) => client.pushes.onChat.map(({msg, offset}) => `${offset} ${msg}`));
  assert.equal(seen[0].length, total);
  for (const other of seen.slice(1)) assert.deepEqual(other, seen[0]);

  const offsets = clients[0].pushes.onChat.map(({offset}) => offset);
  for (let i = 1; i < total; ++i) assert.equal(offsets[i], offsets[i - 1] + 1, 'nothing is missing in between');
  SENDERS.forEach((user, s) => {
    const own = clients[0].pushes.onChat.filter(({from}) => from === user);
    assert.deepEqual(own.map(({msg}) => msg), Array.from({length: MESSAGES}, (_, i) => `${user} ${i}`));
    assert.deepEqual(own.map(({offset}) => offset), answers[s], 'an answer tells the offset that the push has');
  });
});
