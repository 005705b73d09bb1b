// ConvInteger: convolution of 8-bit integers less their zero points, with sums in int32. Inputs: x, weights, zero
// point of x, zero point of the weights (one, or one an output channel). Padding counts as the zero point of x.

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { convReference } from './conv/reference';
import { type ConvAttributes, type ConvNode, type ConvShape, convAttributes, convShape } from './conv/shape';
import { integerKernels } from './integer/kernels';
import { isByte } from './integer/matmul';

/** The node as a Conv of one type. */
function asConv(n: ConvNode): ConvNode {
  const operands = n.inputs.slice(0, 2).map((t) => t && { ...t, dtype: 'int32' as const });
  return new NodeView<ConvAttributes>(n.node, n.attributes, operands, n.outputs);
}

const shapes = new WeakMap<ConvNode, ConvShape>();

function shapeOf(n: ConvNode): ConvShape {
  const shape = shapes.get(n) ?? convShape(asConv(n));
  shapes.set(n, shape);
  return shape;
}

export default defineOp({
  name: 'ConvInteger',
  attributes: convAttributes,
  infer(n) {
    const { batch, groups, groupOut, window } = shapeOf(n);
    for (const i of [0, 1]) {
      const { dtype } = n.input(i);
      const zero = n.inputs[i + 2];
      if (!isByte(dtype)) n.fail(`convolves ${dtype}; expected int8 or uint8`);
      const most = i === 0 ? 1 : groups * groupOut;
      if (zero && (zero.dtype !== dtype || (sizeOf(zero.dims) !== 1 && sizeOf(zero.dims) !== most)))
        n.fail(`has a zero point ${zero.dtype}${formatDims(zero.dims)}; expected ${dtype}[${most}] or a scalar`);
    }
    return [{ dtype: 'int32', dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference(n, inputs) {
    const [x, w, xZero, wZero] = inputs as [NDArray, NDArray, NDArray?, NDArray?];
    const { channels, taps } = shapeOf(n);
    const less = (t: NDArray, zero: NDArray | undefined, step: number) =>
      ndarray(
        'int32',
        t.dims,
        Array.from(t.data, (v, i) => v - (zero ? (zero.data[Math.floor(i / step) % zero.data.length] as number) : 0)),
      );
    return convReference(asConv(n), [less(x, xZero, 1), less(w, wZero, channels * taps)]);
  },
  kernels: integerKernels((n: ConvNode) => ({ shape: shapeOf(n), x: 0, w: 1, xZero: 2, wZero: 3 }), {
    of: () => 1,
    lanes: 'same',
  }),
});

const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255] }) as const;
const signed = (...dims: number[]) => ({ dtype: 'int8', dims, range: [-128, 127] }) as const;
const fixed = <T extends object>(input: T) => ({ ...input, constant: true });
const same = { pads: [1, 1, 1, 1] };

export const cases: OpCase[] = [
  { name: 'no zero points', inputs: [signed(1, 3, 6, 6), signed(5, 3, 3, 3)] },
  {
    name: 'padded with the zero point',
    inputs: [bytes(2, 5, 7, 9), bytes(11, 5, 3, 3), bytes(), bytes()],
    attributes: same,
  },
  {
    name: 'constant weights, a zero point an output, two groups',
    inputs: [bytes(1, 6, 9, 8), fixed(signed(10, 3, 3, 2)), bytes(1), fixed(signed(10))],
    attributes: { group: 2, strides: [2, 1], pads: [0, 1, 1, 2], dilations: [1, 2] },
  },
  { name: 'depthwise', inputs: [bytes(1, 5, 8, 12), signed(5, 1, 3, 3), bytes()], attributes: { ...same, group: 5 } },
  { name: 'pointwise', inputs: [bytes(2, 33, 7, 7), signed(19, 33, 1, 1), bytes(), signed(19)] },
  {
    name: 'one axis',
    inputs: [signed(2, 5, 128), signed(7, 5, 4), signed()],
    attributes: { pads: [2, 1], strides: [3] },
  },
  {
    name: 'three axes',
    inputs: [bytes(2, 3, 5, 6, 7), signed(5, 3, 3, 2, 3), bytes(), signed()],
    attributes: { pads: [1, 0, 1, 1, 1, 1], strides: [2, 1, 2] },
  },
];
