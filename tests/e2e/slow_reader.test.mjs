// A client that stops reading is closed; the others in its room go on, and nothing of theirs is lost.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';
import {until} from './wait.mjs';

const ROOM = 'flood';
const TEXT = 'x'.repeat(30000);
const MOST_MESSAGES = 3000;  // 90 MB: more than the buffers of any network between two processes.

let suite;
const clients = [];

before(async () => {
  suite = await Suite.start({flags: {connector: ['--max_bytes_per_second=1073741824']}});
});
after(async () => {
  for (const client of clients) client.close();
  await suite?.stop();
});

test('a client that stops reading is closed while the others go on', async () => {
  for (const user of ['sender', 'reader', 'sleeper']) {
    const client = await new StockClient().connect(suite.gatePort, user);
    clients.push(client);
    await client.enter(user, ROOM);
  }
  const [sender, reader, sleeper] = clients;
  sleeper.socket.pause();

  const gone = (client) => client.pushes.onLeave.some(({user}) => user === 'sleeper');
  let sent = 0;
  while (!gone(reader) && sent < MOST_MESSAGES) {
    assert.ok((await sender.send(ROOM, `${sent} ${TEXT}`)).offset > 0);
    sent += 1;
  }
  await until(() => gone(reader), 'the sleeper to be closed', 30000);
  await sender.send(ROOM, 'the last');
  await reader.received('onChat', ({msg}) => msg === 'the last');
  assert.deepEqual(reader.texts, [...Array.from({length: sent}, (_, i) => `${i} ${TEXT}`), 'the last']);
  assert.ok(reader.open && sender.open);
});
