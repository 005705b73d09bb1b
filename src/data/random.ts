// Numbers that look random and are the same for the same seeds, and orders made of them.

import { LeptonError } from '../base/errors';

/**
 * Uniform in [0, 1): mulberry32, started from a mixture of all the seeds.
 * https://gist.github.com/tommyettinger/46a574533244883189143505d203312c
 */
export function seeded(...seeds: readonly number[]): () => number {
  let state = 0x9e3779b9;
  for (const seed of seeds) {
    for (const word of [seed, seed / 2 ** 32]) {
      state = Math.imul(state ^ (word | 0), 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      state ^= state >>> 16;
    }
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for who gave none. */
export function anySeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/**
 * 0 … size − 1 in the order in which they leave a buffer of `bufferSize` that is drawn from at random and refilled in
 * order: all orders are equally likely where the buffer holds everything.
 */
export function shuffledOrder(size: number, bufferSize: number, random: () => number): Uint32Array {
  const order = new Uint32Array(size);
  const buffer = Uint32Array.from({ length: Math.min(size, bufferSize) }, (_, i) => i);
  let next = buffer.length;
  let held = buffer.length;
  for (let i = 0; i < size; i++) {
    const drawn = Math.floor(random() * held);
    order[i] = buffer[drawn] as number;
    buffer[drawn] = next < size ? next++ : (buffer[--held] as number);
  }
  return order;
}

export function requireCount(what: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new LeptonError('INVALID_ARGUMENT', `${what} must be a whole number from ${least}, but is ${value}.`);
}
