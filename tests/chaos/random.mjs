// Random numbers that a seed gives: the same seed, the same numbers, on every machine.

// FNV-1a, so that a part of the test can have a stream of its own, whatever the others draw.
function hash(text) {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ char.codePointAt(0), 0x01000193) >>> 0;
  return value;
}

// The generator mulberry32. Not for secrets.
export class Random {
  #seed;
  #state;

  constructor(seed) {
    this.#seed = seed >>> 0;
    this.#state = this.#seed;
  }

  // Another stream of the same seed.
  of(name) {
    return new Random(hash(`${this.#seed}/${name}`));
  }

  // From 0 to below 1.
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + this.next() * (high - low);
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  shuffled(list) {
    const result = [...list];
    for (let i = result.length - 1; i > 0; --i) {
      const j = Math.floor(this.next() * (i + 1));
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }
}
