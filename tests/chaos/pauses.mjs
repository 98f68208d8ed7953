// How long rooms were silent for their members after each event.

// `events` [{t, name, rooms}], `records` and `sends` as in checker.mjs. For each event, and each room that it touched: the time
// until the last of the room's members had a message again that was sent after the event. Answers {name: [milliseconds]}.
export function pausesOf(events, records, sends) {
  const sent = new Map(sends.map(({id, sent}) => [id, sent]));
  const pauses = {};
  for (const {t, name, rooms} of events) {
    const longest = new Map();
    for (const {room, entries} of records) {
      if (!rooms.includes(room)) continue;
      const first = entries.find((entry) => entry.kind === 'message' && entry.t > t && sent.get(entry.id) >= t);
      longest.set(room, Math.max(longest.get(room) ?? 0, (first?.t ?? Infinity) - t));
    }
    (pauses[name] ??= []).push(...longest.values());
  }
  return pauses;
}

export function distribution(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return {count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1)};
}

// The longest time for which this process did not run, though it had to: on a machine that is too busy for the test, pauses say
// nothing, and what is waited for may come too late. Answers a function that tells it, in milliseconds.
export function watchOwnPauses() {
  const EACH_MS = 100;
  let longest = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - EACH_MS);
    last = now;
  }, EACH_MS).unref();
  return () => longest;
}
