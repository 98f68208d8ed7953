// Which events are meant by words: their names, and the names of groups.

const GROUPS = {
  all: () => true, planned: ({planned}) => planned, accidents: ({planned}) => !planned, short: ({short}) => short,  // For ./dev test.
};

export const knownWords = (events) => [...Object.keys(events), ...Object.keys(GROUPS)].join(' ');

// The names of the events. A group leaves out what needs the version before this one where there is none, `before`; throws with a
// sentence if a word is unknown, or names an event that cannot happen.
export function chosen(words, events, before) {
  const possible = (event) => Boolean(before) || !event.before;
  return words.flatMap((word) => {
    if (Object.hasOwn(GROUPS, word)) return Object.keys(events).filter((name) => GROUPS[word](events[name]) && possible(events[name]));
    if (!Object.hasOwn(events, word)) throw new Error(`there is no event '${word}'. These are: ${knownWords(events)}.`);
    if (!possible(events[word])) throw new Error(`'${word}' needs the version before this one: HUBBUB_BEFORE=REVISION ./dev cluster ${word}`);
    return [word];
  });
}
