// Compressed sparse rows on the host: made from a dense matrix or from a list of entries, checked, and
// turned into the three tensors that lepton.SparseMatMul takes.
//
// Invariant: within a row, column indices ascend strictly; rowOffsets has rows + 1 entries that never
// fall, from 0 to the number of values. Indices take 16 bits where every column has one.

import { LeptonError } from '../../base/errors';
import { type NDArray, ndarray } from '../../base/ndarray';
import { type Dims, formatDims } from '../../base/shape';

export interface Csr {
  readonly rows: number;
  readonly columns: number;
  /** [nnz], float32 or float16. */
  readonly values: NDArray;
  /** [nnz], uint16 or int32. */
  readonly columnIndices: NDArray;
  /** [rows + 1], int32. */
  readonly rowOffsets: NDArray;
}

export interface Entry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/** The non-zeros of a matrix [rows, columns]. @throws INVALID_ARGUMENT for another rank */
export function csrFromDense(dense: NDArray): Csr {
  const [rows, columns] = dense.dims;
  if (rows === undefined || columns === undefined || dense.dims.length !== 2) {
    throw invalid(`A sparse matrix is made from a matrix, not from the shape ${formatDims(dense.dims)}.`);
  }
  const entries: Entry[] = [];
  dense.data.forEach((value, i) => {
    if (value !== 0) entries.push({ row: Math.floor(i / columns), column: i % columns, value });
  });
  return csrFromEntries(rows, columns, entries, dense.dtype === 'float16' ? 'float16' : 'float32');
}

/**
 * Entries in any order; those of one place are summed.
 * @throws INVALID_ARGUMENT where an entry lies outside the matrix
 */
export function csrFromEntries(
  rows: number,
  columns: number,
  entries: readonly Entry[],
  dtype: 'float32' | 'float16' = 'float32',
): Csr {
  for (const { row, column } of entries) {
    if (!isIndex(row, rows) || !isIndex(column, columns)) {
      throw invalid(`Entry (${row}, ${column}) lies outside a matrix of ${rows} rows and ${columns} columns.`, {
        row,
        column,
      });
    }
  }
  const sorted = [...entries].sort((a, b) => a.row - b.row || a.column - b.column);
  const values: number[] = [];
  const indices: number[] = [];
  const offsets = new Array<number>(rows + 1).fill(0);
  let last: Entry | undefined;
  for (const entry of sorted) {
    if (last && last.row === entry.row && last.column === entry.column) {
      values[values.length - 1] = (values[values.length - 1] as number) + entry.value;
    } else {
      values.push(entry.value);
      indices.push(entry.column);
      offsets[entry.row + 1] = values.length;
    }
    last = entry;
  }
  // An empty row ends where the row before it does.
  for (let row = 1; row <= rows; row++) offsets[row] = Math.max(offsets[row] as number, offsets[row - 1] as number);
  return {
    rows,
    columns,
    values: ndarray(dtype, [values.length], values),
    columnIndices: ndarray(columns <= 65_536 ? 'uint16' : 'int32', [indices.length], indices),
    rowOffsets: ndarray('int32', [rows + 1], offsets),
  };
}

/** The dense matrix [rows, columns]. */
export function csrToDense(csr: Csr): NDArray {
  checkCsr(csr.rows, csr.columns, csr.columnIndices, csr.rowOffsets);
  const dense = ndarray(csr.values.dtype, [csr.rows, csr.columns]);
  for (let row = 0; row < csr.rows; row++) {
    for (let i = csr.rowOffsets.data[row] as number; i < (csr.rowOffsets.data[row + 1] as number); i++) {
      dense.data[row * csr.columns + (csr.columnIndices.data[i] as number)] = csr.values.data[i] as number;
    }
  }
  return dense;
}

/** @throws INVALID_ARGUMENT that names the first row where the invariant does not hold */
export function checkCsr(rows: number, columns: number, columnIndices: NDArray, rowOffsets: NDArray): void {
  const { data: offsets } = rowOffsets;
  const { data: indices } = columnIndices;
  expectLength('rowOffsets', rowOffsets.dims, rows + 1);
  if (offsets[0] !== 0) throw invalid(`rowOffsets starts at ${offsets[0]}, not at 0.`);
  if (offsets[rows] !== indices.length) {
    throw invalid(`rowOffsets ends at ${offsets[rows]}, but there are ${indices.length} column indices.`);
  }
  for (let row = 0; row < rows; row++) {
    const [from, to] = [offsets[row] as number, offsets[row + 1] as number];
    if (to < from) throw invalid(`rowOffsets falls from ${from} to ${to} at row ${row}.`, { row });
  }
  for (let row = 0; row < rows; row++) {
    let previous = -1;
    for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
      const column = indices[i] as number;
      if (!isIndex(column, columns)) {
        throw invalid(`Row ${row} has the column index ${column}; the matrix has ${columns} columns.`, { row, column });
      }
      if (column === previous)
        throw invalid(`Row ${row} has column ${column} twice. Sum such entries first.`, { row, column });
      if (column < previous) {
        throw invalid(`Row ${row} is not sorted: column ${column} follows ${previous}.`, { row, column });
      }
      previous = column;
    }
  }
}

function expectLength(name: string, dims: Dims, length: number): void {
  if (dims.length !== 1 || dims[0] !== length)
    throw invalid(`${name} has the shape ${formatDims(dims)}, expected [${length}].`);
}

function isIndex(value: number, size: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < size;
}

function invalid(message: string, details: Record<string, unknown> = {}): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', message, { details });
}
