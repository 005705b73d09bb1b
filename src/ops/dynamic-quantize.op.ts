// DynamicQuantizeLinear: float32 to uint8 with scale and zero point found from the data, such that 0 is exact.
// Outputs: y, scale [], zero point []. Data that is zero throughout has the scale 1 / 255.

import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { defineOp, type OpCase } from '../ir/opdef';
import { quantizer } from './quantize/element';

export default defineOp({
  name: 'DynamicQuantizeLinear',
  attributes: {},
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (dtype !== 'float32') n.fail(`quantises ${dtype}; expected float32`);
    return [
      { dtype: 'uint8', dims },
      { dtype: 'float32', dims: [] },
      { dtype: 'uint8', dims: [] },
    ];
  },
  reference(_n, inputs) {
    const x = inputs[0] as NDArray;
    let [least, most] = [0, 0];
    for (const v of x.data) [least, most] = [Math.min(least, v), Math.max(most, v)];
    const scale = Math.fround(Math.fround(most === least ? 1 : most - least) / 255);
    const quantize = quantizer('uint8');
    const zero = quantize(-least, scale, 0);
    const y = ndarray(
      'uint8',
      x.dims,
      Array.from(x.data, (v) => quantize(v, scale, zero)),
    );
    return [y, scalar('float32', scale), scalar('uint8', zero)];
  },
  lower(n, b) {
    const [x] = n.node.inputs as [string];
    const one = (op: string, inputs: readonly string[], of = {}) => b.add(op, inputs, of)[0] as string;
    const number = (v: number) => b.constant(scalar('float32', v));
    const zeroed = { keepdims: 0 };
    const least = one('Min', [one('ReduceMin', [x], zeroed), number(0)]);
    const most = one('Max', [one('ReduceMax', [x], zeroed), number(0)]);
    const range = one('Sub', [most, least]);
    const scale = one('Div', [one('Where', [one('Equal', [range, number(0)]), number(1), range]), number(255)]);
    const to = { to: numberOfDType('uint8') };
    const zero = one('lepton.Quantize', [one('Neg', [least]), scale], to);
    return [one('lepton.Quantize', [x, scale, zero], to), scale, zero];
  },
});

export const cases: OpCase[] = [
  { name: 'both signs', inputs: [{ dims: [3, 43], range: [-3, 9] }], outputs: 3 },
  { name: 'positive', inputs: [{ dims: [127], range: [1, 9] }], outputs: 3 },
  { name: 'negative, scalar', inputs: [{ dims: [], values: [-2.5] }], outputs: 3 },
  { name: 'zero', inputs: [{ dims: [5], values: [0, 0, 0, 0, 0] }], outputs: 3 },
];
