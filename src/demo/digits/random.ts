// Random numbers that are the same for the same seed.

export interface Random {
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** With mean 0 and deviation 1. */
  normal(): number;
  /** One of the list. */
  one<T>(list: readonly T[]): T;
}

/** mulberry32 (Tommy Ettinger), started from all of `seeds`. */
export function random(...seeds: readonly number[]): Random {
  let state = seeds.reduce((hash, seed) => Math.imul(hash ^ seed, 0x9e3779b1) ^ (hash >>> 15), 0x85ebca6b);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (from, to) => from + (to - from) * next(),
    // Box and Muller.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    one: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
  };
}
