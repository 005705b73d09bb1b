// Hardmax: 1 at the first largest element along an axis, 0 elsewhere.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { compareNumbers } from './order';

export default defineOp({
  name: 'Hardmax',
  attributes: { axis: int(-1) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    axisOf(n, n.attributes.axis, dims.length);
    return [{ dtype, dims }];
  },
  reference(n, [x]) {
    const { data, dims, dtype } = x as NDArray;
    const axis = axisOf(n, n.attributes.axis, dims.length);
    const [length, inner] = [dims[axis] as number, sizeOf(dims.slice(axis + 1))];
    const out = ndarray(dtype, dims);
    for (let row = 0; row < data.length / length; row++) {
      const base = Math.floor(row / inner) * length * inner + (row % inner);
      let best = base;
      for (let i = 1; i < length; i++)
        if (compareNumbers(data[base + i * inner] as number, data[best] as number) > 0) best = base + i * inner;
      out.data[best] = 1;
    }
    return [out];
  },
  lower(n, b) {
    const { dtype, dims } = n.input(0);
    const axis = axisOf(n, n.attributes.axis, dims.length);
    const positions = int64s(Array.from({ length: dims[axis] as number }, (_, i) => i));
    const along = dims.slice(axis).map((d, i) => (i === 0 ? d : 1));
    const [largest] = b.add('ArgMax', [n.node.inputs[0] as string], { axis, keepdims: 1 }) as [string];
    const found = b.add('Equal', [largest, b.constant({ ...positions, dims: along })]);
    return b.add('Cast', found, { to: numberOfDType(dtype) });
  },
});

export const cases: OpCase[] = [
  { name: 'last axis', inputs: [{ dims: [3, 5, 7] }] },
  { name: 'first axis', inputs: [{ dims: [9, 13] }], attributes: { axis: 0 } },
  { name: 'ties', inputs: [{ dims: [2, 4], values: [3, 3, 3, 1, 0, 2, 2, 2] }], differentiable: false },
];
