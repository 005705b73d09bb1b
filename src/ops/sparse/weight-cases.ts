// Cases of lepton.MatMul with weights that are mostly zeros: either operand, either way round, at odd sizes, and the shapes
// that a row of a sparse matrix can take.

import type { OpCase } from '../../ir/opdef';

const zeros = 0.85;

interface Layout {
  readonly transA?: number;
  readonly transB?: number;
  readonly alpha?: number;
  readonly dtype?: 'float32' | 'float16';
}

const textOf = ({ transA = 0, transB = 0, dtype = 'float32' }: Layout) =>
  `${dtype}, ${transA ? 'Aᵀ' : 'A'}, ${transB ? 'Bᵀ' : 'B'}`;

/** [m, k] by sparse weights [k, n]. */
function byWeights(m: number, k: number, n: number, layout: Layout = {}): OpCase {
  const { transA = 0, transB = 0, dtype = 'float32' } = layout;
  return {
    name: `${m}x${k} by sparse ${k}x${n} ${textOf(layout)}`,
    inputs: [
      { dtype, dims: transA ? [k, m] : [m, k] },
      { dtype, dims: transB ? [n, k] : [k, n], constant: true, zeros },
    ],
    attributes: { transA, transB, alpha: layout.alpha ?? 1 },
  };
}

/** Sparse weights [m, k] by [k, n]. */
function weightsBy(m: number, k: number, n: number, layout: Layout = {}): OpCase {
  const { transA = 0, transB = 0, dtype = 'float32' } = layout;
  return {
    name: `sparse ${m}x${k} by ${k}x${n} ${textOf(layout)}`,
    inputs: [
      { dtype, dims: transA ? [k, m] : [m, k], constant: true, zeros },
      { dtype, dims: transB ? [n, k] : [k, n] },
    ],
    attributes: { transA, transB, alpha: layout.alpha ?? 1 },
  };
}

/** Weights whose row `i` has the first `lengths[i]` of its elements, in steps so that they spread, times [columns, n]. */
function ofLengths(name: string, lengths: readonly number[], columns: number, n: number): OpCase {
  const values = lengths.flatMap((length) => {
    const row = new Array<number>(columns).fill(0);
    for (let i = 0; i < length; i++) row[Math.floor((i * columns) / length)] = 1 + ((7 * i) % 5) / 4;
    return row;
  });
  return {
    name: `${name}, times ${n} columns`,
    inputs: [{ dims: [lengths.length, columns], values, constant: true }, { dims: [columns, n] }],
  };
}

const skewed = Array.from({ length: 61 }, (_, i) => Math.floor(97 / (1 + i)));
const oneFull = Array.from({ length: 37 }, (_, i) => (i === 5 ? 90 : i % 3 === 0 ? 0 : 1));

export const sparseWeightCases: OpCase[] = [
  byWeights(1, 131, 77),
  byWeights(1, 64, 129, { transB: 1, alpha: 0.5 }),
  byWeights(1, 70_000, 3, { transB: 1 }),
  byWeights(35, 67, 45),
  byWeights(6, 33, 70, { transA: 1, transB: 1, alpha: 2 }),
  byWeights(3, 128, 64, { transB: 1 }),
  byWeights(9, 48, 31, { dtype: 'float16' }),
  byWeights(1, 48, 31, { dtype: 'float16' }),
  // Much to read: texts say how much.
  weightsBy(129, 257, 20),
  weightsBy(33, 40, 65, { transA: 1, alpha: -1 }),
  weightsBy(70, 30, 7, { transB: 1 }),
  weightsBy(50, 90, 1),
  weightsBy(18, 52, 12, { dtype: 'float16' }),
  { name: 'sparse weights by a batch', inputs: [{ dims: [21, 34], constant: true, zeros }, { dims: [5, 34, 10] }] },
  { name: 'a batch by sparse weights', inputs: [{ dims: [2, 3, 5, 34] }, { dims: [34, 21], constant: true, zeros }] },
  { name: 'sparse weights by a vector', inputs: [{ dims: [43, 90], constant: true, zeros }, { dims: [90] }] },
  ...[1, 10].flatMap((n) => [
    ofLengths('rows ever shorter', skewed, 97, n),
    ofLengths('one full row', oneFull, 90, n),
    ofLengths('nothing but zeros', [0, 0, 0, 0, 0], 30, n),
    ofLengths('a single row', [30], 90, n),
  ]),
].map((test) => ({ ...test, kernels: /^sparse/ }));
