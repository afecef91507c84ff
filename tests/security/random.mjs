// Chance that can be had again: everything the fuzzer does follows from its seed.
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0 || 1;
  }

  // From 0 up to 1 (mulberry32).
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(count) {
    return Math.floor(this.next() * count);
  }

  pick(values) {
    return values[this.below(values.length)];
  }

  odds(probability) {
    return this.next() < probability;
  }

  word(length = 8) {
    return Array.from({ length }, () => "abcdefghijklmnopqrstuvwxyz"[this.below(26)]).join("");
  }

  hex(length) {
    return Array.from({ length }, () => this.below(16).toString(16)).join("");
  }

  uuid() {
    return `${this.hex(8)}-${this.hex(4)}-7${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`;
  }
}
