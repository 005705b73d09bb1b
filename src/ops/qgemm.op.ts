// com.microsoft.QGemm: alpha * op(A) · op(B) + C of quantised matrices. Inputs: A, its scale and zero point, B, its
// scale and zero point (one, or one a column), optional int32 C in units of both scales' product, optional scale
// and zero point of the result, without which it is of the scales' type.

import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { broadcastDims, broadcastStrides, forEachIndex, formatDims, sameDims, sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { isByte } from './integer/matmul';
import { productOf } from './matmul/problem';
import { matmulReference } from './matmul/reference';
import { quantizer } from './quantize/element';
import { cast, requantize, reshaped, scaleFactor } from './quantize/requantize';

type View = NodeView<{ alpha: number; transA: number; transB: number }>;

/** The node as a product of one type. */
function product(n: View) {
  const { transA, transB } = n.attributes;
  const operands = [0, 3].map((i) => ({ ...n.input(i), dtype: 'float64' as const }));
  return new NodeView(n.node, { transA, transB, alpha: 1 }, operands);
}

function dimsOf(n: View): number[] {
  if (![0, 3].every((i) => isByte(n.input(i).dtype) && n.input(i).dims.length === 2))
    n.fail('multiplies operands that are not matrices of 8-bit integers');
  const { dims } = productOf(product(n));
  const columns = dims[1] as number;
  [1, 2, 4, 5, 7, 8].forEach((i) => {
    const optional = i !== 1 && i !== 4;
    const size = sizeOf((optional ? n.inputs[i] : n.input(i))?.dims ?? []);
    if (size !== 1 && !(size === columns && (i === 4 || i === 5)))
      n.fail(`has an input ${i} of ${size} elements, for ${columns} columns`);
  });
  const c = n.inputs[6];
  const common = c && broadcastDims(c.dims, dims);
  if (c && (c.dtype !== 'int32' || !common || !sameDims(common, dims)))
    n.fail(`has a C ${c.dtype}${formatDims(c.dims)}; expected int32 that broadcasts to ${formatDims(dims)}`);
  return dims;
}

const resultType = (n: View) => (n.has(7) ? (n.inputs[8]?.dtype ?? n.input(0).dtype) : n.input(1).dtype);

export default defineOp({
  name: 'com.microsoft.QGemm',
  attributes: { alpha: float(1), transA: int(0), transB: int(0) },
  infer: (n) => [{ dtype: resultType(n), dims: dimsOf(n) }],
  reference(n, inputs) {
    const [a, aScale, aZero, b, bScale, bZero, c, yScale, yZero] = inputs as NDArray[];
    const dims = dimsOf(n);
    const columns = dims[1] as number;
    const at = (p: NDArray | undefined, i: number, absent: number) => p?.data[i % p.data.length] ?? absent;
    const less = (x: NDArray, zero: (i: number) => number) =>
      ndarray(
        'float64',
        x.dims,
        Array.from(x.data, (v, i) => v - zero(i)),
      );
    const k = (b as NDArray).data.length / columns;
    const column = (i: number) => (n.attributes.transB ? Math.floor(i / k) : i % columns);
    const [sums] = matmulReference(product(n), [
      less(a as NDArray, () => at(aZero, 0, 0)),
      less(b as NDArray, (i) => at(bZero, column(i), 0)),
    ]) as [NDArray];
    const y = ndarray(resultType(n), dims);
    const quantize = yScale ? quantizer(y.dtype) : (v: number) => v;
    const steps = c && broadcastStrides(c.dims, dims);
    forEachIndex(dims, (place, i) => {
      const from = steps ? place.reduce((sum, v, d) => sum + v * (steps[d] as number), 0) : 0;
      const total = (sums.data[i] as number) + (c ? (c.data[from] as number) : 0);
      const scale = Math.fround(n.attributes.alpha * at(aScale, 0, 1));
      const factor = Math.fround(Math.fround(scale * at(bScale, i, 1)) / at(yScale, 0, 1));
      y.data[i] = quantize(Math.fround(total) * factor, 1, at(yZero, 0, 0));
    });
    return [y];
  },
  lower(n, b) {
    const [a, aScale, aZero = '', w, bScale, bZero = '', c] = n.node.inputs as string[];
    const turned = (name: string, turn: number) =>
      turn ? (b.add('Transpose', [name], { perm: [1, 0] })[0] as string) : name;
    const single = (name: string) => (sizeOf(b.type(name).dims) === 1 ? reshaped(b, name, []) : name);
    const { alpha, transA, transB } = n.attributes;
    const operands = [turned(a as string, transA), turned(w as string, transB)];
    const one = cast(b, single(aScale as string), 'float32');
    const left = alpha === 1 ? one : (b.add('Mul', [one, b.constant(scalar('float32', alpha))])[0] as string);
    const right = cast(b, single(bScale as string), 'float32');
    const [result, zero] = [7, 8].map((i) => (n.has(i) ? single(n.node.inputs[i] as string) : undefined));
    const factor = result ? scaleFactor(b, left, right, result) : (b.add('Mul', [left, right])[0] as string);
    let sums = b.add('MatMulInteger', [...operands, aZero, bZero]);
    if (n.has(6)) sums = b.add('Add', [...sums, c as string]);
    if (!result) {
      const [y] = b.add('Mul', [cast(b, sums[0] as string, 'float32'), factor]);
      return [cast(b, y as string, resultType(n))];
    }
    return [requantize(b, sums[0] as string, factor, zero, resultType(n))];
  },
});

const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255] }) as const;
const signed = (...dims: number[]) => ({ dtype: 'int8', dims, range: [-128, 127], constant: true }) as const;
const scale = (...dims: number[]) => ({ dims, range: [0.01, 0.02] }) as const;
const sums = (...dims: number[]) => ({ dtype: 'int32', dims, range: [-9999, 9999] }) as const;

export const cases: OpCase[] = [
  {
    name: 'quantised, B turned',
    inputs: [
      ...[bytes(5, 12), scale(), bytes(), signed(9, 12), scale(9), signed(9)],
      ...[sums(9), { dims: [], range: [0.5, 0.6] as const }, bytes()],
    ],
    attributes: { transB: 1, alpha: 0.75 },
  },
  {
    name: 'float, A turned',
    inputs: [bytes(12, 5), scale(), bytes(), signed(12, 7), scale(), signed(), sums(5, 1)],
    attributes: { transA: 1 },
  },
];
