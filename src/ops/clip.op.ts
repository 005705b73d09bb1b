// Clip: to at least `min`, then to at most `max`; both are optional inputs. NaN stays, since no comparison with it
// holds.

import type { OpCase, OpDef } from '../ir/opdef';
import { boundsNothing } from './bounds';
import { pointwiseOp } from './pointwise-op';
import { specialValues } from './special-values';

const elementwise = pointwiseOp({
  name: 'Clip',
  arity: [1, 3],
  element: () => (x, min, max) => {
    // Nothing is below or above a bound that is absent.
    let y = x as number;
    if (y < (min as number)) y = min as number;
    if (y > (max as number)) y = max as number;
    return y;
  },
  wgsl(p, x) {
    const [, min, max] = p.args;
    const raised = min ? `select(${x}, ${min}, ${x} < ${min})` : x;
    return max ? `select(${raised}, ${max}, ${raised} > ${max})` : raised;
  },
  // Where x is at a bound it still counts as inside.
  grad({ f, gradient, inputs: [x = '', min = '', max = ''], output }) {
    const within = f.keep(f.of('Equal', x, output), gradient);
    const raised = min ? f.of('Max', x, min) : x;
    const below = min ? f.less(x, min) : undefined;
    const above = max ? f.greater(raised, max) : undefined;
    const raisedOnly = below && above ? f.of('And', below, f.of('Not', above)) : below;
    return [within, raisedOnly && f.keep(raisedOnly, gradient), above && f.keep(above, gradient)];
  },
});

const clip: OpDef = {
  ...elementwise,
  lower(n, b) {
    const [x, min = '', max = ''] = n.node.inputs as [string, string?, string?];
    const [noMin, noMax] = [boundsNothing(n.inputs[1], 'low'), boundsNothing(n.inputs[2], 'high')];
    return noMin || noMax ? b.add('Clip', [x, noMin ? '' : min, noMax ? '' : max]) : undefined;
  },
};

export default clip;

const low = { dims: [], values: [-0.5] };
const high = { dims: [], values: [0.25], constant: true };
export const cases: OpCase[] = [
  { name: 'both', inputs: [{ dims: [129] }, low, high] },
  { name: 'no maximum', inputs: [{ dims: [127] }, low] },
  { name: 'no minimum', inputs: [{ dims: [3] }, undefined, high] },
  { name: 'neither', inputs: [{ dims: [3] }] },
  { name: 'special values', inputs: [...specialValues.inputs, low, high] },
  { name: 'minimum above maximum', inputs: [{ dims: [5] }, high, low] },
  {
    name: 'int8',
    inputs: [
      { dims: [129], dtype: 'int8', range: [-99, 99] },
      { dims: [], dtype: 'int8', values: [-7] },
      { dims: [], dtype: 'int8', values: [50] },
    ],
  },
  {
    name: 'int64 from 0, without a maximum',
    inputs: [
      { dims: [5], dtype: 'int64', values: [-3, 0, 7, 2147483647, -2147483648] },
      { dims: [], dtype: 'int64', values: [0], constant: true },
      { dims: [], dtype: 'int64', values: [2 ** 63], constant: true },
    ],
  },
  {
    name: 'int64 without a minimum, to 5',
    inputs: [
      { dims: [3], dtype: 'int64', values: [-3, 0, 7] },
      { dims: [], dtype: 'int64', values: [-(2 ** 63)], constant: true },
      { dims: [], dtype: 'int64', values: [5], constant: true },
    ],
  },
];
