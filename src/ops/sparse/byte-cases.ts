// Cases of lepton.MatMulNBits with int8 weights that are mostly zeros, at odd sizes: [m, k] by [n, k], a scale for each row.

import { xorshift } from '../../base/xorshift';
import type { OpCase } from '../../ir/opdef';

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly dtype?: 'float16';
  /** Entries of each row; a seventh of them all otherwise. */
  readonly lengths?: readonly number[];
}

/** Past the end of a row lie bytes that are no weights, as PackBits leaves them. */
const padding = 0;

function bytes(name: string, { m, k, n, dtype, lengths }: Sizes): OpCase {
  const block = 16 * Math.ceil(k / 16);
  const next = xorshift();
  const row = (length: number | undefined) =>
    Array.from({ length: block }, (_, i) => {
      const number = next() & 0xff;
      const isLeft = length === undefined ? (next() >>> 8) % 7 === 0 : (i * length) % k < length;
      return i >= k ? padding : isLeft ? number : 128;
    });
  const values = Array.from({ length: n }, (_, i) => row(lengths?.[i])).flat();
  const type = dtype ? { dtype } : {};
  return {
    name: `${name}: ${m}x${k} by int8 ${n}x${k}${dtype ? `, ${dtype}` : ''}`,
    inputs: [
      { ...type, dims: [m, k] },
      { dtype: 'uint8', dims: [n, 1, block], values, constant: true },
      { ...type, dims: [n, 1], range: [0.01, 0.1], constant: true },
    ],
    attributes: { K: k, N: n, bits: 8, block_size: block },
    tolerance: dtype ? 4e-3 : 2e-5,
  };
}

export const sparseByteCases: OpCase[] = [
  bytes('mostly zeros', { m: 1, k: 131, n: 77 }),
  bytes('mostly zeros', { m: 35, k: 67, n: 45 }),
  bytes('mostly zeros', { m: 9, k: 48, n: 31, dtype: 'float16' }),
  bytes('one row with entries', { m: 10, k: 30, n: 5, lengths: [0, 0, 12, 0, 0] }),
  bytes('wide rows', { m: 1, k: 70_000, n: 2 }),
].map((test) => ({ ...test, kernels: /^sparse/ }));
