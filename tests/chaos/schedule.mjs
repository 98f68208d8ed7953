// What happens to the servers, and when: nothing but the seed decides it.

// How each kind of event goes. `down`: for how long a server is away, halted or cut off, in milliseconds. `of`: which kinds go
// together.
export const EVENTS = {
  'kill-chat': {of: 'servers', does: 'kill', server: 'chat', down: [200, 4000]},
  'kill-connector': {of: 'servers', does: 'kill', server: 'connector', down: [200, 4000]},
  'hang-chat': {of: 'servers', does: 'hang', server: 'chat', down: [5000, 8000]},
  'restart-chat': {of: 'servers', does: 'restart', server: 'chat', down: [0, 1000]},
  'restart-connector': {of: 'servers', does: 'restart', server: 'connector', down: [0, 1000]},
  'rolling': {of: 'servers', does: 'rolling', down: [0, 500]},
  'add-chat': {of: 'servers', does: 'add', server: 'chat', down: [0, 0]},
  'add-connector': {of: 'servers', does: 'add', server: 'connector', down: [0, 0]},
  'remove-chat': {of: 'servers', does: 'remove', server: 'chat', down: [2500, 4000]},
  'remove-connector': {of: 'servers', does: 'remove', server: 'connector', down: [2500, 4000]},
  'hang-connector': {of: 'servers', does: 'hang', server: 'connector', down: [5000, 8000]},
  'kill-node': {of: 'servers', does: 'killNode', down: [200, 4000]},

  'freeze-chat': {of: 'long', does: 'hang', server: 'chat', down: [9000, 30000]},
  'freeze-connector': {of: 'long', does: 'hang', server: 'connector', down: [9000, 30000]},
  'quick-rolling': {of: 'long', does: 'rolling', down: [0, 100]},
  'scale': {of: 'long', does: 'scale', server: 'chat', down: [1000, 3000]},

  'cut-pair': {of: 'network', does: 'cutPair', down: [9000, 25000]},
  'cut-pair-one-way': {of: 'network', does: 'cutPair', down: [9000, 25000], oneWay: true},
  'blink-pair': {of: 'network', does: 'cutPair', down: [500, 9000]},
  'isolate-chat': {of: 'network', does: 'isolate', down: [9000, 25000]},
  'isolate-chat-one-way': {of: 'network', does: 'isolate', down: [9000, 25000], oneWay: true},
  'split': {of: 'network', does: 'split', down: [9000, 40000]},
  'reset-pair': {of: 'network', does: 'resetPair', down: [0, 0]},
  'slow-pair': {of: 'network', does: 'slowPair', down: [3000, 9000]},
  'slow-move': {of: 'network', does: 'slowMove', down: [0, 0]},
  'refuse-peers': {of: 'network', does: 'refusePeers', down: [1000, 9000]},

  'cut-store': {of: 'store', does: 'cutStore', down: [9000, 25000]},
  'cut-store-one-way': {of: 'store', does: 'cutStore', down: [9000, 25000], oneWay: true},
  'kill-store': {of: 'store', does: 'killStore', down: [0, 25000]},
  'hang-store': {of: 'store', does: 'hangStore', down: [3000, 25000]},
};

export const GROUPS = [...new Set(Object.values(EVENTS).map((event) => event.of))];

// Of a list of events and groups, such as "kill-chat,network"; throws with a sentence if one is unknown. Without a list, all
// that can happen with this kind of store: a store that is a file has no network and no server.
export function eventNames(list, store) {
  const possible = Object.keys(EVENTS).filter((name) => store === 'postgres' || EVENTS[name].of !== 'store');
  if (!list) return possible;
  const words = list.split(',').filter(Boolean);
  const unknown = words.filter((word) => !EVENTS[word] && !GROUPS.includes(word));
  if (unknown.length || !words.length) {
    throw new Error(`There is no event '${unknown.join("', '")}'. The events are ${Object.keys(EVENTS).join(', ')}, and all of ` +
                    `${GROUPS.join(', ')}.`);
  }
  const names = words.flatMap((word) => EVENTS[word] ? [word] : Object.keys(EVENTS).filter((name) => EVENTS[name].of === word));
  const impossible = names.filter((name) => !possible.includes(name));
  if (impossible.length) throw new Error(`${impossible.join(', ')}: only with --store=postgres`);
  return [...new Set(names)];
}

// Steps without end: {name, …EVENTS[name], which, other, turn, open, down, calm}. From 0 to below 1, `which` chooses the server
// or the pair among those that are there, `other` a second server, `turn` the direction of what is done one way, and `open`
// whether bytes wait or vanish; `calm` is the pause before the step. Each kind of event comes once before any comes again.
export function* steps(random, names) {
  for (;;) {
    for (const name of random.shuffled(names)) {
      const {down, ...event} = EVENTS[name];
      yield {name, ...event, which: random.next(), other: random.next(), turn: random.next(), open: random.next(),
             down: Math.round(random.between(...down)), calm: Math.round(random.between(500, 2000))};
    }
  }
}
