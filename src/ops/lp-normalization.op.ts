// LpNormalization and MeanVarianceNormalization: a division by a norm or a deviation, in terms of reductions.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { forEachIndex, sizeOf, stridesOf } from '../base/shape';
import { int, ints } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axesOf, axisOf } from './axes';
import { Formula } from './gradient';
import { reducedDims } from './reduce/geometry';

/** For each element of `x`, the number of the group it shares with all that differ in `axes` only. */
function groupsOf(x: NDArray, axes: readonly number[]): { group: Int32Array; count: number } {
  const kept = reducedDims(x.dims, axes, true);
  const strides = stridesOf(kept);
  const group = new Int32Array(x.data.length);
  forEachIndex(x.dims, (at, flat) => {
    group[flat] = at.reduce((sum, i, d) => (axes.includes(d) ? sum : sum + i * (strides[d] as number)), 0);
  });
  return { group, count: sizeOf(kept) };
}

function sums(values: ArrayLike<number>, { group, count }: { group: Int32Array; count: number }): Float64Array {
  const out = new Float64Array(count);
  group.forEach((g, i) => {
    out[g] = (out[g] as number) + (values[i] as number);
  });
  return out;
}

const sameType = (n: NodeView) => [{ dtype: n.input(0).dtype, dims: n.input(0).dims }];

const lp = defineOp({
  name: 'LpNormalization',
  attributes: { axis: int(-1), p: int(2) },
  infer(n) {
    axisOf(n, n.attributes.axis, n.input(0).dims.length);
    if (n.attributes.p !== 1 && n.attributes.p !== 2) n.fail(`has p = ${n.attributes.p}, but ONNX knows only 1 and 2`);
    return sameType(n);
  },
  reference(n, [input]) {
    const x = input as NDArray;
    const groups = groupsOf(x, [axisOf(n, n.attributes.axis, x.dims.length)]);
    const { p } = n.attributes;
    const norms = sums(
      Array.from(x.data, (v) => Math.abs(v) ** p),
      groups,
    ).map((s) => s ** (1 / p));
    return [
      ndarray(
        x.dtype,
        x.dims,
        Array.from(x.data, (v, i) => (v === 0 ? 0 : v / (norms[groups.group[i] as number] as number))),
      ),
    ];
  },
  // Nothing but zeros has the gradient 0, which is between those around it.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const [x] = n.node.inputs as [string];
    const { dtype, dims } = n.input(0);
    const { p } = n.attributes;
    const f = new Formula(b, dtype);
    const y = n.node.outputs[0] as string;
    const axis = b.constant(int64s([axisOf(n, n.attributes.axis, dims.length)]));
    const norm = f.node(p === 1 ? 'ReduceL1' : 'ReduceL2', [x, axis]);
    const inverse = f.choose(f.of('Equal', norm, 0), 0, f.of('Reciprocal', norm));
    const total = f.node('ReduceSum', [f.mul(gradient, y), axis]);
    return [f.mul(f.sub(gradient, f.mul(p === 1 ? f.of('Sign', x) : y, total)), inverse)];
  },
  lower(n, b) {
    const [x] = n.node.inputs as [string];
    const { dtype, dims } = n.input(0);
    const axis = b.constant(int64s([axisOf(n, n.attributes.axis, dims.length)]));
    const norm = b.add(n.attributes.p === 1 ? 'ReduceL1' : 'ReduceL2', [x, axis]);
    // Nothing but zeros stays zeros. Each bound is below any norm that the type can tell from 0.
    const least = b.constant(ndarray(dtype, [], [dtype === 'float16' ? 2 ** -24 : 2 ** -126]));
    return b.add('Div', [x, ...b.add('Max', [...norm, least])]);
  },
});

const meanVariance = defineOp({
  name: 'MeanVarianceNormalization',
  attributes: { axes: ints([0, 2, 3]) },
  infer(n) {
    axesOf(n, n.attributes.axes, n.input(0).dims.length);
    return sameType(n);
  },
  reference(n, [input]) {
    const x = input as NDArray;
    const groups = groupsOf(x, axesOf(n, n.attributes.axes, x.dims.length));
    const size = x.data.length / groups.count;
    const means = sums(x.data, groups).map((s) => s / size);
    const centred = Array.from(x.data, (v, i) => v - (means[groups.group[i] as number] as number));
    const deviations = sums(
      centred.map((d) => d * d),
      groups,
    ).map((s) => Math.sqrt(s / size) + 1e-9);
    return [
      ndarray(
        x.dtype,
        x.dims,
        centred.map((d, i) => d / (deviations[groups.group[i] as number] as number)),
      ),
    ];
  },
  lower(n, b) {
    const [x] = n.node.inputs as [string];
    const { dtype, dims } = n.input(0);
    const axes = b.constant(int64s(axesOf(n, n.attributes.axes, dims.length)));
    const [centred] = b.add('Sub', [x, ...b.add('ReduceMean', [x, axes])]) as [string];
    const variance = b.add('ReduceMean', [...b.add('Mul', [centred, centred]), axes]);
    const deviation = b.add('Add', [...b.add('Sqrt', variance), b.constant(ndarray(dtype, [], [1e-9]))]);
    return b.add('Div', [centred, ...deviation]);
  },
});

export default [lp, meanVariance];

export const cases: Record<string, OpCase[]> = {
  LpNormalization: [1, 2].flatMap((p): OpCase[] => [
    { name: `p = ${p}, last axis`, inputs: [{ dims: [5, 33] }], attributes: { p } },
    { name: `p = ${p}, channels`, inputs: [{ dims: [2, 7, 3, 4] }], attributes: { p, axis: 1 } },
    {
      name: `p = ${p}, zeros`,
      inputs: [{ dims: [2, 2], values: [0, 0, 3, -4] }],
      attributes: { p },
      differentiable: false as const,
    },
  ]),
  MeanVarianceNormalization: [
    { name: 'channels', inputs: [{ dims: [2, 3, 5, 7] }] },
    { name: 'other axes', inputs: [{ dims: [4, 9, 5] }], attributes: { axes: [1, -1] } },
  ],
};
