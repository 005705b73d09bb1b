// ReduceSum, Mean, Max, Min, Prod, SumSquare, L1, L2, LogSum and LogSumExp, over any axes. Input 1, the
// axes, is optional: without it every axis is reduced, or none where noop_with_empty_axes is set.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { forEachIndex, sameDims, sizeOf, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase, type OpDef } from '../ir/opdef';
import { axesOf } from './axes';
import { Formula, reshape, sumTo } from './gradient';
import { reducedDims, reduceGeometry } from './reduce/geometry';
import { reduceKernels } from './reduce/kernels';
import { type Reducer, reducers } from './reduce/reducer';

const attributes = { keepdims: int(1), noop_with_empty_axes: int(0) };
type ReduceNode = NodeView<{ keepdims: number; noop_with_empty_axes: number }>;

function reducedAxes(n: ReduceNode): number[] {
  const { dims } = n.input(0);
  const axes = n.numbers(1) ?? [];
  if (axes.length > 0) return axesOf(n, axes, dims.length);
  return n.attributes.noop_with_empty_axes ? [] : dims.map((_, i) => i);
}

function infer(n: ReduceNode) {
  const { dtype, dims } = n.input(0);
  return [{ dtype, dims: reducedDims(dims, reducedAxes(n), n.attributes.keepdims !== 0) }];
}

/** Folds the elements behind each output, in doubles. */
function fold(n: ReduceNode, x: NDArray, reducer: Reducer): NDArray {
  const axes = reducedAxes(n);
  const strides = stridesOf(reducedDims(x.dims, axes, true));
  const out = ndarray(x.dtype, reducedDims(x.dims, axes, n.attributes.keepdims !== 0));
  const totals = new Float64Array(out.data.length).fill(reducer.identity(x.dtype));
  forEachIndex(x.dims, (at, flat) => {
    let to = 0;
    at.forEach((i, d) => {
      if (!axes.includes(d)) to += i * (strides[d] as number);
    });
    const element = x.data[flat] as number;
    totals[to] = reducer.combine.host(totals[to] as number, reducer.prepare?.host(element) ?? element);
  });
  const count = axes.reduce((size, d) => size * (x.dims[d] as number), 1);
  totals.forEach((total, i) => {
    const finished = reducer.finish?.host(total, count) ?? total;
    out.data[i] = isFloat(x.dtype) ? finished : Math.trunc(finished);
  });
  return out;
}

/**
 * What an element adds to the result, times the gradient: both gradient and result have the reduced axes as 1. Without a
 * formula the gradient itself.
 */
type ReduceGrad = (
  f: Formula,
  gradient: string,
  x: string,
  result: string,
  count: number,
  /** Sums along the reduced axes. */
  total: (value: string) => string,
) => string;

/** Equal elements share. */
const toTheExtreme: ReduceGrad = (f, gradient, x, result, _count, total) => {
  const found = f.of('Equal', x, result);
  return f.keep(found, f.div(gradient, total(f.choose(found, 1, 0))));
};

const reduceGrads: Readonly<Record<string, ReduceGrad>> = {
  ReduceSum: (_f, gradient) => gradient,
  ReduceMean: (f, gradient, _x, _result, count) => f.div(gradient, count),
  ReduceMax: toTheExtreme,
  ReduceMin: toTheExtreme,
  ReduceSumSquare: (f, gradient, x) => f.mul(f.mul(gradient, 2), x),
  ReduceL1: (f, gradient, x) => f.mul(gradient, f.of('Sign', x)),
  // The norm of zeros has no derivative; 0 is between those around it.
  ReduceL2: (f, gradient, x, norm) => f.mul(f.choose(f.of('Equal', norm, 0), 0, f.div(gradient, norm)), x),
  ReduceLogSum: (f, gradient, _x, result) => f.mul(gradient, f.of('Exp', f.neg(result))),
  ReduceLogSumExp: (f, gradient, x, result) => f.mul(gradient, f.of('Exp', f.sub(x, result))),
};

function reduceGrad(n: ReduceNode, b: LowerBuilder, given: string, grad: ReduceGrad): string {
  const { dtype, dims } = n.input(0);
  const kept = reducedDims(dims, reducedAxes(n), true);
  const count = sizeOf(dims) / Math.max(1, sizeOf(kept));
  const [x, result] = [n.node.inputs[0] as string, reshape(b, n.node.outputs[0] as string, kept)];
  const f = new Formula(b, dtype);
  const part = grad(f, reshape(b, given, kept), x, result, count, (value) => sumTo(b, value, kept));
  return sameDims(b.type(part).dims, dims) ? part : f.node('Expand', [part, b.constant(int64s(dims))]);
}

