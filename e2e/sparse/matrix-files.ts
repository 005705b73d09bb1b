// Readers of the two text formats that sparse test matrices come in. Text in, CSR out.

import { type Csr, csrFromEntries, type Entry } from '../../src/ops/sparse/csr';

/**
 * Matrix Market, coordinate format; symmetric files list one triangle. Pattern files have no values: their
 * entries are 1. https://math.nist.gov/MatrixMarket/formats.html
 */
export function readMatrixMarket(text: string): Csr {
  const lines = text.split(/\r?\n/);
  const [, , format, field, symmetry] = (lines[0] ?? '').toLowerCase().split(/\s+/);
  if (format !== 'coordinate' || (symmetry !== 'general' && symmetry !== 'symmetric')) {
    throw new Error(`Cannot read a Matrix Market file with the header "${lines[0]}".`);
  }
  const [size, ...body] = lines.slice(1).filter((line) => line.trim() !== '' && !line.startsWith('%'));
  const [rows, columns, count] = numbers(size ?? '') as [number, number, number];
  if (body.length !== count) throw new Error(`The file announces ${count} entries, but has ${body.length}.`);
  const entries: Entry[] = [];
  for (const line of body) {
    const [row, column, value] = numbers(line) as [number, number, number?];
    const entry = { row: row - 1, column: column - 1, value: field === 'pattern' ? 1 : (value as number) };
    entries.push(entry);
    if (symmetry === 'symmetric' && row !== column) entries.push({ ...entry, row: entry.column, column: entry.row });
  }
  return csrFromEntries(rows, columns, entries);
}

/**
 * The Deep Learning Matrix Collection's `.smtx`: "rows, columns, non-zeros", then row offsets, then column
 * indices, which need not be sorted. It has patterns only; `entryValue` gives the value of entry i.
 */
export function readSmtx(text: string, entryValue: (i: number) => number): Csr {
  const [size, offsetLine, indexLine] = text.split(/\r?\n/);
  const [rows, columns, count] = numbers((size ?? '').replaceAll(',', ' ')) as [number, number, number];
  const offsets = numbers(offsetLine ?? '');
  const indices = numbers(indexLine ?? '');
  if (offsets.length !== rows + 1 || indices.length !== count) {
    throw new Error(
      `The file announces ${rows} rows and ${count} entries, but has ${offsets.length - 1} and ${indices.length}.`,
    );
  }
  const entries: Entry[] = [];
  for (let row = 0; row < rows; row++) {
    for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
      entries.push({ row, column: indices[i] as number, value: entryValue(i) });
    }
  }
  return csrFromEntries(rows, columns, entries);
}

function numbers(line: string): number[] {
  return line.trim() === '' ? [] : line.trim().split(/\s+/).map(Number);
}
