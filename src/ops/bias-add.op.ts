// BiasAdd and BiasSplitGelu of com.microsoft, which ONNX Runtime's optimiser writes into diffusion models: a bias
// and a second tensor added; a bias added, and one half of each row times Gelu of the other half.

import { isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { sameDims } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { erf } from './wgsl/special-functions';

/** Length of a row, of which the bias has as many elements. */
function rowOf(n: NodeView): number {
  const { dtype, dims } = n.input(0);
  const row = dims.at(-1) ?? n.fail('needs an input of rank 1 or more');
  if (!isFloat(dtype)) n.fail('needs floats');
  if (!sameDims(n.input(1).dims, [row])) n.fail(`needs a bias of ${row} elements`);
  return row;
}

const biasAdd = defineOp({
  name: 'com.microsoft.BiasAdd',
  attributes: {},
  infer(n) {
    rowOf(n);
    const { dtype, dims } = n.input(0);
    if (!sameDims(n.input(2).dims, dims)) n.fail('adds a tensor of another shape');
    return [{ dtype, dims }];
  },
  reference(n, inputs) {
    const [x, bias, skip] = inputs as [NDArray, NDArray, NDArray];
    const row = rowOf(n);
    const sum = (v: number, i: number) => v + (bias.data[i % row] as number) + (skip.data[i] as number);
    return [ndarray(x.dtype, x.dims, Array.from(x.data, sum))];
  },
  lower(n, b) {
    const [x, bias, skip] = n.node.inputs as [string, string, string];
    return b.add('Add', [...b.add('Add', [x, bias]), skip]);
  },
});

const biasSplitGelu = defineOp({
  name: 'com.microsoft.BiasSplitGelu',
  attributes: {},
  infer(n) {
    const row = rowOf(n);
    if (row % 2 !== 0) n.fail(`splits rows of ${row} elements, which is odd`);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims: dims.with(-1, row / 2) }];
  },
  reference(n, inputs) {
    const [x, bias] = inputs as [NDArray, NDArray];
    const half = rowOf(n) / 2;
    const out = ndarray(x.dtype, x.dims.with(-1, half));
    for (let i = 0; i < out.data.length; i++) {
      const at = Math.floor(i / half) * 2 * half + (i % half);
      const left = (x.data[at] as number) + (bias.data[i % half] as number);
      const right = (x.data[at + half] as number) + (bias.data[half + (i % half)] as number);
      out.data[i] = left * 0.5 * right * (1 + erf(right * Math.SQRT1_2));
    }
    return [out];
  },
  lower(n, b) {
    const [x, bias] = n.node.inputs as [string, string];
    const [left, right] = b.add('Split', b.add('Add', [x, bias]), { axis: -1, num_outputs: 2 }, 2) as [string, string];
    return b.add('Mul', [left, ...b.add('Gelu', [right])]);
  },
});

export default [biasAdd, biasSplitGelu];

export const cases: Record<string, OpCase[]> = {
  'com.microsoft.BiasAdd': [{ name: 'rows', inputs: [{ dims: [2, 3, 9] }, { dims: [9] }, { dims: [2, 3, 9] }] }],
  'com.microsoft.BiasSplitGelu': [{ name: 'rows', inputs: [{ dims: [2, 3, 18], range: [-3, 3] }, { dims: [18] }] }],
};
