// Gemm: alpha * op(A) · op(B) + beta * C for matrices, with C broadcast to the product. It comes down to
// lepton.MatMul and an addition, which fuses into the product's kernel.

import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { broadcastDims, broadcastStrides, forEachIndex, formatDims, sameDims } from '../base/shape';
import { float, int } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { productOf } from './matmul/problem';
import { matmulReference } from './matmul/reference';

export default defineOp({
  name: 'Gemm',
  attributes: { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) },
  infer(n) {
    if (n.input(0).dims.length !== 2 || n.input(1).dims.length !== 2)
      n.fail('multiplies operands that are not matrices');
    const { dims } = productOf(n);
    const c = n.inputs[2];
    if (c) {
      const common = broadcastDims(c.dims, dims);
      if (!common || !sameDims(common, dims)) n.fail(`has a C that does not broadcast to ${formatDims(dims)}`);
      if (c.dtype !== n.input(0).dtype) n.fail(`adds a C of type ${c.dtype} to a product of type ${n.input(0).dtype}`);
    }
    return [{ dtype: n.input(0).dtype, dims }];
  },
  reference(n, inputs) {
    const [product] = matmulReference(n, inputs) as [NDArray];
    const c = inputs[2];
    if (!c) return [product];
    const out = ndarray(product.dtype, product.dims, product.data);
    const steps = broadcastStrides(c.dims, out.dims);
    forEachIndex(out.dims, (at, flat) => {
      const from = at.reduce((sum, i, d) => sum + i * (steps[d] as number), 0);
      out.data[flat] = (product.data[flat] as number) + n.attributes.beta * (c.data[from] as number);
    });
    return [out];
  },
  lower(n, b) {
    const { alpha, beta, transA, transB } = n.attributes;
    const [a, w, c] = n.node.inputs as [string, string, string?];
    const product = b.add('lepton.MatMul', [a, w], { alpha, transA, transB });
    if (!n.has(2) || beta === 0) return product;
    const scaled = beta === 1 ? [c as string] : b.add('Mul', [c as string, b.constant(scalar(n.input(0).dtype, beta))]);
    return b.add('Add', [...product, ...scaled]);
  },
});

export const cases: OpCase[] = [
  {
    name: 'linear layer: weights by output',
    inputs: [{ dims: [1, 130] }, { dims: [33, 130], constant: true }, { dims: [33], constant: true }],
    attributes: { transB: 1 },
  },
  {
    name: 'alpha, beta, both transposed, full C',
    inputs: [{ dims: [18, 6] }, { dims: [11, 18] }, { dims: [6, 11] }],
    attributes: { alpha: 0.5, beta: -2, transA: 1, transB: 1 },
  },
  { name: 'C a row each', inputs: [{ dims: [6, 8] }, { dims: [8, 12] }, { dims: [6, 1] }], attributes: { beta: 3 } },
  {
    name: 'int64',
    inputs: [
      { dtype: 'int64', dims: [5, 7] },
      { dtype: 'int64', dims: [9, 7] },
      { dtype: 'int64', dims: [9] },
    ],
    attributes: { transB: 1 },
  },
  { name: 'scalar C', inputs: [{ dims: [2, 3] }, { dims: [3, 4] }, { dims: [] }] },
  {
    name: 'float16',
    inputs: [
      { dtype: 'float16', dims: [4, 24] },
      { dtype: 'float16', dims: [24, 6] },
      { dtype: 'float16', dims: [6] },
    ],
  },
];
