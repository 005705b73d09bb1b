// lepton.Barrier: its input as it is, at no cost, but never taken for the same value: what is computed anew from it, to
// save memory, is not joined with what was computed before.

import { type NDArray, ndarray } from '../../base/ndarray';
import { defineOp, type OpCase } from '../../ir/opdef';

export default defineOp({
  name: 'lepton.Barrier',
  attributes: {},
  view: true,
  varies: true,
  infer(n) {
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims }];
  },
  reference(_n, inputs) {
    const { dtype, dims, data } = inputs[0] as NDArray;
    return [ndarray(dtype, dims, data)];
  },
  grad: (_n, _b, [gradient]) => [gradient],
});

export const cases: OpCase[] = [{ name: 'floats', inputs: [{ dims: [3, 5] }] }];
