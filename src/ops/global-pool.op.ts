// GlobalAveragePool and GlobalMaxPool: reductions over all axes but batch and channel.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { defineOp, type OpCase } from '../ir/opdef';

function globalPool(name: string, reduction: string, pool: (window: Float64Array) => number) {
  return defineOp({
    name,
    attributes: {},
    infer(n) {
      const { dtype, dims } = n.input(0);
      if (dims.length < 3) n.fail('needs an input of rank 3 or more: batch, channels and at least one spatial axis');
      return [{ dtype, dims: dims.map((d, i) => (i < 2 ? d : 1)) }];
    },
    reference(_, [x]) {
      const { data, dims, dtype } = x as NDArray;
      const window = sizeOf(dims.slice(2));
      const out = ndarray(
        dtype,
        dims.map((d, i) => (i < 2 ? d : 1)),
      );
      for (let i = 0; i < out.data.length; i++)
        out.data[i] = pool(Float64Array.from(data.subarray(i * window, (i + 1) * window)));
      return [out];
    },
    lower(n, b) {
      const axes = n.input(0).dims.flatMap((_, i) => (i < 2 ? [] : [i]));
      return b.add(reduction, [n.node.inputs[0] as string, b.constant(int64s(axes))]);
    },
  });
}

export default [
  globalPool('GlobalAveragePool', 'ReduceMean', (w) => w.reduce((sum, x) => sum + x, 0) / w.length),
  globalPool('GlobalMaxPool', 'ReduceMax', (w) => w.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY)),
];

const shapes: OpCase[] = [
  { name: 'image', inputs: [{ dims: [2, 5, 7, 7] }] },
  { name: 'one axis', inputs: [{ dims: [3, 4, 129] }] },
];
export const cases: Record<string, OpCase[]> = { GlobalAveragePool: shapes, GlobalMaxPool: shapes };
