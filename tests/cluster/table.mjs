// What came of the events, as a table, and whether it is what was promised.

// What may not be: [field, what it means]. A second try is one where the event is planned. Who comes may have to wait where the event says so.
const WRONGS = [
  ['missing', 'lost'], ['doubled', 'doubled'], ['misplaced', 'out of order'], ['givenUp', 'sends given up'], ['putOut', 'put out of a room'],
  ['away', 'not back'], ['presence', 'lists of members differ'], ['failed', 'arrivals refused'],
];

export function wrongsOf(result) {
  if (result.error) return [result.error];
  const wrongs = WRONGS.filter(([field]) => result[field] && !(field === 'failed' && result.waits)).map(([field, what]) => `${result[field]} ${what}`);
  if (result.planned && result.again) wrongs.push(`${result.again} arrivals refused at first`);
  return wrongs;
}

// Whether what is wrong is no more than that somebody had to wait, while the machine had no time for this test. Who is not back yet may
// still get what is missing; what is doubled or out of order is wrong on any machine.
const BUSY_MS = 2000;
const WAITING = {failed: 0, again: 0, givenUp: 0, away: 0};
export function saysNothing(result) {
  const open = result.away > 0 ? {...WAITING, missing: 0, presence: 0} : WAITING;
  return result.ownPause > BUSY_MS && wrongsOf(result).length > 0 && !wrongsOf({...result, ...open}).length;
}

const COLUMNS = [
  ['event', ({name}) => name], ['s', ({seconds}) => seconds.toFixed(0)], ['acknowledged', ({acknowledged}) => acknowledged],
  ['delivered / due', ({delivered, due}) => `${delivered} / ${due}`], ['missing', ({missing}) => missing], ['doubled', ({doubled}) => doubled],
  ['out of order', ({misplaced}) => misplaced], ['members', ({presence}) => (presence ? `${presence} differ` : 'true')],
  ['arrivals', ({served, failed}) => `${served} / ${served + failed}`], ['again', ({again}) => again],
  ['slowest', ({slowest}) => `${(slowest / 1000).toFixed(1)} s`],
  // A pause that is too long says little on a machine with other work, so it fails nothing.
  ['longest pause', ({pause, longestPause}) => `${(pause / 1000).toFixed(1)} s${pause > longestPause ? ` (> ${longestPause / 1000})` : ''}`],
  // For which the test itself did not run: no pause can be seen to be shorter.
  ["test's own", ({ownPause}) => `${(ownPause / 1000).toFixed(1)} s`],
  ['', (result) => (wrongsOf(result).length ? 'FAILED' : 'ok')],
];

// Lines of text. A result with `error` and nothing else is a line too.
export function tableOf(results) {
  const rows = [COLUMNS.map(([title]) => title)];
  for (const result of results) {
    rows.push(result.error ? [result.name, ...COLUMNS.slice(2).map(() => '-'), 'FAILED'] : COLUMNS.map(([, cell]) => String(cell(result))));
  }
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ').trimEnd());
}
