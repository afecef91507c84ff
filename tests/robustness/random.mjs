// Chance from a seed: what is done comes again with the same seed, how it falls together in time does not.
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  // From 0 to below 1 (mulberry32).
  next() {
    let t = (this.#state = (this.#state + 0x6d2b79f5) >>> 0);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  chance(probability) {
    return this.next() < probability;
  }

  // A whole number from 0 to below the count.
  below(count) {
    return Math.floor(this.next() * count);
  }

  between(least, most) {
    return least + this.next() * (most - least);
  }

  pick(values) {
    return values[this.below(values.length)];
  }

  shuffle(values) {
    const shuffled = [...values];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other], shuffled[index]];
    }
    return shuffled;
  }

  // Chance of one's own: what others do with theirs does not change it.
  fork() {
    return new Random(this.below(2 ** 32));
  }
}
