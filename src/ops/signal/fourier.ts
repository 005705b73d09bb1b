// The arithmetic of the Fourier transform that kernels, references and constants share. Complex numbers lie two
// elements each, real and imaginary part, in a Float64Array.

/** Prime factors of `length`, the smallest first. */
export function primeFactors(length: number): number[] {
  const factors: number[] = [];
  let rest = length;
  for (let p = 2; p * p <= rest; p++) {
    while (rest % p === 0) {
      factors.push(p);
      rest /= p;
    }
  }
  if (rest > 1) factors.push(rest);
  return factors;
}

/** Factors of `length` for one pass each: primes, and their products as long as those do not exceed `most`. */
export function radicesOf(length: number, most: number): number[] {
  const radices: number[] = [];
  for (const prime of primeFactors(length)) {
    const last = radices.at(-1);
    if (last !== undefined && last * prime <= most) radices[radices.length - 1] = last * prime;
    else radices.push(prime);
  }
  return radices.length > 0 ? radices : [1];
}

/** The roots of unity exp(∓2πi k / length), k = 0 …, as a forward (or inverse) transform turns by them. */
export function turnsOf(length: number, inverse: boolean): Float64Array {
  const turns = new Float64Array(2 * length);
  for (let k = 0; k < length; k++) {
    const angle = (2 * Math.PI * k) / length;
    turns[2 * k] = Math.cos(angle);
    turns[2 * k + 1] = inverse ? Math.sin(angle) : -Math.sin(angle);
  }
  return turns;
}

/**
 * The discrete Fourier transform, not scaled: X[k] = Σ x[n] turns[k n mod length]. Pass by pass as the kernels
 * do it: with transforms of length `span` done, a pass of radix r makes ones of length span × r.
 */
export function transform(signal: Float64Array, turns: Float64Array): Float64Array {
  const length = turns.length / 2;
  let from = signal;
  let span = 1;
  for (const radix of radicesOf(length, 4)) {
    const wide = span * radix;
    const to = new Float64Array(2 * length);
    for (let o = 0; o < length; o++) {
      const first = Math.floor(o / wide) * span + (o % span);
      const step = (o % wide) * (length / wide);
      let [re, im] = [0, 0];
      for (let q = 0; q < radix; q++) {
        const at = 2 * (first + q * (length / radix));
        const turn = 2 * ((q * step) % length);
        const [a, b] = [from[at] as number, from[at + 1] as number];
        const [c, d] = [turns[turn] as number, turns[turn + 1] as number];
        re += a * c - b * d;
        im += a * d + b * c;
      }
      to[2 * o] = re;
      to[2 * o + 1] = im;
    }
    from = to;
    span = wide;
  }
  return from;
}

/** What Bluestein's algorithm needs to transform `length` numbers by transforms of `padded`, a power of two. */
export interface Chirp {
  readonly padded: number;
  /** Multiplies the signal, and the result. */
  readonly chirp: Float64Array;
  /** Multiplies the bins between the two transforms. */
  readonly spectrum: Float64Array;
}

/** https://en.wikipedia.org/wiki/Chirp_Z-transform#Bluestein.27s_algorithm */
export function chirpOf(length: number, inverse: boolean): Chirp {
  const padded = 2 ** Math.ceil(Math.log2(2 * length - 1));
  const chirp = new Float64Array(2 * length);
  const around = new Float64Array(2 * padded);
  for (let n = 0; n < length; n++) {
    // Squares modulo 2 × length, since large angles lose their last digits.
    const angle = (Math.PI * ((n * n) % (2 * length))) / length;
    const [re, im] = [Math.cos(angle), inverse ? Math.sin(angle) : -Math.sin(angle)];
    chirp.set([re, im], 2 * n);
    around.set([re, -im], 2 * n);
    if (n > 0) around.set([re, -im], 2 * (padded - n));
  }
  return { padded, chirp, spectrum: transform(around, turnsOf(padded, false)) };
}
