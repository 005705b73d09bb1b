// Cases of lepton.SparseMatMul: matrices of a given density, scattered evenly, with rows made empty or full
// to meet the edges.

import type { DType } from '../../base/dtype';
import type { OpCase } from '../../ir/opdef';
import { type Csr, csrFromEntries, type Entry } from './csr';

interface Drawn {
  readonly density: number;
  readonly full?: readonly number[];
  readonly empty?: readonly number[];
}

function draw(
  rows: number,
  columns: number,
  { density, full = [], empty = [] }: Drawn,
  dtype: 'float32' | 'float16',
): Csr {
  const entries: Entry[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const kept = full.includes(row) || (scatter(at) < density && !empty.includes(row));
      if (kept) entries.push({ row, column, value: 2 * scatter(7 * at + 3) - 1 });
    }
  }
  return csrFromEntries(rows, columns, entries, dtype);
}

/** Numbers in [0, 1) without a visible pattern: the bits of a position, mixed. */
function scatter(at: number): number {
  let x = Math.imul(at + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
}

/** A case whose structure is part of the model. `n` undefined: times a vector. */
export function sparseCase(name: string, csr: Csr, n: number | undefined): OpCase {
  const { rows, columns, values, columnIndices, rowOffsets } = csr;
  const given = (array: { dtype: DType; dims: readonly number[]; data: ArrayLike<number> }) => ({
    dtype: array.dtype,
    dims: array.dims,
    values: Array.from(array.data),
    constant: true,
  });
  return {
    name,
    inputs: [
      given(values),
      given(columnIndices),
      given(rowOffsets),
      { dtype: values.dtype, dims: n === undefined ? [columns] : [columns, n] },
    ],
    attributes: { rows, columns },
  };
}

function drawn(
  rows: number,
  columns: number,
  n: number | undefined,
  how: Drawn,
  dtype: 'float32' | 'float16' = 'float32',
): OpCase {
  const rowsOf = (kind: string, list: readonly number[] = []) =>
    list.length ? `, rows ${list.join(', ')} ${kind}` : '';
  const name = `${rows}x${columns} with ${100 * how.density} % kept times ${n === undefined ? 'a vector' : `${n} columns`}`;
  return sparseCase(
    `${name}${rowsOf('full', how.full)}${rowsOf('empty', how.empty)}, ${dtype}`,
    draw(rows, columns, how, dtype),
    n,
  );
}

export const sparseCases: OpCase[] = [
  drawn(65, 127, undefined, { density: 0.3, empty: [0, 1, 63], full: [5] }),
  drawn(129, 300, undefined, { density: 0.02 }),
  drawn(1, 77, undefined, { density: 0.5 }),
  drawn(7, 5, undefined, { density: 0 }),
  drawn(33, 65, 1, { density: 1 }),
  drawn(200, 400, undefined, { density: 0.01, full: [7, 199], empty: [198] }),
  drawn(65, 127, 64, { density: 0.3, empty: [0, 1, 64], full: [5] }),
  drawn(17, 40, 3, { density: 1 }),
  drawn(33, 129, 127, { density: 0.1, full: [32] }),
  drawn(128, 128, 68, { density: 0.02, empty: [127] }),
  drawn(3, 9, 20, { density: 0 }),
  drawn(18, 36, 20, { density: 0.25 }, 'float16'),
  drawn(2, 70_000, 8, { density: 0.002 }),
];
