// Cases of MatMul and lepton.MatMul. Sizes meet every edge: one less and one more than a quad, a tile,
// a round of staging; batches broadcast in every way.

import type { OpCase } from '../../ir/opdef';

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

export const productCases: OpCase[] = [
  sized(36, 32, 68, 'A, B'),
  sized(36, 32, 68, 'Aᵀ, Bᵀ'),
  sized(65, 33, 127, 'A, Bᵀ'),
  sized(65, 33, 127, 'Aᵀ, B'),
  sized(12, 515, 20, 'A, B'),
  sized(1, 256, 128, 'A, B'),
  sized(1, 131, 129, 'A, B'),
  sized(129, 67, 1, 'A, Bᵀ'),
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
  { name: 'a row of each batch', inputs: [{ dims: [6, 1, 20] }, { dims: [6, 20, 12] }] },
];
