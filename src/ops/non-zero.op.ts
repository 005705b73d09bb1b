// NonZero: the coordinates of all elements that are not zero, one axis a row. Its size depends on the data, so
// the data must be known before the run.

import type { NDArray } from '../base/ndarray';
import { ndarray } from '../base/ndarray';
import { forEachIndex } from '../base/shape';
import { defineOp, type OpCase } from '../ir/opdef';

function coordinates(x: NDArray): NDArray {
  const found: number[][] = [];
  forEachIndex(x.dims, (at, flat) => {
    if (x.data[flat] !== 0) found.push([...at]);
  });
  const rows = x.dims.map((_, axis) => found.map((at) => at[axis] as number));
  return ndarray('int64', [x.dims.length, found.length], rows.flat());
}

export default defineOp({
  name: 'NonZero',
  attributes: {},
  infer: (n) => [{ dtype: 'int64', dims: coordinates(n.constant(0) ?? n.fail('lacks its input')).dims }],
  reference: (n, [x]) => [coordinates(x ?? n.fail('lacks its input'))],
});

export const cases: OpCase[] = [
  { name: 'constant', inputs: [{ dtype: 'int64', dims: [2, 3], values: [0, 5, 1, 0, 0, -2], constant: true }] },
];
