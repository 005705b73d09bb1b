// com.microsoft.MatMulNBits: floats times weights that were quantised to 2, 4 or 8 bits in blocks along k. Inputs:
// A [rows…, K], B uint8 [N, blocks, bytes of a block], scales [N, blocks], optional zero points (packed, or of A's
// type), optional g_idx [K] (the block whose scale each k has), optional bias [N].
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
//
// lepton.MatMulNBits, which has the kernels: the same with the first four inputs alone, in blocks of any whole number of
// chunks; lepton.PackBits makes its weights and zero points of a matrix of small integers.

import type { DType } from '../base/dtype';
import { int64s, ndarray, scalar } from '../base/ndarray';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { addAt, Formula, reshape, sumTo } from './gradient';
import { nbitsKernels } from './nbits/kernels';
import { packBits } from './nbits/pack-bits';
import { internalName, type NBitsNode, nbitsAttributes, nbitsProblem } from './nbits/problem';
import { nbitsReference } from './nbits/reference';
import { cast, reshaped } from './quantize/requantize';
import { sparseByteCases } from './sparse/byte-cases';

/** Adds nodes that take bytes [n, bytes] apart into numbers [n, count]. */
function unpacked(b: LowerBuilder, bytes: string, bits: number, n: number, count: number): string {
  const one = (op: string, inputs: string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const own = (b.type(bytes).dims.reduce((size, d) => size * d, 1) / n) * (8 / bits);
  const shifts = Array.from({ length: 8 / bits }, (_, i) => i * bits);
  const columns = reshaped(b, bytes, [n, (own * bits) / 8, 1]);
  const shifted = one('BitShift', [columns, b.constant(ndarray('uint8', [shifts.length], shifts))], {
    direction: 'RIGHT',
  });
  const masked = one('BitwiseAnd', [shifted, b.constant(scalar('uint8', 2 ** bits - 1))]);
  const flat = reshaped(b, masked, [n, own]);
  if (own === count) return flat;
  return one('Slice', [flat, ...[[0], [count], [1]].map((v) => b.constant(int64s(v)))]);
}

/** The block of each k. */
function placesOf(n: NBitsNode, b: LowerBuilder): string {
  const { k, blockSize } = nbitsProblem(n);
  if (!n.has(4)) return b.constant(int64s(Array.from({ length: k }, (_, i) => Math.floor(i / blockSize))));
  const picks = reshaped(b, n.node.inputs[4] as string, n.input(4).dims.slice(0, 1));
  if (n.input(4).dims[0] === k) return picks;
  return b.add('Slice', [picks, ...[[0], [k]].map((v) => b.constant(int64s(v)))])[0] as string;
}

/** Weights [n, k]: the numbers less their zero points, and the scale of each. */
function dequantised(n: NBitsNode, b: LowerBuilder, places: string): { numbers: string; scales: string } {
  const p = nbitsProblem(n);
  const [, weights, scales, zeros] = n.node.inputs as string[];
  const one = (op: string, inputs: string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const each = (name: string) => one('Gather', [reshaped(b, name, [p.n, p.blocks]), places], { axis: 1 });
  const zero =
    p.zeros === 'none'
      ? b.constant(scalar(p.dtype, 2 ** (p.bits - 1)))
      : each(
          p.zeros === 'float'
            ? (zeros as string)
            : cast(b, unpacked(b, zeros as string, p.bits, p.n, p.blocks), p.dtype),
        );
  const numbers = cast(b, unpacked(b, weights as string, p.bits, p.n, p.k), p.dtype);
  return { numbers: one('Sub', [numbers, zero]), scales: each(scales as string) };
}

/** With a g_idx, which only old exporters write: weights dequantised in memory, then an ordinary product. */
function withGroups(n: NBitsNode, b: LowerBuilder): string {
  const { numbers, scales } = dequantised(n, b, placesOf(n, b));
  const weights = b.add('Mul', [numbers, scales]);
  return b.add('lepton.MatMul', [n.node.inputs[0] as string, ...weights], { transB: 1 })[0] as string;
}

/** Of A, and of scales, zero points and bias where those are floats; the weights stay as they are. */
function nbitsGrad(n: NBitsNode, b: LowerBuilder, gradient: string): (string | undefined)[] {
  const p = nbitsProblem(n);
  const f = new Formula(b, p.dtype);
  const places = placesOf(n, b);
  const { numbers, scales } = dequantised(n, b, places);
  const ofA = f.node('lepton.MatMul', [gradient, f.mul(numbers, scales)]);
  const [rows, a] = [reshape(b, gradient, [p.m, p.n]), reshape(b, n.node.inputs[0] as string, [p.m, p.k])];
  const ofWeights = f.node('lepton.MatMul', [rows, a], { transA: 1 });
  const byBlock = (value: string, i: number) => reshape(b, addAt(b, value, places, 1, p.blocks), n.input(i).dims);
  const ofScales = byBlock(f.mul(ofWeights, numbers), 2);
  const ofZeros = p.zeros === 'float' ? byBlock(f.neg(f.mul(ofWeights, scales)), 3) : undefined;
  const ofBias = n.has(5) ? reshape(b, sumTo(b, rows, [1, p.n]), n.input(5).dims) : undefined;
  return [ofA, undefined, ofScales, ofZeros, undefined, ofBias];
}

const product = {
  attributes: nbitsAttributes,
  infer(n: NBitsNode) {
    const { dtype, dims } = nbitsProblem(n);
    return [{ dtype, dims }];
  },
  reference: nbitsReference,
  grad: (n: NBitsNode, b: LowerBuilder, [gradient]: readonly (string | undefined)[]) =>
    gradient === undefined ? [] : nbitsGrad(n, b, gradient),
};

const general = defineOp({
  ...product,
  name: 'com.microsoft.MatMulNBits',
  lower(n, b) {
    const { K, N, bits, block_size, accuracy_level } = n.attributes;
    const inputs = n.node.inputs.slice(0, 4);
    const result = n.has(4)
      ? withGroups(n, b)
      : b.add(internalName, inputs, { K, N, bits, block_size, accuracy_level })[0];
    if (!n.has(5)) return [result as string];
    return b.add('Add', [result as string, reshaped(b, n.node.inputs[5] as string, [N])]);
  },
});

export default [general, defineOp({ ...product, name: internalName, kernels: nbitsKernels }), packBits];

interface Sizes {
  readonly a: readonly number[];
  readonly n: number;
  readonly bits?: number;
  readonly block?: number;
  readonly zeros?: 'packed' | 'float';
  readonly groups?: boolean;
  readonly bias?: boolean;
  readonly dtype?: 'float16';
  readonly level?: number;
}

function nbits(name: string, { a, n, bits = 4, block = 32, zeros, groups, bias, dtype, level }: Sizes): OpCase {
  const k = a.at(-1) as number;
  const blocks = Math.ceil(k / block);
  const type = dtype ? { dtype } : {};
  const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255], constant: true }) as const;
  const zeroInput =
    zeros === 'packed'
      ? bytes(n, Math.ceil((blocks * bits) / 8))
      : zeros && { ...type, dims: [n, blocks], range: [5, 9] as const };
  return {
    name,
    inputs: [
      { ...type, dims: a },
      bytes(n, blocks, (block * bits) / 8),
      { ...type, dims: [n, blocks], range: [0.01, 0.1], constant: true },
      zeroInput,
      groups ? { dtype: 'int32', dims: [k], range: [0, blocks - 1], constant: true } : undefined,
      bias ? { ...type, dims: [n] } : undefined,
    ],
    attributes: { K: k, N: n, bits, block_size: block, ...(level && { accuracy_level: level }) },
    // Rows of int8 are off by up to a 254th of the largest of their numbers.
    tolerance: level ? 5e-2 : dtype ? 4e-3 : 2e-5,
  };
}

