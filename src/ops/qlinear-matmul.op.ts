// QLinearMatMul: the product of quantised matrices, quantised again. Inputs: a, its scale and zero point (one, or
// one a row), b, its scale and zero point (one, or one a column), the result's scale and zero point. 8-bit integers
// are summed exactly; 8-bit floats are multiplied as float32.

import { type DType, isSmallFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { broadcastDims, broadcastStrides, type Dims, forEachIndex, formatDims, sameDims, sizeOf } from '../base/shape';
import { NodeView } from '../ir/node-view';
import { type CaseInput, defineOp, type OpCase } from '../ir/opdef';
import { asMatMul, integerMatmulDims, isByte } from './integer/matmul';
import { productOf } from './matmul/problem';
import { matmulReference } from './matmul/reference';
import { integerRange, quantizer } from './quantize/element';
import { cast, requantize, reshaped, scaleFactor } from './quantize/requantize';

/** The node with the inputs that MatMulInteger has. */
function operands(n: NodeView): NodeView {
  const [a, , aZero, b, , bZero] = n.inputs;
  return new NodeView(n.node, {}, [a, b, aZero, bZero]);
}

function dimsOf(n: NodeView): number[] {
  const own = operands(n);
  const bytes = isByte(n.input(0).dtype);
  if (!bytes && !isSmallFloat(n.input(0).dtype)) n.fail('multiplies neither 8-bit integers nor 8-bit floats');
  const dims = bytes ? integerMatmulDims(own) : productOf(asMatMul(own)).dims;
  for (const i of [1, 2, 4, 5, 6, 7]) {
    const shape = parameterDims(n, i, dims.length > 0 && n.input(3).dims.length > 1);
    const common = broadcastDims(shape, dims);
    if (!common || !sameDims(common, dims))
      n.fail(`has a scale or zero point of shape ${formatDims(shape)} (input ${i}) for a result ${formatDims(dims)}`);
  }
  return dims;
}

/** The shape in which the parameters of input `i` broadcast: to a matrix, or to a result that is its only column. */
function parameterDims(n: NodeView, i: number, matrix: boolean): Dims {
  const { dims } = n.input(i);
  if (sizeOf(dims) === 1) return [];
  const isColumn = i === 4 || i === 5;
  return matrix && !isColumn && dims.length === 1 ? [...dims, 1] : dims;
}

/** For every element of `dims` the parameter that broadcasting gives it. */
function spread({ data }: NDArray, shape: Dims, dims: Dims): Float64Array {
  const out = new Float64Array(sizeOf(dims));
  const steps = broadcastStrides(shape, dims);
  forEachIndex(dims, (at, flat) => {
    out[flat] = data[at.reduce((sum, i, d) => sum + i * (steps[d] as number), 0)] as number;
  });
  return out;
}

const resultType = (n: NodeView): DType => n.input(7).dtype;

export default defineOp({
  name: 'QLinearMatMul',
  attributes: {},
  infer: (n) => [{ dtype: resultType(n), dims: dimsOf(n) }],
  reference(n, inputs) {
    const dims = dimsOf(n);
    const operand = (i: number): NDArray => {
      const [x, zero] = [inputs[i], inputs[i + 2]] as [NDArray, NDArray];
      const zeros = spread(zero, parameterDims(n, i + 2, true), x.dims);
      return ndarray(
        'float64',
        x.dims,
        Array.from(x.data, (v, at) => v - (zeros[at] as number)),
      );
    };
    const over = (i: number) => spread(inputs[i] as NDArray, parameterDims(n, i, n.input(3).dims.length > 1), dims);
    const [left, right, result, zeros] = [over(1), over(4), over(6), over(7)];
    const [sums] = matmulReference(asMatMul(operands(n)), [operand(0), operand(3)]) as [NDArray];
    const quantize = quantizer(resultType(n));
    const y = ndarray(resultType(n), dims);
    sums.data.forEach((sum, i) => {
      const factor = Math.fround(Math.fround((left[i] as number) * (right[i] as number)) / (result[i] as number));
      y.data[i] = quantize(Math.fround(sum) * factor, 1, zeros[i] as number);
    });
    return [y];
  },
  lower(n, b) {
    const [a, , aZero, w, , bZero] = n.node.inputs as [string, string, string, string, string, string];
    const over = (i: number) =>
      reshaped(b, n.node.inputs[i] as string, parameterDims(n, i, n.input(3).dims.length > 1));
    const factor = scaleFactor(b, over(1), over(4), over(6));
    const zero = over(7);
    const [sums] = isByte(n.input(0).dtype)
      ? b.add('MatMulInteger', [a, w, aZero, bZero])
      : b.add('MatMul', [cast(b, a, 'float32'), cast(b, w, 'float32')]);
    return [requantize(b, sums as string, factor, zero, resultType(n))];
  },
});

const operand = (dtype: DType, ...dims: number[]): CaseInput => ({
  dtype,
  dims,
  range: isByte(dtype) ? integerRange(dtype) : [-2, 2],
});
/** Zero points of floats, which are 0. */
const small = (...dims: number[]): CaseInput => ({ dtype: 'float8e4m3fn', dims, range: [0, 0] });
const scale = (...dims: number[]): CaseInput => ({ dims, range: [0.01, 0.02] });
const coarse: CaseInput = { dims: [], range: [0.5, 0.9] };

export const cases: OpCase[] = [
  {
    name: 'uint8, scalars',
    inputs: [
      ...[operand('uint8', 5, 33), scale(), operand('uint8')],
      ...[operand('uint8', 33, 7), scale(1), operand('uint8', 1), coarse, operand('uint8')],
    ],
  },
  {
    name: 'int8, rows and columns, batched',
    inputs: [
      ...[operand('int8', 2, 6, 12), scale(6), operand('int8', 6)],
      ...[operand('int8', 12, 5), scale(5), operand('int8', 5), coarse, operand('int8')],
    ],
  },
  {
    name: 'uint8 by int8, shapes of their own',
    inputs: [
      ...[operand('uint8', 2, 6, 12), scale(2, 6, 1), operand('uint8', 2, 6, 1)],
      ...[operand('int8', 2, 12, 5), scale(2, 1, 5), operand('int8', 2, 1, 5), coarse, operand('uint8')],
    ],
  },
  {
    name: 'in one kernel',
    inputs: [
      ...[operand('uint8', 2, 5, 12), scale(), operand('uint8')],
      ...[{ ...operand('int8', 12, 20), constant: true }, scale(20), operand('int8', 20), coarse, operand('uint8')],
    ],
  },
  {
    name: 'matrix by vector',
    inputs: [
      ...[operand('int8', 6, 12), scale(6), operand('int8', 6)],
      ...[operand('int8', 12), scale(), operand('int8'), coarse, operand('int8')],
    ],
  },
  {
    name: 'float8e4m3fn',
    inputs: [
      ...[operand('float8e4m3fn', 5, 9), scale(), small()],
      ...[operand('float8e4m3fn', 9, 6), scale(6), small(6)],
      ...[scale(), small()],
    ],
  },
];
