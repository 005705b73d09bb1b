// CausalConvWithState: a depthwise convolution along the last axis that sees only the present and the past. The
// past is the state, the last kernel - 1 elements of each channel; where it is absent it is zero.
// Inputs: x [batch, channels, length], weights [channels, 1, kernel], bias, state. Outputs: result, next state.

import { int64s, ndarray } from '../base/ndarray';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import { string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { sigmoid } from './wgsl/special-functions';

type View = NodeView<{ readonly activation: string }>;

const activations = { none: undefined, silu: 'Swish', swish: 'Swish' } as const;

/** The operator to apply at the end, if any. */
function activationOf(n: View): 'Swish' | undefined {
  const { activation } = n.attributes;
  if (!Object.hasOwn(activations, activation))
    n.fail(`has the activation "${activation}"; expected ${Object.keys(activations).join(', ')}`);
  return activations[activation as keyof typeof activations];
}

function sizesOf(n: View) {
  const [batch = 0, channels = 0, length = 0] = n.input(0).dims;
  const kernel = n.input(1).dims[2] ?? 0;
  const state = [batch, channels, Math.max(0, kernel - 1)];
  const expected = [[batch, channels, length], [channels, 1, Math.max(1, kernel)], [channels], state];
  expected.forEach((dims, i) => {
    const input = n.inputs[i];
    if (input && !sameDims(input.dims, dims))
      n.fail(`needs its input ${i} of shape ${formatDims(dims)}, but has ${formatDims(input.dims)}`);
  });
  return { batch, channels, length, kernel, state };
}

export default defineOp({
  name: 'CausalConvWithState',
  attributes: { activation: string('none') },
  infer(n) {
    activationOf(n);
    const { dtype, dims } = n.input(0);
    return [
      { dtype, dims },
      { dtype, dims: sizesOf(n).state },
    ];
  },
  reference(n, inputs) {
    const { channels, length, kernel, state } = sizesOf(n);
    const { dtype, dims } = n.input(0);
    const [x, weights, bias, past] = inputs.map((a) => a?.data);
    const element = (row: number, at: number) =>
      at < 0 ? (past?.[row * (kernel - 1) + kernel - 1 + at] ?? 0) : (x?.[row * length + at] as number);
    const out = ndarray(dtype, dims);
    for (let i = 0; i < out.data.length; i++) {
      const [row, at] = [Math.floor(i / length), i % length];
      const channel = row % channels;
      let sum = bias?.[channel] ?? 0;
      for (let k = 0; k < kernel; k++)
        sum += (weights?.[channel * kernel + k] as number) * element(row, at - kernel + 1 + k);
      out.data[i] = activationOf(n) ? sum * sigmoid(sum) : sum;
    }
    const next = ndarray(dtype, state);
    for (let i = 0; i < next.data.length; i++)
      next.data[i] = element(Math.floor(i / (kernel - 1)), length - kernel + 1 + (i % (kernel - 1)));
    return [out, next];
  },
  lower(n, b) {
    const { channels, length, kernel, state } = sizesOf(n);
    const [x, weights, bias = '', past = ''] = n.node.inputs as [string, string, string?, string?];
    const before = past === '' ? b.constant(ndarray(n.input(0).dtype, state)) : past;
    const whole = kernel > 1 ? b.add('Concat', [before, x], { axis: 2 }) : [x];
    // A convolution has at least one group, and a window's width of elements.
    const sums =
      sizeOf(n.input(0).dims) > 0
        ? b.add('Conv', [...whole, weights, bias], { group: channels })
        : b.add('Identity', [x]);
    const activation = activationOf(n);
    const list = (value: number) => b.constant(int64s([value]));
    return [
      ...(activation ? b.add(activation, sums) : sums),
      ...b.add('Slice', [...whole, list(length), list(length + kernel - 1), list(2)]),
    ];
  },
});

export const cases: OpCase[] = [
  { name: 'plain', inputs: [{ dims: [2, 3, 9] }, { dims: [3, 1, 4] }], outputs: 2 },
  {
    name: 'silu, bias and past, shorter than the kernel',
    inputs: [{ dims: [1, 5, 2] }, { dims: [5, 1, 4] }, { dims: [5] }, { dims: [1, 5, 3] }],
    attributes: { activation: 'silu' },
    outputs: 2,
  },
  { name: 'no channels', inputs: [{ dims: [2, 0, 9] }, { dims: [0, 1, 4] }], outputs: 2 },
  { name: 'nothing new', inputs: [{ dims: [2, 3, 0] }, { dims: [3, 1, 4] }], outputs: 2 },
  { name: 'one tap', inputs: [{ dims: [1, 2, 5] }, { dims: [2, 1, 1] }], attributes: { activation: 'swish' } },
];