const generalCases: OpCase[] = [
  nbits('a row', { a: [1, 256], n: 36 }),
  nbits('a row, packed zero points, bias', { a: [1, 1, 96], n: 129, zeros: 'packed', bias: true }),
  nbits('rows, float zero points', { a: [2, 3, 128], n: 35, block: 64, zeros: 'float' }),
  nbits('many rows, blocks of 16', { a: [37, 64], n: 70, block: 16, zeros: 'packed' }),
  nbits('k cut short', { a: [5, 52], n: 12 }),
  nbits('k ragged', { a: [3, 33], n: 7, block: 16, zeros: 'packed' }),
  nbits('8 bits', { a: [3, 80], n: 20, bits: 8, block: 16, zeros: 'packed' }),
  nbits('2 bits', { a: [1, 160], n: 20, bits: 2, zeros: 'packed' }),
  nbits('one block of 256', { a: [1, 256], n: 8, block: 256 }),
  nbits('groups', { a: [2, 64], n: 6, block: 16, groups: true }),
  nbits('groups, zero points', { a: [3, 64], n: 10, block: 16, zeros: 'packed', groups: true }),
  nbits('float16', { a: [4, 64], n: 24, zeros: 'packed', dtype: 'float16' }),
  nbits('rows may be int8', { a: [2, 3, 149], n: 11, block: 64, zeros: 'packed', bias: true, level: 4 }),
];

