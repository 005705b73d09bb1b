// LRN, local response normalisation: each element over a power of the mean square of its channel neighbours,
// in terms of an average pooling along the channels.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { float, required } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';

export default defineOp({
  name: 'LRN',
  attributes: { alpha: float(0.0001), beta: float(0.75), bias: float(1), size: required('int') },
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (dims.length < 3) n.fail('needs an input of rank 3 or more');
    if (n.attributes.size < 1) n.fail(`has the size ${n.attributes.size}, which must be at least 1`);
    return [{ dtype, dims }];
  },
  reference(n, [x]) {
    const { data, dims, dtype } = x as NDArray;
    const { alpha, beta, bias, size } = n.attributes;
    const channels = dims[1] as number;
    const inner = sizeOf(dims.slice(2));
    const before = Math.floor((size - 1) / 2);
    const out = ndarray(dtype, dims);
    for (let i = 0; i < data.length; i++) {
      const c = Math.floor(i / inner) % channels;
      let squares = 0;
      for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c + size - 1 - before); k++) {
        squares += (data[i + (k - c) * inner] as number) ** 2;
      }
      out.data[i] = (data[i] as number) / (bias + (alpha / size) * squares) ** beta;
    }
    return [out];
  },
  lower(n, b) {
    const [x] = n.node.inputs as [string];
    const { dtype, dims } = n.input(0);
    const { alpha, beta, bias, size } = n.attributes;
    const number = (value: number) => b.constant(ndarray(dtype, [], [value]));
    const [batch, channels] = dims as [number, number];
    const plane = b.constant(int64s([batch, 1, channels, sizeOf(dims.slice(2))]));
    const before = Math.floor((size - 1) / 2);
    const squares = b.add('Reshape', [...b.add('Mul', [x, x]), plane]);
    const means = b.add('AveragePool', squares, {
      kernel_shape: [size, 1],
      pads: [before, 0, size - 1 - before, 0],
      count_include_pad: 1,
    });
    const shaped = b.add('Reshape', [...means, b.constant(int64s(dims))]);
    const base = b.add('Add', [...b.add('Mul', [...shaped, number(alpha)]), number(bias)]);
    return b.add('Div', [x, ...b.add('Pow', [...base, number(beta)])]);
  },
});

export const cases: OpCase[] = [
  { name: 'odd size', inputs: [{ dims: [2, 7, 5, 3] }], attributes: { size: 3, alpha: 0.5 } },
  { name: 'even size', inputs: [{ dims: [1, 9, 5] }], attributes: { size: 4, alpha: 0.2, beta: 0.5, bias: 2 } },
  { name: 'wider than the channels', inputs: [{ dims: [1, 3, 4, 4] }], attributes: { size: 9, alpha: 2 } },
];
