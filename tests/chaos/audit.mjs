// Looks into the store itself, past every server: what must be true of its rows at each moment, and whether what was acknowledged
// is there. In SQL that SQLite and PostgreSQL both understand.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

// Each answers with what is wrong: nothing, if all is well. They hold while servers write, too.
const RULES = {
  'a room has rows of all its offsets above what was trimmed': `
    SELECT r.room, r.trimmed, min(e."offset"), max(e."offset"), count(*) FROM rooms r JOIN events e ON e.room = r.room
    WHERE e."offset" > r.trimmed GROUP BY r.room, r.trimmed
    HAVING min(e."offset") <> r.trimmed + 1 OR count(*) <> max(e."offset") - min(e."offset") + 1`,
  'no event is in a room that the store does not know': `
    SELECT e.room, count(*) FROM events e LEFT JOIN rooms r ON r.room = e.room WHERE r.room IS NULL GROUP BY e.room`,
  'within a room generations and times never fall': `
    SELECT room, "offset", generation, before_generation, time_ms, before_ms FROM
      (SELECT room, "offset", generation, time_ms, lag(generation) OVER (PARTITION BY room ORDER BY "offset") AS before_generation,
              lag(time_ms) OVER (PARTITION BY room ORDER BY "offset") AS before_ms FROM events) AS e
    WHERE generation < before_generation OR time_ms < before_ms`,
  'no event is of a later generation than its slot': `
    SELECT e.room, max(e.generation), s.generation FROM events e JOIN rooms r ON r.room = e.room JOIN slots s ON s.slot = r.slot
    GROUP BY e.room, s.generation HAVING max(e.generation) > s.generation`,
  'a sender has said the message of an id once': `
    SELECT room, sender, id, count(*) FROM events WHERE id <> '' GROUP BY room, sender, id HAVING count(*) > 1`,
};
const MAX_SHOWN = 3;  // Rows of a rule, and sends.

// Asks the database of a SQLite file: rows of text.
export const sqliteFile = (file) => async (sql) => {
  const {stdout} = await promisify(execFile)('sqlite3', ['-readonly', '-separator', '\t', file, sql], {maxBuffer: 1 << 30});
  return stdout.split('\n').filter(Boolean).map((line) => line.split('\t'));
};

const TEXT = {sqlite: 'CAST(content AS TEXT)', postgres: `convert_from(content, 'UTF8')`};

// `ask`: (sql) => rows of text; `kind`: sqlite or postgres; `sends`: as checker.mjs has them, of a suite whose history is
// durable. Resolves to {violations: [{kind, text}], rows}.
export async function audit(ask, kind, sends) {
  const violations = [];
  const violate = (text) => violations.push({kind: 'store', text});
  for (const [rule, sql] of Object.entries(RULES)) {
    for (const row of (await ask(sql)).slice(0, MAX_SHOWN)) violate(`not so: ${rule}: ${row.join(', ')}`);
  }
  // Before the rows are read, so that each of them must be there.
  const acknowledged = sends.filter(({acked}) => acked !== undefined);
  const trimmed = new Map((await ask('SELECT room, trimmed FROM rooms')).map(([room, offset]) => [room, Number(offset)]));
  const rows = await ask(`SELECT room, "offset", sender, ${TEXT[kind]} FROM events`);
  const places = new Map();
  for (const [room, offset, sender, text] of rows) {
    const key = `${room}\t${sender}\t${text}`;
    places.set(key, [...places.get(key) ?? [], Number(offset)]);
  }
  const wrong = acknowledged.flatMap(({id, room, from, offset}) => {
    const found = places.get(`${room}\t${from}\t${id}`) ?? [];
    const known = offset !== undefined;
    if (!found.length && !(known && offset <= (trimmed.get(room) ?? 0))) return [`'${id}' was acknowledged and is not in the store`];
    if (found.length > 1) return [`'${id}' is in the store ${found.length} times, at ${found.join(' and ')}`];
    return known && found.length && found[0] !== offset ? [`'${id}' was acknowledged at ${offset} and is at ${found[0]}`] : [];
  });
  for (const text of wrong.slice(0, MAX_SHOWN)) violate(text);
  if (wrong.length > MAX_SHOWN) violate(`and so are ${wrong.length - MAX_SHOWN} more`);
  return {violations, rows: rows.length};
}
