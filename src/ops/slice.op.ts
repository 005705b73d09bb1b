// Slice: every step-th element between two bounds along some axes, backwards where the step is negative.

import { int64s } from '../base/ndarray';
import { stridesOf } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { axesOf } from './axes';
import { padded, reshape } from './gradient';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

/** Of every axis of the input: the first element, how many, and from one to the next. */
function rangesOf(n: NodeView): { start: number; count: number; step: number }[] {
  const source = n.input(0).dims;
  const starts = n.numbers(1) ?? n.fail('lacks its starts (input 1)');
  const ends = n.numbers(2) ?? n.fail('lacks its ends (input 2)');
  const axes = axesOf(n, n.numbers(3) ?? starts.map((_, i) => i), source.length);
  const steps = n.numbers(4) ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    n.fail(`has ${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`);
  }
  return source.map((size, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { start: 0, count: size, step: 1 };
    const step = steps[i] as number;
    if (step === 0) n.fail(`has the step 0 along axis ${axis}`);
    // Backwards, a slice may end before element 0.
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const bound = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
    const start = Math.max(0, bound(starts[i] as number));
    const end = bound(ends[i] as number);
    return { start, count: size === 0 ? 0 : Math.max(0, Math.ceil((end - start) / step)), step };
  });
}

function walkOf(n: NodeView): Walk {
  const ranges = rangesOf(n);
  const strides = stridesOf(n.input(0).dims);
  return {
    dims: ranges.map(({ count }) => count),
    strides: strides.map((stride, axis) => stride * (ranges[axis]?.step as number)),
    offset: strides.reduce((sum, stride, axis) => sum + stride * (ranges[axis]?.start as number), 0),
  };
}

/** Zeros but for the elements of the slice: turned to go forwards, with zeros put between them, then around. */
function unslice(n: NodeView, b: LowerBuilder, gradient: string): string {
  const source = n.input(0).dims;
  const ranges = rangesOf(n);
  const { dims } = b.type(gradient);
  const list = (values: number[]) => b.constant(int64s(values));
  const turned = [...dims.keys()].filter((axis) => (ranges[axis]?.step as number) < 0);
  let value = gradient;
  if (turned.length > 0) {
    const all = (bound: number) => list(turned.map(() => bound));
    [value] = b.add('Slice', [value, all(-1), all(-(2 ** 31)), list(turned), all(-1)]) as [string];
  }
  const forwards = ranges.map(({ start, count, step }) => (step < 0 ? start + Math.max(0, count - 1) * step : start));
  // A step no longer than the axis is all that the last element has room for.
  const steps = ranges.map(({ step, count }) => (count > 1 ? Math.abs(step) : 1));
  if (steps.some((step) => step > 1)) {
    const after = steps.flatMap((step) => [0, step - 1]);
    const apart = reshape(
      b,
      value,
      dims.flatMap((size) => [size, 1]),
    );
    value = reshape(
      b,
      padded(
        b,
        apart,
        after.map(() => 0),
        after,
      ),
      dims.map((size, i) => size * (steps[i] as number)),
    );
  }
  const held = b.type(value).dims;
  return padded(
    b,
    value,
    forwards,
    source.map((size, i) => size - (forwards[i] as number) - (held[i] as number)),
  );
}

export default defineOp({
  name: 'Slice',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: walkOf(n).dims }],
  reference: (n, [x]) => [walkCopy(x ?? n.fail('lacks its input'), walkOf(n))],
  grad: (n, b, [gradient]) => [gradient && unslice(n, b, gradient)],
  kernels: [stridedKernel(walkOf)],
});

const list = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;
const toEnd = 2 ** 63;

export const cases: OpCase[] = [
  { name: 'aligned columns', inputs: [{ dims: [3, 128] }, list(4), list(68), list(1)] },
  { name: 'columns', inputs: [{ dims: [3, 129] }, list(1), list(-1), list(-1)] },
  { name: 'rows', inputs: [{ dims: [9, 127] }, list(2), list(toEnd)] },
  {
    name: 'step 2 on two axes',
    inputs: [{ dims: [1, 3, 8, 10] }, list(1, 0), list(toEnd, toEnd), list(3, 2), list(2, 2)],
  },
  { name: 'backwards', inputs: [{ dims: [3, 7] }, list(-1, 5), list(-toEnd, 0), list(0, 1), list(-1, -2)] },
  { name: 'backwards over everything', inputs: [{ dims: [130] }, list(toEnd), list(-toEnd), list(0), list(-1)] },
  { name: 'int64', inputs: [{ dtype: 'int64', dims: [3, 5] }, list(1), list(4), list(1)] },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [3, 5] }, list(1), list(4), list(1)] },
  { name: 'uint8', inputs: [{ dtype: 'uint8', dims: [5, 7] }, list(1, 2), list(4, 7), list(0, 1), list(2, 1)] },
];