/** What only the general form of the kernels' operator can say, and sizes at which kernels differ. */
const internalCases: OpCase[] = [
  nbits('8 bits, a block a column', { a: [1, 80], n: 37, bits: 8, block: 80 }),
  nbits('8 bits, a block a column, k ragged, zero points', { a: [1, 77], n: 66, bits: 8, block: 80, zeros: 'packed' }),
  nbits('8 bits, two weights, many rows', { a: [64, 2], n: 1, bits: 8, block: 16 }),
  nbits('8 bits, rows', { a: [19, 77], n: 35, bits: 8, block: 80, zeros: 'packed' }),
  nbits('8 bits, blocks of 48, float zero points', { a: [5, 100], n: 21, bits: 8, block: 48, zeros: 'float' }),
  nbits('4 bits, blocks of 48, k ragged', { a: [1, 101], n: 130, block: 48, zeros: 'packed' }),
  nbits('4 bits, blocks of 128, many columns', { a: [1, 300], n: 261, block: 128 }),
  nbits('4 bits, blocks of 64, rows', { a: [33, 200], n: 68, block: 64, zeros: 'float' }),
  nbits('8 bits, float16', { a: [1, 70], n: 20, bits: 8, block: 80, zeros: 'packed', dtype: 'float16' }),
  nbits('8 bits, float16, rows', { a: [6, 70], n: 21, bits: 8, block: 80, dtype: 'float16' }),
  nbits('a row that may be int8, 8 bits, k ragged', { a: [1, 301], n: 67, bits: 8, block: 304, level: 4 }),
  nbits('rows that may be int8', { a: [41, 200], n: 69, bits: 8, block: 64, zeros: 'float', level: 4 }),
  nbits('rows that may be int8, 2 bits, float16', { a: [5, 100], n: 36, bits: 2, dtype: 'float16', level: 4 }),
];

const matrix = (dtype: DType, dims: number[], range: readonly [number, number]) => ({ dtype, dims, range });
const packCases: OpCase[] = [
  { name: 'int8 by columns', inputs: [matrix('int8', [5, 33], [-128, 127])], attributes: { transposed: 1, bytes: 16 } },
  { name: 'uint8, cut in words', inputs: [matrix('uint8', [7, 3], [0, 255])], attributes: { transposed: 0, bytes: 3 } },
  { name: 'int4 by columns', inputs: [matrix('int4', [37, 5], [-8, 7])], attributes: { transposed: 1, bytes: 24 } },
  { name: 'uint4, an odd number', inputs: [matrix('uint4', [6, 5], [0, 15])], attributes: { transposed: 0, bytes: 3 } },
];

export const cases: Record<string, OpCase[]> = {
  'com.microsoft.MatMulNBits': generalCases,
  [internalName]: [...internalCases, ...sparseByteCases],
  'lepton.PackBits': packCases,
};
