// BatchNormalization as inference uses it: with known statistics it is one factor and one summand a channel,
// computed from constants, which folding then puts into the convolution before it.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';

export default defineOp({
  name: 'BatchNormalization',
  attributes: { epsilon: float(1e-5), momentum: float(0.9), training_mode: int(0) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (n.attributes.training_mode) n.fail('is in training mode; export the model for inference', 'UNSUPPORTED_MODEL');
    if (!isFloat(dtype)) n.fail('needs floats');
    const channels = dims[1] ?? n.fail('needs an input of rank 2 or more');
    for (const i of [1, 2, 3, 4]) {
      const size = sizeOf(n.input(i).dims);
      if (size !== channels) n.fail(`needs ${channels} elements in its input ${i}, but has ${size}`);
    }
    return [{ dtype, dims }];
  },
  reference(n, inputs) {
    const [x, scale, bias, mean, variance] = inputs.map((i) => i as NDArray) as [
      NDArray,
      NDArray,
      NDArray,
      NDArray,
      NDArray,
    ];
    const inner = sizeOf(x.dims.slice(2));
    const channels = x.dims[1] as number;
    const out = ndarray(x.dtype, x.dims);
    for (let i = 0; i < out.data.length; i++) {
      const c = Math.floor(i / inner) % channels;
      const factor = (scale.data[c] as number) / Math.sqrt((variance.data[c] as number) + n.attributes.epsilon);
      out.data[i] = ((x.data[i] as number) - (mean.data[c] as number)) * factor + (bias.data[c] as number);
    }
    return [out];
  },
  lower(n, b) {
    const { dtype, dims } = n.input(0);
    const [x] = n.node.inputs as [string];
    const spread = b.constant(int64s([dims[1] as number, ...dims.slice(2).map(() => 1)]));
    const [scale, bias, mean, variance] = n.node.inputs.slice(1).map((name) => {
      const same = b.type(name).dtype === dtype;
      return same ? name : (b.add('Cast', [name], { to: numberOfDType(dtype) })[0] as string);
    }) as [string, string, string, string];
    const deviation = b.add('Sqrt', b.add('Add', [variance, b.constant(ndarray(dtype, [], [n.attributes.epsilon]))]));
    const factor = b.add('Div', [scale, ...deviation]);
    const summand = b.add('Sub', [bias, ...b.add('Mul', [mean, ...factor])]);
    const scaled = b.add('Mul', [x, ...b.add('Reshape', [...factor, spread])]);
    return b.add('Add', [...scaled, ...b.add('Reshape', [...summand, spread])]);
  },
});

const parameters = (channels: number, constant: boolean) =>
  [0, 1, 2, 3].map((i) => ({ dims: [channels], constant, ...(i === 3 && { range: [0.1, 2] as const }) }));
export const cases: OpCase[] = [
  { name: 'image', inputs: [{ dims: [2, 5, 7, 9] }, ...parameters(5, true)] },
  { name: 'features', inputs: [{ dims: [3, 129] }, ...parameters(129, true)], attributes: { epsilon: 0.01 } },
  { name: 'statistics computed in the run', inputs: [{ dims: [2, 3, 8] }, ...parameters(3, false)] },
];
