// MaxPool, AveragePool and LpPool: each output reduces the inputs under its window, channel by channel.
// Input x [batch, channels, spatial…], 1 to 3 spatial axes.

import { type NDArray, ndarray } from '../base/ndarray';
import { int } from '../ir/attributes';
import { defineOp } from '../ir/opdef';
import { plainMaxPool } from './plain/max-pool';
import { poolCases } from './pool/cases';
import { averagePoolGrad, lpPoolGrad, maxPoolGrad } from './pool/grad';
import { poolKernel } from './pool/kernel';
import { poolRows } from './pool/rows';
import { type PoolAttributes, paddedTaps, poolAttributes, poolReference, poolType, poolWindow } from './pool/shape';

const maxPool = defineOp({
  name: 'MaxPool',
  attributes: { ...poolAttributes, storage_order: int(0) },
  infer(n) {
    const y = poolType(n);
    return [y, { dtype: 'int64', dims: y.dims }];
  },
  reference(n, inputs) {
    const x = inputs[0] as NDArray;
    const [depth, height, width] = poolWindow(n).input as [number, number, number];
    const indices = ndarray('int64', poolType(n).dims);
    const y = poolReference(n, x.dtype, (offsets, plane, _, out) => {
      let best = Number.NEGATIVE_INFINITY;
      let bestAt = offsets[0] ?? 0;
      for (const offset of offsets) {
        const v = x.data[plane + offset] as number;
        if (v > best) {
          best = v;
          bestAt = offset;
        }
      }
      const row = Math.floor(bestAt / width);
      const columnAt = ((bestAt % width) * height + (row % height)) * depth + Math.floor(row / height);
      indices.data[out] = plane + (n.attributes.storage_order === 1 ? columnAt : bestAt);
      return best;
    });
    return [y, indices];
  },
  grad: maxPoolGrad,
  kernels: [
    poolRows<PoolAttributes & { storage_order: number }>(),
    poolKernel<PoolAttributes & { storage_order: number }>('max', (a) => ({ columnMajor: a.storage_order === 1 })),
    plainMaxPool<PoolAttributes & { storage_order: number }>(),
  ],
});

const averagePool = defineOp({
  name: 'AveragePool',
  attributes: { ...poolAttributes, count_include_pad: int(0) },
  infer: (n) => [poolType(n)],
  reference(n, inputs) {
    const x = inputs[0] as NDArray;
    const window = poolWindow(n);
    return [
      poolReference(n, x.dtype, (offsets, plane, at) => {
        let sum = 0;
        for (const offset of offsets) sum += x.data[plane + offset] as number;
        return sum / Math.max(1, n.attributes.count_include_pad === 1 ? paddedTaps(window, at) : offsets.length);
      }),
    ];
  },
  grad: averagePoolGrad,
  kernels: [
    poolRows<PoolAttributes & { count_include_pad: number }>((a) => a.count_include_pad === 1),
    poolKernel<PoolAttributes & { count_include_pad: number }>('average', (a) => ({
      countPadding: a.count_include_pad === 1,
    })),
  ],
});

const lpPool = defineOp({
  name: 'LpPool',
  attributes: { ...poolAttributes, p: int(2) },
  infer(n) {
    if (n.attributes.p < 1) n.fail(`has p = ${n.attributes.p}, but it must be at least 1`);
    return [poolType(n)];
  },
  reference(n, inputs) {
    const x = inputs[0] as NDArray;
    const { p } = n.attributes;
    return [
      poolReference(n, x.dtype, (offsets, plane) => {
        let sum = 0;
        for (const offset of offsets) sum += Math.abs(x.data[plane + offset] as number) ** p;
        return sum ** (1 / p);
      }),
    ];
  },
  grad: lpPoolGrad,
  kernels: [poolKernel<PoolAttributes & { p: number }>('norm', (a) => ({ p: a.p }))],
});

export default [maxPool, averagePool, lpPool];

export const cases = poolCases;
