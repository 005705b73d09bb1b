// Random numbers on the host. With a seed they are those of NumPy's RandomState, as ONNX's own reference
// implementation draws them: the Mersenne Twister MT19937, doubles of 53 bits, normals by the polar method.
// Without one they come from the page's own generator.

export interface Generator {
  /** In [0, 1). */
  uniform(): number;
  /** Of mean 0 and variance 1. */
  normal(): number;
}

/** @param seed cut to a whole number of 32 bits; undefined or NaN for none */
export function generator(seed: number | undefined): Generator {
  const uniform = seed === undefined || Number.isNaN(seed) ? Math.random : twister(Math.trunc(seed) >>> 0);
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = factor * x;
      return factor * y;
    }
  };
  return { uniform, normal };
}

/** https://en.wikipedia.org/wiki/Mersenne_Twister, in doubles of two words each. */
function twister(seed: number): () => number {
  const [size, middle] = [624, 397];
  const state = new Uint32Array(size);
  state[0] = seed;
  const at = (i: number) => state[i % size] as number;
  for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, at(i - 1) ^ (at(i - 1) >>> 30)) + i;
  let next = size;
  const word = (): number => {
    if (next === size) {
      for (let i = 0; i < size; i++) {
        const joined = (at(i) & 0x80000000) | (at(i + 1) & 0x7fffffff);
        state[i] = at(i + middle) ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }
    let y = at(next++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
}
