// Slice: every step-th element between two bounds along some axes, backwards where the step is negative.

import { stridesOf } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axesOf } from './axes';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

function walkOf(n: NodeView): Walk {
  const source = n.input(0).dims;
  const starts = n.numbers(1) ?? n.fail('lacks its starts (input 1)');
  const ends = n.numbers(2) ?? n.fail('lacks its ends (input 2)');
  const axes = axesOf(n, n.numbers(3) ?? starts.map((_, i) => i), source.length);
  const steps = n.numbers(4) ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    n.fail(`has ${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`);
  }
  const dims = [...source];
  const strides = stridesOf(source);
  let offset = 0;
  axes.forEach((axis, i) => {
    const size = source[axis] as number;
    const step = steps[i] as number;
    if (step === 0) n.fail(`has the step 0 along axis ${axis}`);
    // Backwards, a slice may end before element 0.
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const bound = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
    const start = Math.max(0, bound(starts[i] as number));
    const end = bound(ends[i] as number);
    dims[axis] = size === 0 ? 0 : Math.max(0, Math.ceil((end - start) / step));
    offset += start * (strides[axis] as number);
    strides[axis] = (strides[axis] as number) * step;
  });
  return { dims, strides, offset };
}

export default defineOp({
  name: 'Slice',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: walkOf(n).dims }],
  reference: (n, [x]) => [walkCopy(x ?? n.fail('lacks its input'), walkOf(n))],
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
