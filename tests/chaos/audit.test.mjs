// The audit finds what it is there to find in a store.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';

import {audit, sqliteFile} from './audit.mjs';

const TABLES = `
  CREATE TABLE slots (slot INTEGER PRIMARY KEY, owner INTEGER, generation INTEGER);
  CREATE TABLE rooms (room TEXT PRIMARY KEY, slot INTEGER, trimmed INTEGER);
  CREATE TABLE events (room TEXT, "offset" INTEGER, generation INTEGER, time_ms INTEGER, sender TEXT, target TEXT, id TEXT,
                       recipients INTEGER, content BLOB);
  INSERT INTO slots VALUES (1, 11, 2);
  INSERT INTO rooms VALUES ('r', 1, 1);
  INSERT INTO events VALUES ('r', 2, 1, 100, 'ann', '', 'a', 2, 'm2'), ('r', 3, 2, 100, 'ann', '', 'b', 2, 'm3'),
                            ('r', 4, 2, 110, 'bob', '', '', 2, 'm4'), ('r', 5, 2, 120, 'bob', '', '', 2, 'm5');`;
const SENDS = [1, 2, 3, 4, 5].map((n) => ({id: `m${n}`, room: 'r', from: n < 4 ? 'ann' : 'bob', n, acked: 10 * n, offset: n}));

async function auditOf(change = '', sends = SENDS) {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-audit-'));
  try {
    const file = join(folder, 'store.db');
    execFileSync('sqlite3', [file, `${TABLES}${change}`]);
    return (await audit(sqliteFile(file), 'sqlite', sends)).violations.map(({text}) => text);
  } finally {
    rmSync(folder, {recursive: true});
  }
}

test('finds nothing where nothing is wrong', async () => {
  assert.deepEqual(await auditOf(), []);
});

for (const [what, change, found] of [
  ['a hole', `DELETE FROM events WHERE "offset" = 4`, /all its offsets.*: r, 1, 2, 5, 3/],
  ['a hole at the beginning', `DELETE FROM events WHERE "offset" = 2`, /all its offsets/],
  ['an event without a room', `INSERT INTO events VALUES ('s', 1, 1, 1, 'ann', '', '', 2, 'x')`, /does not know: s, 1/],
  ['a generation that falls', `UPDATE events SET generation = 1 WHERE "offset" = 4`, /never fall: r, 4, 1, 2, /],
  ['a time that falls', `UPDATE events SET time_ms = 99 WHERE "offset" = 3`, /never fall: r, 3, .*, 99, 100/],
  ['a generation nobody has claimed', `UPDATE slots SET generation = 1`, /later generation than its slot: r, 2, 1/],
  ['an id that was taken twice', `UPDATE events SET id = 'a' WHERE "offset" = 3`, /of an id once: r, ann, a, 2/],
  ['an acknowledged message that is not there', `UPDATE events SET content = 'other' WHERE "offset" = 3`, /'m3' was acknowledged and is not/],
  ['one that is there twice', `INSERT INTO events VALUES ('r', 6, 2, 130, 'bob', '', '', 2, 'm5')`, /'m5' is in the store 2 times, at 5 and 6/],
  ['one at another place', `UPDATE events SET content = 'm9' WHERE "offset" = 4; UPDATE events SET content = 'm4' WHERE "offset" = 5`,
   /'m4' was acknowledged at 4 and is at 5/],
]) {
  test(`finds ${what}`, async () => {
    const texts = await auditOf(change);
    assert.ok(texts.some((text) => found.test(text)), `found ${texts.join('; ') || 'nothing'}`);
  });
}

test('asks for no message that was not acknowledged, or was trimmed', async () => {
  assert.deepEqual(await auditOf('', [{id: 'm7', room: 'r', from: 'ann', n: 7}, SENDS[0]]), []);
});
