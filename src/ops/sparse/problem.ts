// What a sparse product comes down to: the sizes of a lepton.SparseMatMul node, checked.

import { formatDims, sameDims } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';
import { checkCsr } from './csr';

export interface SparseAttributes {
  readonly rows: number;
  readonly columns: number;
}
export type SparseNode = NodeView<SparseAttributes>;

export interface SparseProblem {
  readonly rows: number;
  readonly columns: number;
  /** Columns of the dense operand and the result; 1 for a vector. */
  readonly n: number;
  /** Stored entries. */
  readonly entries: number;
}

export function sparseProblem(n: SparseNode): SparseProblem {
  const { rows, columns } = n.attributes;
  const [values, columnIndices, rowOffsets, b] = [n.input(0), n.input(1), n.input(2), n.input(3)];
  if (values.dims.length !== 1 || !sameDims(values.dims, columnIndices.dims)) {
    n.fail('needs values and column indices of one length, in one dimension each');
  }
  if (!sameDims(rowOffsets.dims, [rows + 1])) n.fail(`needs ${rows + 1} row offsets, one more than its ${rows} rows`);
  if (columnIndices.dtype !== 'uint16' && columnIndices.dtype !== 'int32')
    n.fail('needs column indices of type uint16 or int32');
  if (rowOffsets.dtype !== 'int32') n.fail('needs row offsets of type int32');
  if (b.dtype !== values.dtype) n.fail(`multiplies ${values.dtype} by ${b.dtype}; both must have one type`);
  if (b.dims.length < 1 || b.dims.length > 2 || b.dims[0] !== columns) {
    n.fail(`needs a dense operand of shape [${columns}] or [${columns}, n], not ${formatDims(b.dims)}`);
  }
  return { rows, columns, n: b.dims[1] ?? 1, entries: values.dims[0] as number };
}

/** Types of the output; where the structure is known, it is checked too. */
export function sparseOutput(n: SparseNode) {
  const { rows, columns } = sparseProblem(n);
  const [columnIndices, rowOffsets] = [n.input(1).array, n.input(2).array];
  if (columnIndices && rowOffsets) checkCsr(rows, columns, columnIndices, rowOffsets);
  return [{ dtype: n.input(0).dtype, dims: [rows, ...n.input(3).dims.slice(1)] }];
}
