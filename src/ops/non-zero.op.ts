// NonZero: the coordinates of all elements that are not zero, one axis a row.

import { type NDArray, ndarray } from '../base/ndarray';
import { stridesOf } from '../base/shape';
import { defineOp, type OpCase } from '../ir/opdef';

function count({ data }: NDArray): number {
  let found = 0;
  for (const element of data) if (element !== 0) found++;
  return found;
}

export default defineOp({
  name: 'NonZero',
  host: 'how many elements are not zero is known from the data only',
  attributes: {},
  infer(n) {
    const found = count(n.constant(0) ?? n.fail('lacks its input'));
    return [{ dtype: 'int64', dims: [n.input(0).dims.length, found] }];
  },
  reference(n, [input]) {
    const x = input ?? n.fail('lacks its input');
    const found = count(x);
    const out = ndarray('int64', [x.dims.length, found]);
    const strides = stridesOf(x.dims);
    let column = 0;
    x.data.forEach((element, i) => {
      if (element === 0) return;
      strides.forEach((stride, axis) => {
        out.data[axis * found + column] = Math.floor(i / stride) % (x.dims[axis] as number);
      });
      column++;
    });
    return [out];
  },
});

const given = (dims: number[], ...values: number[]) => ({ dims, values, constant: true });
export const cases: OpCase[] = [
  { name: 'matrix', inputs: [{ ...given([2, 3], 0, 5, 1, 0, 0, -2), dtype: 'int64' }] },
  { name: 'cube of booleans', inputs: [{ ...given([2, 2, 2], 0, 1, 1, 0, 0, 0, 1, 1), dtype: 'bool' }] },
  { name: 'floats', inputs: [given([5], 0, Number.NaN, -0, 1e-30, -1)] },
  { name: 'nothing', inputs: [given([3], 0, 0, 0)] },
];
