// Numbers that look random and are the same for the same seed, for test data and mutations.

/** Uniform in [0, 1). https://gist.github.com/tommyettinger/46a574533244883189143505d203312c */
export function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
