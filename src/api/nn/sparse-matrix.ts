// Sparse matrices as callers hold them: options of layers. They never change.

import {
  type CompressedRows,
  compressedRows,
  matrixText,
  rowsOf,
  type SparseEntries,
} from '../../base/compressed-rows';
import { LeptonError } from '../../base/errors';
import type { Json } from '../../nn/types';

export type { SparseEntries };

export class SparseMatrix implements CompressedRows {
  readonly shape: readonly [rows: number, columns: number];
  readonly rowOffsets: Int32Array;
  readonly columns: Uint16Array | Int32Array;
  readonly values: Float32Array;
  #text: Json | undefined;

  /** @internal */
  constructor({ shape, rowOffsets, columns, values }: CompressedRows) {
    this.shape = shape;
    this.rowOffsets = rowOffsets;
    this.columns = columns;
    this.values = values;
  }

  /** Entries that are stored. */
  get nonZeros(): number {
    return this.values.length;
  }

  /** @internal One object for all layers that have the matrix, so that it is sent once. */
  get text(): Json {
    this.#text ??= matrixText(this);
    return this.#text;
  }
}

/**
 * A sparse matrix by its entries, `{ shape, rows, columns, values }` in any order, or by compressed rows (CSR),
 * `{ shape, rowOffsets, columns, values }`. Values are 1 where they are left out; entries of one place are added up.
 * @throws INVALID_ARGUMENT where an entry lies outside the shape, the lists do not go together, or a value is not finite in float32
 */
export function sparseMatrix(entries: SparseEntries): SparseMatrix {
  return new SparseMatrix(compressedRows(entries));
}

/**
 * What nodes pass to each other in a graph convolution: D^-½ (A + I) D^-½, where A [nodes, nodes] is the graph's adjacency
 * and D has the sums of the rows of A + I on its diagonal. https://arxiv.org/abs/1609.02907
 * @throws INVALID_ARGUMENT where A is no sparse matrix or not square, or a row sums up to less than nothing
 */
export function gcnFilter(adjacency: SparseMatrix): SparseMatrix {
  if (!(adjacency instanceof SparseMatrix)) throw invalid('gcnFilter() needs a matrix that sparseMatrix() made');
  const { shape, rowOffsets, columns, values } = adjacency;
  const [nodes, width] = shape;
  if (nodes !== width) throw invalid(`gcnFilter() needs a square matrix, not one of ${nodes} × ${width}`);
  const all = compressedRows({
    shape,
    rows: [...rowsOf(rowOffsets), ...Array(nodes).keys()],
    columns: [...columns, ...Array(nodes).keys()],
    values: [...values, ...new Float32Array(nodes).fill(1)],
  });
  const rows = rowsOf(all.rowOffsets);
  const degrees = new Float64Array(nodes);
  rows.forEach((row, i) => {
    degrees[row] = (degrees[row] as number) + (all.values[i] as number);
  });
  const wrong = degrees.findIndex((degree) => !(degree > 0));
  if (wrong >= 0)
    throw invalid(`gcnFilter() needs rows of positive sums, but with itself node ${wrong} has ${degrees[wrong]}`);
  const weights = all.values.map((value, i) => {
    return value / Math.sqrt((degrees[rows[i] as number] as number) * (degrees[all.columns[i] as number] as number));
  });
  return new SparseMatrix({ ...all, values: weights });
}

function invalid(what: string): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `${what}.`);
}
