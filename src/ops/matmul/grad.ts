// The gradients of a matrix product are two more: with Y = alpha · op(A) · op(B), dA = alpha · dY · op(B)ᵀ and
// dB = alpha · op(A)ᵀ · dY, each transposed where its operand is.

import { sizeOf } from '../../base/shape';
import type { LowerBuilder } from '../../ir/opdef';
import { reshape, sumTo } from '../gradient';
import type { MatMulNode } from './problem';

export function matmulGrad(n: MatMulNode, b: LowerBuilder, [given]: readonly (string | undefined)[]) {
  if (given === undefined) return [];
  const { alpha, transA, transB } = n.attributes;
  const [a, c] = [n.input(0).dims, n.input(1).dims];
  // A vector stands for a matrix of one row, or of one column.
  let left = a.length === 1 ? [1, ...a] : [...a];
  const right = c.length === 1 ? [...c, 1] : [...c];
  const rows = left.at(transA ? -1 : -2) as number;
  const columns = right.at(transB ? -2 : -1) as number;
  let out = [...b.type(given).dims.slice(0, Math.max(left.length, right.length) - 2), rows, columns];
  // One matrix for all of a batch: the batch is more rows of one product.
  if (right.length === 2 && left.length > 2 && !transA) {
    left = [sizeOf(left.slice(0, -1)), left.at(-1) as number];
    out = [left[0] as number, columns];
  }
  const [x, w] = [reshape(b, n.node.inputs[0] as string, left), reshape(b, n.node.inputs[1] as string, right)];
  const y = reshape(b, given, out);
  const product = (p: string, q: string, transP: boolean, transQ: boolean) =>
    b.add('lepton.MatMul', [p, q], { alpha, transA: Number(transP), transB: Number(transQ) })[0] as string;
  const forA = transA ? product(w, y, transB !== 0, true) : product(y, w, false, transB === 0);
  const forB = transB ? product(y, x, true, transA !== 0) : product(x, y, transA === 0, false);
  return [reshape(b, sumTo(b, forA, left), a), reshape(b, sumTo(b, forB, right), c)];
}
