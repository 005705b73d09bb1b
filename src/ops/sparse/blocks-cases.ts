// Cases of lepton.MatMul with weights in blocks: of every shape, either operand, either way round, cut off by edges, and
// with rows of blocks that have none.

import { ceilDiv } from '../../base/shape';
import type { OpCase } from '../../ir/opdef';

export interface Blocks {
  /** Of the matrix as it is stored. */
  readonly rows: number;
  readonly columns: number;
}

/** Numbers in [0, 1) without a visible pattern: the bits of a position, mixed. */
function scatter(at: number): number {
  let x = Math.imul(at + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
}

/** A fifth of the blocks have elements; every seventh row of blocks, and the first, has none. */
export function inBlocks(rows: number, columns: number, size: Blocks): number[] {
  const wide = ceilDiv(columns, size.columns);
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const [y, x] = [Math.floor(row / size.rows), Math.floor(column / size.columns)];
    return y % 7 !== 0 && scatter(y * wide + x) < 0.2 ? 2 * scatter(7 * i + 3) - 1 : 0;
  });
}

/** Of every four along the columns, or along the rows where `down`, two at most have elements. */
export function inPairs(rows: number, columns: number, down: boolean): number[] {
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const [line, at] = down ? [column, row] : [row, column];
    const four = 1000 * line + (at >> 2);
    const [first, apart] = [Math.floor(4 * scatter(four)), Math.floor(4 * scatter(3 * four + 1))];
    const kept = at % 4 === first || at % 4 === (first + apart) % 4;
    return kept ? 2 * scatter(7 * i + 3) - 1 : 0;
  });
}

/** [m, k] by weights [k, n] with two of four along k. */
function byPairs({ m, k, n, transposed = false, alpha = 1, dtype = 'float32' }: Sizes): OpCase {
  const dims = transposed ? [n, k] : [k, n];
  const values = inPairs(dims[0] as number, dims[1] as number, !transposed);
  return {
    name: `${m}x${k} by ${k}x${n} with two of four, ${dtype}${transposed ? ', Bᵀ' : ''}`,
    inputs: [
      { dtype, dims: [m, k] },
      { dtype, dims, values, constant: true },
    ],
    attributes: { transB: Number(transposed), alpha },
  };
}

/** Weights [m, k] with two of four along k by [k, n]. */
function pairsBy({ m, k, n, transposed = false, alpha = 1 }: Sizes): OpCase {
  const dims = transposed ? [k, m] : [m, k];
  return {
    name: `${m}x${k} with two of four by ${k}x${n}${transposed ? ', Aᵀ' : ''}`,
    inputs: [
      { dims, values: inPairs(dims[0] as number, dims[1] as number, transposed), constant: true },
      { dims: [k, n] },
    ],
    attributes: { transA: Number(transposed), alpha },
  };
}

const shapes: readonly Blocks[] = [
  { rows: 1, columns: 4 },
  { rows: 4, columns: 1 },
  { rows: 4, columns: 4 },
];

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposed?: boolean;
  readonly alpha?: number;
  readonly dtype?: 'float32' | 'float16';
}

/** [m, k] by weights [k, n]. */
function byBlocks(size: Blocks, { m, k, n, transposed = false, alpha = 1, dtype = 'float32' }: Sizes): OpCase {
  const dims = transposed ? [n, k] : [k, n];
  return {
    name: `${m}x${k} by ${k}x${n} in blocks of ${size.rows}x${size.columns}, ${dtype}${transposed ? ', Bᵀ' : ''}`,
    inputs: [
      { dtype, dims: [m, k] },
      { dtype, dims, values: inBlocks(dims[0] as number, dims[1] as number, size), constant: true },
    ],
    attributes: { transB: Number(transposed), alpha },
  };
}

/** Weights [m, k] by [k, n]. */
function blocksBy(size: Blocks, { m, k, n, transposed = false, alpha = 1, dtype = 'float32' }: Sizes): OpCase {
  const dims = transposed ? [k, m] : [m, k];
  return {
    name: `${m}x${k} in blocks of ${size.rows}x${size.columns} by ${k}x${n}, ${dtype}${transposed ? ', Aᵀ' : ''}`,
    inputs: [
      { dtype, dims, values: inBlocks(dims[0] as number, dims[1] as number, size), constant: true },
      { dtype, dims: [k, n] },
    ],
    attributes: { transA: Number(transposed), alpha },
  };
}

export const blockCases: OpCase[] = [
  ...shapes.flatMap((size) => [
    byBlocks(size, { m: 37, k: 66, n: 45 }),
    byBlocks(size, { m: 1, k: 131, n: 77, alpha: 0.5 }),
    byBlocks(size, { m: 1, k: 128, n: 64, transposed: true }),
    blocksBy(size, { m: 65, k: 127, n: 20 }),
    blocksBy(size, { m: 33, k: 41, n: 70, transposed: true, alpha: -2 }),
  ]),
  // More rows than go into one group, and much to read: texts say how much.
  blocksBy({ rows: 1, columns: 4 }, { m: 301, k: 131, n: 9 }),
  byBlocks({ rows: 4, columns: 1 }, { m: 7, k: 18, n: 259 }),
  blocksBy({ rows: 4, columns: 4 }, { m: 18, k: 54, n: 12, dtype: 'float16' }),
  byBlocks({ rows: 1, columns: 4 }, { m: 1, k: 50, n: 31, dtype: 'float16' }),
  byPairs({ m: 19, k: 67, n: 45, alpha: 0.5 }),
  byPairs({ m: 20, k: 62, n: 70, transposed: true }),
  byPairs({ m: 1, k: 131, n: 77 }),
  byPairs({ m: 1, k: 40, n: 29, transposed: true }),
  byPairs({ m: 7, k: 52, n: 12, dtype: 'float16' }),
  pairsBy({ m: 37, k: 70, n: 20, alpha: 2 }),
  pairsBy({ m: 21, k: 33, n: 67, transposed: true }),
  {
    name: 'two of four by a vector',
    inputs: [{ dims: [37, 54], values: inPairs(37, 54, false), constant: true }, { dims: [54] }],
  },
  {
    name: 'blocks of 4x4 by a batch',
    inputs: [
      { dims: [21, 34], values: inBlocks(21, 34, { rows: 4, columns: 4 }), constant: true },
      { dims: [3, 34, 10] },
    ],
  },
].map((test) => ({ ...test, kernels: /^sparse/ }));