/** The product of all others: of those before times those behind, along the reduced axes as one. */
function productGrad(n: ReduceNode, b: LowerBuilder, given: string): string {
  const { dtype, dims } = n.input(0);
  const axes = reducedAxes(n);
  const f = new Formula(b, dtype);
  const perm = [...dims.keys()].sort((p, q) => Number(axes.includes(p)) - Number(axes.includes(q)) || p - q);
  const count = sizeOf(axes.map((axis) => dims[axis] as number));
  const outer = sizeOf(reducedDims(dims, axes, true));
  const turned = f.node('Transpose', [n.node.inputs[0] as string], { perm });
  const line = reshape(b, turned, [outer, count]);
  const along = b.constant(scalar('int64', 1));
  const before = f.node('CumProd', [line, along], { exclusive: 1 });
  const behind = f.node('CumProd', [line, along], { exclusive: 1, reverse: 1 });
  const product = f.mul(reshape(b, given, [outer, 1]), f.mul(before, behind));
  const shaped = reshape(b, product, b.type(turned).dims);
  return f.node('Transpose', [shaped], { perm: perm.map((_, axis) => perm.indexOf(axis)) });
}

function gradOf(name: string): Pick<OpDef<typeof attributes>, 'grad'> {
  const grad = reduceGrads[name];
  if (name === 'ReduceProd') return { grad: (n, b, [given]) => [given && productGrad(n, b, given)] };
  return grad ? { grad: (n, b, [given]) => [given && reduceGrad(n, b, given, grad)] } : {};
}

function reduceOp(name: string, reducer: Reducer) {
  return defineOp({
    name,
    attributes,
    infer,
    ...gradOf(name),
    reference: (n, [x]) => [fold(n, x as NDArray, reducer)],
    kernels: reduceKernels(name, reducer, (n: ReduceNode) => reduceGeometry(n.input(0).dims, reducedAxes(n))),
  });
}

/**
 * log(sum(exp(x))) with the largest element taken out first, so that nothing overflows; unless that is infinite,
 * which nothing can be taken out of.
 */
const logSumExp = defineOp({
  name: 'ReduceLogSumExp',
  attributes,
  infer,
  ...gradOf('ReduceLogSumExp'),
  reference(n, [x]) {
    const input = x as NDArray;
    const largest = fold(n, input, reducers.ReduceMax);
    largest.data.forEach((m, i) => {
      if (Math.abs(m) === Infinity) largest.data[i] = 0;
    });
    const kept = reducedDims(input.dims, reducedAxes(n), true);
    const strides = stridesOf(kept);
    const shifted = ndarray('float64', input.dims);
    forEachIndex(input.dims, (at, flat) => {
      let to = 0;
      at.forEach((i, d) => {
        if (kept[d] !== 1) to += i * (strides[d] as number);
      });
      shifted.data[flat] = Math.exp((input.data[flat] as number) - (largest.data[to] as number));
    });
    const total = fold(n, shifted, reducers.ReduceLogSum);
    largest.data.forEach((m, i) => {
      largest.data[i] = m + (total.data[i] as number);
    });
    return [largest];
  },
  lower(n, b) {
    const { dtype } = n.input(0);
    const [x] = n.node.inputs as [string];
    if (!isFloat(dtype)) {
      const [real] = b.add('Cast', [x], { to: numberOfDType('float32') }) as [string];
      const result = b.add(n.node.op, [real, ...n.node.inputs.slice(1)], { ...n.attributes });
      return b.add('Cast', result, { to: numberOfDType(dtype) });
    }
    const axes = reducedAxes(n);
    const over = [b.constant(int64s(axes))];
    const flags = { keepdims: 1, noop_with_empty_axes: 1 };
    const zero = b.constant(ndarray(dtype, []));
    const [most] = b.add('ReduceMax', [x, ...over], flags) as [string];
    const [largest] = b.add('Where', [...b.add('IsInf', [most]), zero, most]) as [string];
    const shifted = b.add('Exp', b.add('Sub', [x, largest]));
    const [total] = b.add('ReduceLogSum', [...shifted, ...over], flags) as [string];
    const result = b.add('Add', [total, largest]);
    if (n.attributes.keepdims) return result;
    return b.add('Reshape', [...result, b.constant(int64s(reducedDims(n.input(0).dims, axes, false)))]);
  },
});

export default [...Object.entries(reducers).map(([name, reducer]) => reduceOp(name, reducer)), logSumExp];

