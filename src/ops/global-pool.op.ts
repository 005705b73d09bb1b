// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: reductions over all axes but batch and channel.

import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { type Dims, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';

type View = NodeView<{ readonly p: number }>;

/** @param reduce adds the reduction over `axes`, a constant's name */
function globalPool(
  name: string,
  pool: (window: Float64Array, p: number) => number,
  reduce: (n: View, b: LowerBuilder, axes: string) => string[],
) {
  const dimsOf = (dims: Dims) => dims.map((d, i) => (i < 2 ? d : 1));
  return defineOp({
    name,
    attributes: { p: int(2) },
    infer(n) {
      const { dtype, dims } = n.input(0);
      if (dims.length < 3) n.fail('needs an input of rank 3 or more: batch, channels and at least one spatial axis');
      if (n.attributes.p < 1) n.fail(`has p = ${n.attributes.p}, but it must be at least 1`);
      return [{ dtype, dims: dimsOf(dims) }];
    },
    reference(n, [x]) {
      const { data, dims, dtype } = x as NDArray;
      const window = sizeOf(dims.slice(2));
      const out = ndarray(dtype, dimsOf(dims));
      for (let i = 0; i < out.data.length; i++)
        out.data[i] = pool(Float64Array.from(data.subarray(i * window, (i + 1) * window)), n.attributes.p);
      return [out];
    },
    lower: (n, b) => reduce(n, b, b.constant(int64s(n.input(0).dims.flatMap((_, i) => (i < 2 ? [] : [i]))))),
  });
}

const by =
  (reduction: string) =>
  (n: View, b: LowerBuilder, axes: string): string[] =>
    b.add(reduction, [n.node.inputs[0] as string, axes]);

function norm(n: View, b: LowerBuilder, axes: string): string[] {
  const { p } = n.attributes;
  if (p <= 2) return by(`ReduceL${p}`)(n, b, axes);
  const power = (name: string, exponent: number) =>
    b.add('Pow', [name, b.constant(scalar(n.input(0).dtype, exponent))])[0] as string;
  const sizes = b.add('Abs', [n.node.inputs[0] as string])[0] as string;
  return [power(b.add('ReduceSum', [power(sizes, p), axes])[0] as string, 1 / p)];
}

export default [
  globalPool('GlobalAveragePool', (w) => w.reduce((sum, x) => sum + x, 0) / w.length, by('ReduceMean')),
  globalPool(
    'GlobalMaxPool',
    (w) => w.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY),
    by('ReduceMax'),
  ),
  globalPool('GlobalLpPool', (w, p) => w.reduce((sum, x) => sum + Math.abs(x) ** p, 0) ** (1 / p), norm),
];

const shapes: OpCase[] = [
  { name: 'image', inputs: [{ dims: [2, 5, 7, 7] }] },
  { name: 'one axis', inputs: [{ dims: [3, 4, 129] }] },
];
export const cases: Record<string, OpCase[]> = {
  GlobalAveragePool: shapes,
  GlobalMaxPool: shapes,
  GlobalLpPool: [
    ...shapes,
    { name: 'p 1', inputs: [{ dims: [1, 3, 5] }], attributes: { p: 1 } },
    { name: 'p 3', inputs: [{ dims: [1, 3, 5, 2] }], attributes: { p: 3 }, tolerance: 1e-4 },
  ],
};
