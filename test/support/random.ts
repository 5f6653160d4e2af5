/**
 * Random numbers that come again for the same seed (xorshift, 32 bits).
 * They decide the shape of generated streams; nothing secret rests on them.
 */

/** A sequence of random numbers. */
export class Random {
  #state: number;

  /** @param seed any integer */
  constructor(seed: number) {
    // A state of 0 would stay 0; neighbouring seeds must not give neighbouring sequences.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** The next one, 0 to 2^32 − 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** 0 to bound − 1. */
  below(bound: number): number {
    return this.next() % bound;
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of these. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}
