// MatMul: numpy's matmul for operands of any rank. It is lepton.MatMul without options; that one has the
// kernels, and Gemm and other products come down to it too.
//
// lepton.MatMul: alpha * op(A) · op(B), where op swaps the last two axes if transA (transB) is set.

import { float, int } from '../ir/attributes';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { matmulCases, productCases } from './matmul/cases';
import { matmulGrad } from './matmul/grad';
import { matmulKernels } from './matmul/kernels';
import { productOf } from './matmul/problem';
import { matmulReference } from './matmul/reference';

/** A MatMul node as the general product it is. */
const plain = (n: NodeView) => new NodeView(n.node, { transA: 0, transB: 0, alpha: 1 }, n.inputs, n.outputs);

const matmul = defineOp({
  name: 'MatMul',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: productOf(plain(n)).dims }],
  reference: (n, inputs) => matmulReference(plain(n), inputs),
  lower: (n, b) => b.add('lepton.MatMul', n.node.inputs),
});

const product = defineOp({
  name: 'lepton.MatMul',
  attributes: { transA: int(0), transB: int(0), alpha: float(1) },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: productOf(n).dims }],
  reference: matmulReference,
  kernels: matmulKernels,
  grad: matmulGrad,
});

export default [matmul, product];

export const cases: Record<string, OpCase[]> = { MatMul: matmulCases, 'lepton.MatMul': productCases };