const axes = (...values: number[]) => ({ dims: [values.length], dtype: 'int64' as const, values, constant: true });
const shapes: OpCase[] = [
  { name: 'all', inputs: [{ dims: [3, 5, 7], range: [0.5, 1.5] }] },
  { name: 'last axis', inputs: [{ dims: [129, 33], range: [0.5, 1.5] }, axes(-1)], attributes: { keepdims: 0 } },
  { name: 'first axis', inputs: [{ dims: [17, 127], range: [0.5, 1.5] }, axes(0)] },
];
const walks: OpCase[] = [
  { name: 'image', inputs: [{ dims: [2, 3, 8, 12] }, axes(2, 3)] },
  { name: 'channels, rows of quads', inputs: [{ dims: [2, 19, 3, 4] }, axes(1)], attributes: { keepdims: 0 } },
  { name: 'every second axis', inputs: [{ dims: [3, 2, 5, 3, 2, 3, 2, 5] }, axes(1, 3, 5, -1)] },
  { name: 'every other axis', inputs: [{ dims: [3, 2, 5, 3, 2, 3, 2] }, axes(0, 2, 4, 6)] },
  { name: 'long', inputs: [{ dims: [2, 4099] }, axes(1)] },
  { name: 'long in quads', inputs: [{ dims: [4100] }] },
  { name: 'long rows in quads', inputs: [{ dims: [67, 1100] }, axes(1)] },
  { name: 'rows of matrices', inputs: [{ dims: [9, 80] }, axes(1)] },
  { name: 'long columns', inputs: [{ dims: [1030, 6] }, axes(0)] },
  { name: 'long columns in quads', inputs: [{ dims: [530, 12] }, axes(0)] },
  { name: 'columns by sixteen', inputs: [{ dims: [37, 48] }, axes(0)] },
  { name: 'channels, planes of sixteen', inputs: [{ dims: [2, 5, 4, 8] }, axes(1)] },
  { name: 'no axes', inputs: [{ dims: [5, 7] }], attributes: { noop_with_empty_axes: 1 } },
  { name: 'empty axes', inputs: [{ dims: [5, 7] }, axes()] },
  { name: 'no elements', inputs: [{ dims: [3, 0, 5] }, axes(1)] },
  { name: 'one element', inputs: [{ dims: [] }] },
];
const whole = (dtype: 'int32' | 'int64' | 'uint32', range: readonly [number, number]): OpCase[] => [
  { name: `${dtype}, last axis`, inputs: [{ dims: [7, 33], dtype, range }, axes(1)] },
  { name: `${dtype}, first axis`, inputs: [{ dims: [5, 129], dtype, range }, axes(0)] },
  { name: `${dtype}, long`, inputs: [{ dims: [1031], dtype, range }] },
];
const packed: OpCase[] = (['int8', 'uint8', 'bool'] as const).flatMap((dtype) => [
  {
    name: `${dtype}, last axis`,
    inputs: [{ dims: [9, 7], dtype, ...(dtype === 'int8' && { range: [-99, -7] as const }) }, axes(1)],
  },
  { name: `${dtype}, first axis`, inputs: [{ dims: [7, 132], dtype }, axes(0)] },
  { name: `${dtype}, long columns`, inputs: [{ dims: [259, 7], dtype }, axes(0)] },
]);
const half: OpCase = { name: 'float16', inputs: [{ dims: [5, 127], dtype: 'float16', range: [0.5, 1] }, axes(1)] };
const signed: OpCase = { name: 'negative elements', inputs: [{ dims: [3, 37] }, axes(1)] };

const strange: OpCase = {
  name: 'special values',
  inputs: [
    {
      dims: [8, 3],
      values: [
        ...[Number.NaN, 1, 2, 1, 2, Number.NaN, Infinity, 1, 2, -Infinity, 1, 2],
        ...[-Infinity, -Infinity, -Infinity, Infinity, -Infinity, 0, 1, Number.NaN, Infinity, 0, -0, 0],
      ],
    },
    axes(1),
  ],
};

const named = (...names: string[]) => [...shapes, ...walks].filter((c) => names.includes(c.name));
const positive = { name: 'long, positive', inputs: [{ dims: [2, 1029], range: [0.5, 1.5] as const }, axes(1)] };

// The kernels are the same for all: ReduceSum has every form of walk, the others what is their own.
export const cases: Record<string, OpCase[]> = {
  ReduceSum: [strange, ...shapes, ...walks, ...whole('int64', [-9, 9]), half],
  ReduceMean: [strange, ...shapes, ...whole('int32', [-9, 9]), half],
  ReduceProd: [strange, ...named('all', 'no elements'), ...whole('int32', [1, 2]).slice(1, 2)],
  ReduceMax: [
    strange,
    ...named('last axis', 'long', 'rows of matrices', 'columns by sixteen', 'long columns', 'no elements'),
    ...whole('int32', [-99, -1]),
    ...packed,
    half,
  ],
  ReduceMin: [strange, ...named('no elements'), signed, ...whole('uint32', [3, 99]), ...packed],
  ReduceSumSquare: [...named('first axis'), signed, ...whole('int32', [-9, 9]).slice(2)],
  ReduceL1: [strange, signed, ...whole('int32', [-9, 9]).slice(2)],
  ReduceL2: [strange, ...named('first axis', 'long'), signed],
  ReduceLogSum: [strange, ...named('last axis'), positive],
  ReduceLogSumExp: [
    strange,
    ...whole('int32', [0, 5]).slice(0, 1),
    ...named('all', 'last axis'),
    { name: 'large elements', inputs: [{ dims: [3, 37], range: [900, 1000] }, axes(1)], attributes: { keepdims: 0 } },
    { name: 'columns by sixteen', inputs: [{ dims: [37, 48] }, axes(0)] },
    { name: 'channels, planes of sixteen', inputs: [{ dims: [2, 5, 4, 8] }, axes(1)] },
    { name: 'no axes', inputs: [{ dims: [5] }], attributes: { noop_with_empty_axes: 1 } },
  ],
};
