// QLinearConv: convolution of 8-bit integers, quantised again. Inputs: x, its scale and zero point, weights, their
// scale and zero point (one, or one an output channel), scale and zero point of the result, optional int32 bias
// in units of the products of both scales. Comes down to ConvInteger and element-wise steps.

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { type ConvAttributes, type ConvNode, convAttributes } from './conv/shape';
import convInteger from './conv-integer.op';
import { quantizer } from './quantize/element';
import { requantize, reshaped, scaleFactor } from './quantize/requantize';

/** The node with the inputs that ConvInteger has. */
function integerConv(n: ConvNode): ConvNode {
  const [x, , xZero, w, , wZero] = n.inputs;
  return new NodeView<ConvAttributes>(n.node, n.attributes, [x, w, xZero, wZero]);
}

function outputDims(n: ConvNode): readonly number[] {
  const [sums] = convInteger.infer(integerConv(n));
  const dims = sums?.dims ?? [];
  const outputs = dims[1] as number;
  for (const i of [1, 6, 7]) {
    if (sizeOf(n.input(i).dims) !== 1) n.fail(`has an input ${i} of shape ${formatDims(n.input(i).dims)}; expected []`);
  }
  const scales = sizeOf(n.input(4).dims);
  if (scales !== 1 && scales !== outputs) n.fail(`has ${scales} scales of the weights for ${outputs} outputs`);
  const bias = n.inputs[8];
  if (bias && (bias.dtype !== 'int32' || sizeOf(bias.dims) !== outputs))
    n.fail(`has a bias ${bias.dtype}${formatDims(bias.dims)}; expected int32[${outputs}]`);
  return dims;
}

export default defineOp({
  name: 'QLinearConv',
  attributes: convAttributes,
  infer: (n) => [{ dtype: n.input(7).dtype, dims: outputDims(n) }],
  reference(n, inputs) {
    const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = inputs as NDArray[];
    const [sums] = convInteger.reference(integerConv(n), [x, w, xZero, wZero]) as [NDArray];
    const y = ndarray(n.input(7).dtype, sums.dims);
    const quantize = quantizer(y.dtype);
    const [of, outputs] = [(p: NDArray | undefined, i = 0) => p?.data[i % p.data.length] ?? 0, y.dims[1] as number];
    const pixels = sizeOf(y.dims.slice(2));
    sums.data.forEach((sum, i) => {
      const output = Math.floor(i / pixels) % outputs;
      const factor = Math.fround(Math.fround(of(xScale) * of(wScale, output)) / of(yScale));
      y.data[i] = quantize(Math.fround(sum + of(bias, output)) * factor, 1, of(yZero));
    });
    return [y];
  },
  lower(n, b) {
    const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = n.node.inputs as string[];
    const dims = outputDims(n);
    const ones = dims.slice(2).map(() => 1);
    const eachOutput = (name = '') => {
      const size = sizeOf(b.type(name).dims);
      return reshaped(b, name, size === 1 ? [] : [size, ...ones]);
    };
    const factor = scaleFactor(b, eachOutput(xScale), eachOutput(wScale), eachOutput(yScale));
    const [zero, addend] = [eachOutput(yZero), n.has(8) ? eachOutput(bias) : undefined];
    let sums = b.add('ConvInteger', [x, w, xZero, wZero] as string[], { ...n.node.attributes });
    if (addend) sums = b.add('Add', [...sums, addend]);
    return [requantize(b, sums[0] as string, factor, zero, n.input(7).dtype)];
  },
});

const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255] }) as const;
const signed = (...dims: number[]) => ({ dtype: 'int8', dims, range: [-128, 127] }) as const;
const scale = (...dims: number[]) => ({ dims, range: [0.01, 0.02], constant: true }) as const;
const coarse = { dims: [], range: [0.3, 0.4], constant: true } as const;

export const cases: OpCase[] = [
  {
    name: 'scalars',
    inputs: [bytes(1, 3, 7, 7), scale(), bytes(), bytes(5, 3, 3, 3), scale(1), bytes(1), coarse, bytes()],
    attributes: { pads: [1, 1, 1, 1] },
  },
  {
    name: 'a scale an output, bias, groups',
    inputs: [
      ...[bytes(2, 6, 8, 9), scale(), bytes(), { ...signed(10, 3, 3, 3), constant: true }, scale(10), signed(10)],
      ...[coarse, bytes(), { dtype: 'int32', dims: [10], range: [-9999, 9999], constant: true }],
    ] as OpCase['inputs'],
    attributes: { group: 2, strides: [2, 2] },
  },
  {
    name: 'in one kernel',
    inputs: [
      ...[bytes(2, 5, 6, 6), scale(), bytes(), { ...signed(7, 5, 3, 3), constant: true }, scale(7), signed(7)],
      ...[coarse, bytes(), { dtype: 'int32', dims: [7], range: [-9999, 9999], constant: true }],
    ] as OpCase['inputs'],
    attributes: { pads: [1, 1, 1, 1] },
  },
  {
    name: 'one axis, int8',
    inputs: [signed(1, 4, 21), scale(), signed(), signed(3, 4, 5), scale(3), signed(3), coarse, signed()],
  },
];
