// Cases of MatMul and lepton.MatMul. Sizes meet every edge: one less and one more than a quad, a tile,
// a round of staging; batches broadcast in every way.

import type { OpCase } from '../../ir/opdef';

const product = (name: string, a: number[], b: number[]): OpCase => ({ name, inputs: [{ dims: a }, { dims: b }] });

export const matmulCases: OpCase[] = [
  product('vector by vector', [7], [7]),
  product('vector by matrix', [5], [5, 9]),
  product('matrix by vector', [9, 5], [5]),
  product('vector by batch', [6], [3, 6, 5]),
  product('batch by vector', [2, 3, 9, 12], [12]),
  product('batch by shared matrix', [2, 3, 5, 8], [8, 12]),
  product('shared matrix by batch', [5, 8], [2, 3, 8, 12]),
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

const layouts = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));

/** [m, k] by [k, n] in all four orientations, or in one of them. */
function sizes(m: number, k: number, n: number, of = layouts, dtype: 'float32' | 'float16' = 'float32'): OpCase[] {
  return of.map(({ transA, transB }) => ({
    name: `${m}x${k} by ${k}x${n} ${dtype}${transA ? ', A transposed' : ''}${transB ? ', B transposed' : ''}`,
    inputs: [
      { dtype, dims: transA ? [k, m] : [m, k] },
      { dtype, dims: transB ? [n, k] : [k, n] },
    ],
    attributes: { transA, transB },
  }));
}

const plain = layouts.slice(0, 1);
const weights = layouts.slice(1, 2);

export const productCases: OpCase[] = [
  ...sizes(1, 1, 1, plain),
  ...sizes(3, 7, 5),
  ...sizes(36, 32, 68),
  ...sizes(65, 33, 127),
  ...sizes(1, 131, 129, plain),
  ...sizes(1, 256, 128, plain),
  ...sizes(1, 130, 33, weights),
  ...sizes(129, 67, 1, weights),
  ...sizes(12, 515, 20, plain),
  ...sizes(18, 40, 36, layouts, 'float16'),
  { name: 'alpha', inputs: [{ dims: [5, 6] }, { dims: [6, 7] }], attributes: { alpha: 0.25 } },
  {
    name: 'transposed batches',
    inputs: [{ dims: [2, 3, 6, 5] }, { dims: [3, 7, 6] }],
    attributes: { transA: 1, transB: 1 },
  },
  { name: 'a row of each batch', inputs: [{ dims: [6, 1, 20] }, { dims: [6, 20, 12] }] },
];
