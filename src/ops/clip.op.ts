// Clip: to at least `min`, then to at most `max`; both are optional inputs.

import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';

export default pointwiseOp({
  name: 'Clip',
  arity: [1, 3],
  element: () => (x, min, max) => {
    const raised = min === undefined ? x : Math.max(x, min);
    return max === undefined ? raised : Math.min(raised, max);
  },
  wgsl(p, x) {
    const [, min, max] = p.args;
    const raised = min ? `max(${x}, ${min})` : x;
    return max ? `min(${raised}, ${max})` : raised;
  },
});

const low = { dims: [], values: [-0.5] };
const high = { dims: [], values: [0.25], constant: true };
export const cases: OpCase[] = [
  { name: 'both', inputs: [{ dims: [129] }, low, high] },
  { name: 'no maximum', inputs: [{ dims: [127] }, low] },
  { name: 'no minimum', inputs: [{ dims: [3] }, undefined, high] },
  { name: 'neither', inputs: [{ dims: [3] }] },
  { name: 'minimum above maximum', inputs: [{ dims: [5] }, high, low] },
  {
    name: 'int8',
    inputs: [
      { dims: [129], dtype: 'int8', range: [-99, 99] },
      { dims: [], dtype: 'int8', values: [-7] },
      { dims: [], dtype: 'int8', values: [50] },
    ],
  },
];
