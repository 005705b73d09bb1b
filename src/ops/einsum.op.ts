// Einsum: sums of products over labelled axes, with diagonals, ellipses, implied results and any number of
// operands. It comes down to transpositions, matrix products and sums.

import { type DType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { forEachIndex, sizeOf, stridesOf } from '../base/shape';
import { required } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { equationOf } from './einsum/equation';
import { lowerEinsum } from './einsum/lower';
import { cast } from './quantize/requantize';

/** The type that sums are taken in: narrow integers have no matrix product of their own. */
function wideType(dtype: DType): DType {
  if (isFloat(dtype) || /(32|64)$/.test(dtype)) return dtype;
  return dtype.startsWith('u') ? 'uint32' : 'int32';
}

export default defineOp({
  name: 'Einsum',
  attributes: { equation: required('string') },
  infer(n) {
    const { dtype } = n.input(0);
    if (n.inputs.some((t) => t?.dtype !== dtype)) n.fail('has operands of several types');
    const { output, sizes } = equationOf(n);
    return [{ dtype, dims: output.map((label) => sizes.get(label) as number) }];
  },
  reference(n, inputs) {
    const { operands, output, sizes } = equationOf(n);
    const labels = [...output, ...[...sizes.keys()].filter((label) => !output.includes(label))];
    const dims = labels.map((label) => sizes.get(label) as number);
    const shape = dims.slice(0, output.length);
    // An axis of size 1 stands still; one label on two axes steps along both.
    const steps = operands.map((own, i) => {
      const { dims } = n.input(i);
      const strides = stridesOf(dims);
      return labels.map((label) =>
        own.reduce((sum, l, d) => sum + (l === label && dims[d] !== 1 ? (strides[d] as number) : 0), 0),
      );
    });
    const sums = new Float64Array(sizeOf(shape));
    const inner = sizeOf(dims.slice(output.length));
    forEachIndex(dims, (at, flat) => {
      let product = 1;
      steps.forEach((own, i) => {
        let from = 0;
        for (let d = 0; d < at.length; d++) from += (at[d] as number) * (own[d] as number);
        product *= (inputs[i] as NDArray).data[from] as number;
      });
      const to = Math.floor(flat / inner);
      sums[to] = (sums[to] as number) + product;
    });
    return [ndarray(n.input(0).dtype, shape, sums)];
  },
  lower(n, b) {
    const { dtype } = n.input(0);
    const wide = n.node.inputs.map((name) => cast(b, name, wideType(dtype)));
    return [cast(b, lowerEinsum(b, equationOf(n), wide), dtype)];
  },
});

const einsum =
  (dtype: DType) =>
  (equation: string, ...shapes: number[][]): OpCase => ({
    name: `${equation}, ${dtype}`,
    attributes: { equation },
    inputs: shapes.map((dims) => ({ dtype, dims })),
  });
const floats = einsum('float32');
// The product of integers has a single kernel, so that equations, not kernels, are what these take time for.
const integers = einsum('int32');

export const cases: OpCase[] = [
  floats('ij->ji', [3, 129]),
  floats('ij->', [5, 7]),
  floats('ij->j', [5, 7]),
  floats('ba', [3, 5]),
  floats('ii', [7, 7]),
  floats('iji->j', [5, 3, 5]),
  floats('iiji->ij', [3, 3, 4, 3]),
  floats('...ii->...i', [2, 3, 5, 5]),
  floats('i,j->ij', [5], [7]),
  floats('...,...', [3, 5], []),
  floats('bi,bi->b', [5, 33], [5, 33]),
  floats('i,j->', [3], [4]),
  floats('bij, bkj -> bik', [3, 5, 8], [3, 6, 8]),
  integers('i,i', [127], [127]),
  integers('bij,bjk->bik', [3, 5, 7], [3, 7, 6]),
  integers('ji,jk', [7, 5], [7, 6]),
  integers('bhwc,hkc->bhwk', [2, 3, 4, 8], [3, 5, 8]),
  integers('bnth,bnsh->bnts', [1, 2, 5, 8], [1, 2, 6, 8]),
  integers('abcd,cf,db->fa', [2, 3, 4, 5], [4, 6], [5, 3]),
  integers('...ij,...jk->...ik', [2, 1, 3, 4], [5, 4, 6]),
  integers('ab...,b->a...', [3, 4, 5, 6], [4]),
  integers('ij,jk->ik', [3, 1], [4, 5]),
  integers('A...,aA->...a', [3, 4], [5, 3]),
  einsum('int64')('bij->jb', [2, 3, 5]),
  einsum('int8')('ij,kj->ki', [5, 7], [9, 7]),
  einsum('uint8')('ii->i', [5, 5]),
];
