// The backward rule of a sparse product y = A · b. What b gets is Aᵀ times the gradient: a sparse product again, over the same
// entries in the order of their columns, which is found at planning where the places of the entries are known. What the
// values get is a product of two dense matrices, sampled where A has entries (training/sampled-matmul.op.ts). So a weight
// that is sparse stays sparse: what is not stored has no gradient and remains zero.

import { offsetsOf, orderBy, rowsOf } from '../../base/compressed-rows';
import { type NDArray, ndarray } from '../../base/ndarray';
import type { LowerBuilder } from '../../ir/opdef';
import type { SparseAttributes, SparseNode } from './problem';

export function sparseGrad(
  n: SparseNode,
  b: LowerBuilder,
  [gradient]: readonly (string | undefined)[],
): (string | undefined)[] {
  if (gradient === undefined) return [];
  const [values, columnIndices, rowOffsets, dense] = n.node.inputs as [string, string, string, string];
  const [ofValues] = b.add('lepton.SampledMatMul', [gradient, dense, columnIndices, rowOffsets], { ...n.attributes });
  const entries = { columnIndices: n.constant(1) as NDArray, rowOffsets: n.constant(2) as NDArray };
  return [ofValues, undefined, undefined, transposedProduct(b, n.attributes, entries, values, gradient)];
}

/** Aᵀ · dense, for the entries of A [rows, columns] in compressed rows. */
export function transposedProduct(
  b: LowerBuilder,
  { rows, columns }: SparseAttributes,
  { columnIndices, rowOffsets }: { readonly columnIndices: NDArray; readonly rowOffsets: NDArray },
  values: string,
  dense: string,
): string {
  const order = orderBy(columnIndices.data, columns);
  const rowOf = rowsOf(rowOffsets.data);
  const lengths = new Int32Array(columns);
  for (const column of columnIndices.data) lengths[column] = (lengths[column] as number) + 1;
  const count = order.length;
  const list = (dtype: 'int32' | 'uint16', data: ArrayLike<number>) => b.constant(ndarray(dtype, [data.length], data));
  const [turned] = b.add('Gather', [values, list('int32', order)], { axis: 0 }) as [string];
  const rowIndices = Int32Array.from({ length: count }, (_, i) => rowOf[order[i] as number] as number);
  const structure = [list(rows <= 65_536 ? 'uint16' : 'int32', rowIndices), list('int32', offsetsOf(lengths))];
  const sizes = { rows: columns, columns: rows };
  return b.add('lepton.SparseMatMul', [turned, ...structure, dense], sizes)[0] as string;
}
