// Cases of MatMul and lepton.MatMul. Sizes meet every edge: one less and one more than a quad, a tile,
// a round of staging; batches broadcast in every way.

import type { OpCase } from '../../ir/opdef';
import { blockCases } from '../sparse/blocks-cases';
import { sparseWeightCases } from '../sparse/weight-cases';

const product = (name: string, a: number[], b: number[]): OpCase => ({ name, inputs: [{ dims: a }, { dims: b }] });

export const matmulCases: OpCase[] = [
  product('vector by vector', [7], [7]),
  product('vector by batch', [6], [3, 6, 5]),
  product('batch by vector', [2, 3, 9, 12], [12]),
  product('batch by shared matrix', [2, 3, 5, 8], [8, 12]),
  product('batches broadcast both ways', [2, 1, 5, 7], [3, 7, 6]),
  product('batches that do not merge', [2, 1, 2, 1, 3, 4], [1, 3, 1, 2, 4, 3]),
  product('inner size zero', [3, 0], [0, 5]),
  {
    name: 'float16',
    inputs: [
      { dtype: 'float16', dims: [17, 33] },
      { dtype: 'float16', dims: [33, 20] },
    ],
  },
];

type Layout = 'A, B' | 'A, Bᵀ' | 'Aᵀ, B' | 'Aᵀ, Bᵀ';

/** [m, k] by [k, n], with the operands lying in memory as `layout` says. */
function sized(
  m: number,
  k: number,
  n: number,
  layout: Layout,
  dtype: 'float32' | 'float16' | 'int32' | 'uint32' | 'int64' = 'float32',
): OpCase {
  const [transA, transB] = [layout.startsWith('Aᵀ'), layout.endsWith('Bᵀ')];
  return {
    name: `${m}x${k} by ${k}x${n} ${dtype}, ${layout}`,
    inputs: [
      { dtype, dims: transA ? [k, m] : [m, k] },
      { dtype, dims: transB ? [n, k] : [k, n] },
    ],
    attributes: { transA: Number(transA), transB: Number(transB) },
  };
}

/** Operands that are packed, at load or in every run, and those that packed ones meet where they lie. */
const packedCases: OpCase[] = [
  { name: 'constant B', inputs: [{ dims: [35, 24] }, { dims: [24, 140], constant: true }] },
  { name: 'constant B, odd sizes', inputs: [{ dims: [19, 31] }, { dims: [31, 67], constant: true }] },
  { name: 'constant B, a row', inputs: [{ dims: [1, 131] }, { dims: [131, 277], constant: true }] },
  {
    name: 'constant Bᵀ, scaled',
    inputs: [{ dims: [33, 22] }, { dims: [45, 22], constant: true }],
    attributes: { transB: 1, alpha: 0.5 },
  },
  { name: 'constant A', inputs: [{ dims: [13, 9], constant: true }, { dims: [2, 9, 21] }] },
  { name: 'constant A, a column', inputs: [{ dims: [70, 30], constant: true }, { dims: [30] }] },
  { name: 'constant batch', inputs: [{ dims: [2, 3, 5, 9] }, { dims: [3, 9, 7], constant: true }] },
  { name: 'heads', inputs: [{ dims: [2, 3, 17, 8] }, { dims: [2, 3, 19, 8] }], attributes: { transB: 1 } },
  {
    name: 'infinity stays in its column',
    inputs: [
      { dims: [2, 3], values: [1, 2, 3, -4, 5, 6] },
      { dims: [3, 2], values: [Number.POSITIVE_INFINITY, 1, 2, 3, 4, 5], constant: true },
    ],
  },
];

export const productCases: OpCase[] = [
  sized(36, 32, 68, 'A, B'),
  sized(36, 32, 68, 'Aᵀ, Bᵀ'),
  sized(65, 33, 127, 'A, Bᵀ'),
  sized(65, 33, 127, 'Aᵀ, B'),
  sized(12, 515, 20, 'A, B'),
  sized(1, 256, 128, 'A, B'),
  sized(1, 131, 129, 'A, B'),
  sized(129, 67, 1, 'A, Bᵀ'),
  sized(1, 301, 30, 'A, Bᵀ'),
  sized(18, 40, 36, 'Aᵀ, B', 'float16'),
  sized(17, 33, 20, 'A, B', 'int32'),
  sized(4, 7, 129, 'Aᵀ, Bᵀ', 'uint32'),
  sized(1, 12, 33, 'A, Bᵀ', 'int64'),
  {
    name: 'int32, scaled',
    inputs: [
      { dtype: 'int32', dims: [3, 2, 5], range: [-99, 99] },
      { dtype: 'int32', dims: [5, 3], range: [-99, 99] },
    ],
    attributes: { alpha: 0.5 },
  },
  {
    name: 'transposed batches, scaled',
    inputs: [{ dims: [2, 3, 6, 5] }, { dims: [3, 7, 6] }],
    attributes: { transA: 1, transB: 1, alpha: 0.25 },
  },
  sized(75, 1, 41, 'A, B'),
  sized(70, 2, 12, 'A, Bᵀ'),
  sized(131, 6, 2, 'Aᵀ, B'),
  sized(23, 11, 18, 'Aᵀ, Bᵀ'),
  sized(9, 16, 24, 'A, B', 'float16'),
  {
    name: 'few steps, batches share A, scaled',
    inputs: [{ dims: [7, 3] }, { dims: [5, 3, 9] }],
    attributes: { alpha: 2 },
  },
  { name: 'few steps, many small batches', inputs: [{ dims: [37, 5, 2] }, { dims: [37, 2, 3] }] },
  { name: 'a row of each batch', inputs: [{ dims: [6, 1, 20] }, { dims: [6, 20, 12] }] },
  ...packedCases,
  ...sparseWeightCases,
  ...blockCases,
];
