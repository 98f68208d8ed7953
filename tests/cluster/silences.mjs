// The longest time for which a member of a room heard nothing, while the room was talked in.

// `records` as in chaos/checker.mjs; what counts lies between `from` and `to`. Answers {ms, user, room}.
export function longestSilence(records, from, to) {
  let worst = {ms: 0, user: '', room: ''};
  for (const {user, room, entries} of records) {
    let last = null;
    const ends = (t) => {
      const ms = last === null ? 0 : Math.min(t, to) - Math.max(last, from);
      if (ms > worst.ms) worst = {ms, user, room};
      last = t;
    };
    for (const {t, kind} of entries) if (kind === 'message' || kind === 'entered') ends(t);
    ends(to);
  }
  return worst;
}
