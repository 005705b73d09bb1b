// A product of 8-bit matrices as the integer kernels see it: rows of A are outputs of a convolution with one tap,
// columns of B are its pixels, k its channels. Inputs: A, B, zero point of A (one, or one a row), zero point of B
// (one, or one a column).

import type { DType } from '../../base/dtype';
import { formatDims, sameDims, sizeOf } from '../../base/shape';
import { NodeView } from '../../ir/node-view';
import type { ConvShape } from '../conv/shape';
import { productOf } from '../matmul/problem';
import type { IntegerProduct } from './pack';

export const isByte = (dtype: DType) => dtype === 'int8' || dtype === 'uint8';

/** The node as a MatMul of one type, whatever its operands are; the type is that of sums. */
export function asMatMul(n: NodeView): NodeView<{ transA: number; transB: number; alpha: number }> {
  const operands = n.inputs.slice(0, 2).map((t) => t && { ...t, dtype: 'int32' as const });
  return new NodeView(n.node, { transA: 0, transB: 0, alpha: 1 }, operands, n.outputs);
}

/** Dimensions of the product. Throws INVALID_MODEL where operands or zero points do not fit. */
export function integerMatmulDims(n: NodeView): number[] {
  for (const i of [0, 1]) {
    const { dtype } = n.input(i);
    if (!isByte(dtype)) n.fail(`multiplies ${dtype}; expected int8 or uint8`);
    const zero = n.inputs[i + 2];
    if (zero && zero.dtype !== dtype) n.fail(`has a zero point of type ${zero.dtype} for an operand of type ${dtype}`);
  }
  const { dims, problem } = productOf(asMatMul(n));
  const fits = (i: number, own: number) => {
    const zero = n.inputs[i];
    if (!zero) return;
    const { dims: operand } = n.input(i - 2);
    const size = sizeOf(zero.dims);
    const batched = own * sizeOf(operand.slice(0, -2));
    if (size !== 1 && size !== own && size !== batched)
      n.fail(`has a zero point of shape ${formatDims(zero.dims)} for an operand of shape ${formatDims(operand)}`);
  };
  fits(2, problem.m);
  fits(3, problem.n);
  return dims;
}

/** Whether batches broadcast both ways, so that one operand must be expanded first. */
export function needsExpansion(n: NodeView): boolean {
  const [a, b] = batches(n);
  return sizeOf(a) !== 1 && sizeOf(b) !== 1 && !sameDims(a, b);
}

/** Batch dimensions of the operands, leading ones of size 1 left out. */
function batches(n: NodeView): [number[], number[]] {
  const own = (i: number) => {
    const dims = n.input(i).dims.slice(0, -2);
    const first = dims.findIndex((d) => d !== 1);
    return first < 0 ? [] : dims.slice(first);
  };
  return [own(0), own(1)];
}

export function integerProduct(n: NodeView): IntegerProduct {
  const { problem } = productOf(asMatMul(n));
  const [a, b] = batches(n).map(sizeOf) as [number, number];
  const { m, n: columns, k } = problem;
  // One B serves all rows of all matrices of A; one A is the weights of all images; else each has its own.
  const [batch, groups, groupOut] = b === 1 ? [1, 1, a * m] : a === 1 ? [b, 1, m] : [1, b, m];
  const line = (size: number) => [1, 1, size];
  const shape: ConvShape = {
    batch,
    groups,
    channels: k,
    groupOut,
    window: {
      rank: 1,
      input: line(columns),
      kernel: line(1),
      strides: line(1),
      dilations: line(1),
      begins: [0, 0, 0],
      ends: [0, 0, 0],
      output: line(columns),
    },
    taps: 1,
    inputStep: columns,
    outputStep: columns,
    pixels: columns,
    planes: batch,
  };
  return { shape, x: 1, w: 0, xZero: 3, wZero: 2 };
}
