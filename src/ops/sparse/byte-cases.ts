// Cases of lepton.MatMulNBits with int8 weights that are mostly zeros, at odd sizes: [m, k] by [n, k], a scale for each row.

import { xorshift } from '../../base/xorshift';
import type { OpCase } from '../../ir/opdef';
import { type Blocks, inBlocks, inPairs } from './blocks-cases';

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly dtype?: 'float16';
  /** Entries of each row; a seventh of them all otherwise. */
  readonly lengths?: readonly number[];
  /** What of them has entries, in place of that: blocks, or two of every four. */
  readonly blocks?: Blocks | 'pairs';
}

/** Past the end of a row lie bytes that are no weights, as PackBits leaves them. */
const padding = 0;

function bytes(name: string, { m, k, n, dtype, lengths, blocks }: Sizes): OpCase {
  const block = 16 * Math.ceil(k / 16);
  const next = xorshift();
  const kept = blocks && (blocks === 'pairs' ? inPairs(n, k, false) : inBlocks(n, k, blocks));
  const isLeft = (row: number, i: number) => {
    if (kept) return kept[row * k + i] !== 0;
    const length = lengths?.[row];
    return length === undefined ? (next() >>> 8) % 7 === 0 : (i * length) % k < length;
  };
  const values = Array.from({ length: n * block }, (_, at) => {
    const [row, i] = [Math.floor(at / block), at % block];
    const number = next() & 0xff;
    return i >= k ? padding : isLeft(row, i) ? number : 128;
  });
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
  bytes('blocks of 1x4', { m: 21, k: 67, n: 45, blocks: { rows: 1, columns: 4 } }),
  bytes('blocks of 4x1', { m: 18, k: 70, n: 33, blocks: { rows: 4, columns: 1 } }),
  bytes('blocks of 4x4', { m: 35, k: 64, n: 300, blocks: { rows: 4, columns: 4 } }),
  bytes('blocks of 1x4', { m: 1, k: 131, n: 77, blocks: { rows: 1, columns: 4 } }),
  bytes('blocks of 4x1', { m: 1, k: 60, n: 29, blocks: { rows: 4, columns: 1 } }),
  bytes('blocks of 4x4', { m: 1, k: 66, n: 41, dtype: 'float16', blocks: { rows: 4, columns: 4 } }),
  bytes('two of four', { m: 19, k: 67, n: 45, blocks: 'pairs' }),
  bytes('two of four', { m: 20, k: 64, n: 76, dtype: 'float16', blocks: 'pairs' }),
  bytes('two of four', { m: 1, k: 131, n: 77, blocks: 'pairs' }),
].map((test) => ({ ...test, kernels: /^sparse/ }));
