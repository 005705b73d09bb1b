// Sparse matrices as options of layers: constants of the model, saved with it as text that is no longer than they are.

import { type CompressedRows, matrixOfText } from '../base/compressed-rows';
import { ndarray } from '../base/ndarray';
import type { Json, Option } from '../base/options';
import type { Call } from './layer';

/** Matrices are long to read, and options are read for every plan. */
const read = new WeakMap<object, CompressedRows>();

export const sparseMatrix: Option<CompressedRows> = (value, fail) => {
  const known = typeof value === 'object' && value !== null ? read.get(value) : undefined;
  if (known) return known;
  const matrix = matrixOfText(value ?? null) ?? fail('a matrix that sparseMatrix() made');
  read.set(value as Json & object, matrix);
  return matrix;
};

/** matrix · dense, for a value [columns, n]. @param values instead of the matrix's own */
export function sparseProduct(
  { b, f }: Pick<Call, 'b' | 'f'>,
  { shape: [rows, columns], ...matrix }: CompressedRows,
  dense: string,
  values = b.constant(ndarray('float32', [matrix.values.length], matrix.values)),
): string {
  const { columns: indices, rowOffsets } = matrix;
  const columnIndices = ndarray(indices instanceof Uint16Array ? 'uint16' : 'int32', [indices.length], indices);
  const offsets = b.constant(ndarray('int32', [rows + 1], rowOffsets));
  return f.node('lepton.SparseMatMul', [values, b.constant(columnIndices), offsets, dense], { rows, columns });
}
