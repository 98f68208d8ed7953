// What happens to the servers, and when: nothing but the seed decides it.

// How each kind of event goes. `down`: for how long a server is away or halted, in milliseconds.
export const EVENTS = {
  'kill-chat': {does: 'kill', server: 'chat', down: [200, 4000]},
  'kill-connector': {does: 'kill', server: 'connector', down: [200, 4000]},
  'hang-chat': {does: 'hang', server: 'chat', down: [5000, 8000]},
  'hang-connector': {does: 'hang', server: 'connector', down: [5000, 8000]},
  'restart-chat': {does: 'restart', server: 'chat', down: [0, 1000]},
  'restart-connector': {does: 'restart', server: 'connector', down: [0, 1000]},
  'rolling': {does: 'rolling', down: [0, 500]},
  'add-chat': {does: 'add', server: 'chat', down: [0, 0]},
  'add-connector': {does: 'add', server: 'connector', down: [0, 0]},
  'remove-chat': {does: 'remove', server: 'chat', down: [2500, 4000]},
  'remove-connector': {does: 'remove', server: 'connector', down: [2500, 4000]},
};

// Of a list such as "kill-chat,rolling"; throws with a sentence if one is unknown.
export function eventNames(list) {
  const names = list ? list.split(',').filter(Boolean) : Object.keys(EVENTS);
  const unknown = names.filter((name) => !EVENTS[name]);
  if (unknown.length || !names.length) {
    throw new Error(`There is no event '${unknown.join("', '")}'. The events are ${Object.keys(EVENTS).join(', ')}.`);
  }
  return names;
}

// Steps without end: {name, …EVENTS[name], which, down, calm}. `which` from 0 to below 1 chooses the server among those
// that are there; `calm` is the pause before the step. Each kind of event comes once before any comes again.
export function* steps(random, names) {
  for (;;) {
    for (const name of random.shuffled(names)) {
      const {down, ...event} = EVENTS[name];
      yield {name, ...event, which: random.next(), down: Math.round(random.between(...down)),
             calm: Math.round(random.between(500, 2000))};
    }
  }
}
