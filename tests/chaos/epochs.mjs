// The order of a room's epochs. An epoch is a random number: only those who lived through two of them know which came first.

// `histories`: for each client, entries of which some have an epoch, in the order in which they were seen.
export function orderOfEpochs(histories) {
  const after = new Map();  // For each epoch, those that somebody saw right after it.
  for (const entries of histories) {
    let previous;
    for (const {epoch, until} of entries) {
      const now = epoch ?? until?.epoch;
      if (now === undefined) continue;
      if (!after.has(now)) after.set(now, new Set());
      if (previous !== undefined && previous !== now) after.get(previous).add(now);
      previous = now;
    }
  }
  const places = new Map();
  let contradiction = null;
  const waiting = new Map([...after.keys()].map((epoch) => [epoch, 0]));
  for (const followers of after.values()) for (const next of followers) waiting.set(next, waiting.get(next) + 1);
  while (waiting.size) {
    let first = [...waiting.keys()].find((epoch) => waiting.get(epoch) === 0);
    if (first === undefined) {
      first = waiting.keys().next().value;
      contradiction ??= `epoch ${first} came both before and after ${[...after.get(first)].join(', ')}`;
    }
    waiting.delete(first);
    places.set(first, places.size);
    for (const next of after.get(first)) if (waiting.has(next)) waiting.set(next, waiting.get(next) - 1);
  }
  return {contradiction, has: (epoch) => places.has(epoch), at: (epoch) => places.get(epoch)};
}
