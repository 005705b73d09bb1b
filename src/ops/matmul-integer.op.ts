// MatMulInteger: the product of 8-bit matrices, less their zero points, with sums in int32. Inputs: A, B, zero
// point of A (one, or one a row), zero point of B (one, or one a column).

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { broadcastDims } from '../base/shape';
import { defineOp, type OpCase } from '../ir/opdef';
import { integerDotKernels } from './integer/dot4-matmul';
import { integerKernels } from './integer/kernels';
import { asMatMul, integerMatmulDims, integerProduct, needsExpansion } from './integer/matmul';
import { matmulReference } from './matmul/reference';

/** Operand less its zero point, which belongs to element `i` by `place(i)`. */
function centred(x: NDArray, zero: NDArray | undefined, place: (i: number) => number): NDArray {
  const out = ndarray('int32', x.dims, x.data);
  if (zero) {
    out.data.forEach((v, i) => {
      out.data[i] = v - (zero.data[place(i) % zero.data.length] as number);
    });
  }
  return out;
}

export default defineOp({
  name: 'MatMulInteger',
  attributes: {},
  infer: (n) => [{ dtype: 'int32', dims: integerMatmulDims(n) }],
  reference(n, inputs) {
    const [a, b, aZero, bZero] = inputs as [NDArray, NDArray, NDArray?, NDArray?];
    const k = a.dims.at(-1) as number;
    const columns = b.dims.length > 1 ? (b.dims.at(-1) as number) : 1;
    const matrix = k * columns;
    return matmulReference(asMatMul(n), [
      centred(a, aZero, (i) => Math.floor(i / k)),
      centred(b, bZero, (i) => Math.floor(i / matrix) * columns + (i % columns)),
    ]);
  },
  lower(n, b) {
    if (!needsExpansion(n)) return undefined;
    const operands = [n.input(0).dims, n.input(1).dims];
    const batch = broadcastDims(...operands.map((dims) => dims.slice(0, -2))) as number[];
    const expanded = operands.map((dims, i) => {
      const shape = b.constant(int64s([...batch, ...dims.slice(-2)]));
      return b.add('Expand', [n.node.inputs[i] as string, shape])[0] as string;
    });
    return b.add('MatMulInteger', [...expanded, ...n.node.inputs.slice(2)]);
  },
  kernels: [
    ...integerKernels(integerProduct, { of: (n) => n.output(0).dims.length - 1, lanes: 'step' }),
    ...integerDotKernels,
  ],
});

const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255] }) as const;
const signed = (...dims: number[]) => ({ dtype: 'int8', dims, range: [-128, 127] }) as const;
const fixed = <T extends object>(input: T) => ({ ...input, constant: true });

export const cases: OpCase[] = [
  { name: 'no zero points', inputs: [signed(5, 7), signed(7, 9)] },
  { name: 'inner size zero', inputs: [bytes(3, 0), bytes(0, 5), bytes()] },
  { name: 'more than a round of sums', inputs: [bytes(2, 1032), bytes(1032, 4), bytes(), bytes()] },
  { name: 'unsigned, scalar zero points', inputs: [bytes(17, 33), bytes(33, 20), bytes(), bytes(1)] },
  { name: 'unsigned by signed, constant', inputs: [bytes(4, 129), fixed(signed(129, 127)), bytes(), fixed(signed())] },
  { name: 'a zero point a row and a column', inputs: [signed(6, 12), bytes(12, 5), signed(6), bytes(5)] },
  { name: 'a row', inputs: [bytes(1, 256), fixed(signed(256, 36)), bytes(1), signed(36)] },
  {
    name: 'a row, columns of unsigned bytes',
    inputs: [bytes(1, 131), fixed(bytes(131, 70)), bytes(), fixed(bytes(70))],
  },
  { name: 'rows, whole chunks', inputs: [signed(2, 19, 80), fixed(signed(80, 36)), signed(19)] },
  { name: 'rows, no zero points of unsigned bytes', inputs: [bytes(5, 34), fixed(bytes(34, 33))] },
  { name: 'vectors', inputs: [signed(13), signed(13), signed()] },
  { name: 'batch by shared matrix', inputs: [bytes(2, 3, 5, 8), bytes(8, 12), bytes(5), bytes(12)] },
  { name: 'shared matrix by batch', inputs: [bytes(5, 8), bytes(3, 8, 11), bytes(5), bytes(3, 1, 11)] },
  { name: 'batch by batch', inputs: [bytes(3, 5, 6), signed(3, 6, 7), bytes(3, 5, 1), signed(3, 1, 7)] },
  { name: 'batches broadcast both ways', inputs: [bytes(2, 1, 5, 6), signed(3, 6, 7), bytes(), signed()] },
];
