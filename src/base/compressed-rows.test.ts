// Sparse matrices from entries in any order and from compressed rows; what does not hold together is refused by name; text and
// back.

import { describe, expect, it } from 'vitest';
import { type CompressedRows, compressedRows, matrixOfText, matrixText, type SparseEntries } from './compressed-rows';
import { LeptonError } from './errors';

const plain = ({ shape, rowOffsets, columns, values }: CompressedRows) => ({
  shape,
  rowOffsets: [...rowOffsets],
  columns: [...columns],
  values: [...values],
});

describe('compressedRows', () => {
  it('puts entries in order and adds up those of one place', () => {
    const matrix = compressedRows({
      shape: [4, 3],
      rows: [3, 1, 1, 3, 1],
      columns: [0, 2, 0, 0, 2],
      values: [1, 2, 3, 4, 5],
    });
    expect(plain(matrix)).toEqual({
      shape: [4, 3],
      rowOffsets: [0, 0, 2, 2, 3],
      columns: [0, 2, 0],
      values: [3, 7, 5],
    });
    expect(matrix.columns).toBeInstanceOf(Uint16Array);
  });

  it('takes compressed rows whose columns are not sorted, and ones for values that are left out', () => {
    const matrix = compressedRows({ shape: [2, 4], rowOffsets: [0, 3, 3], columns: [3, 0, 2] });
    expect(plain(matrix)).toEqual({ shape: [2, 4], rowOffsets: [0, 3, 3], columns: [0, 2, 3], values: [1, 1, 1] });
  });

  it('takes a matrix without entries, one row, and more columns than 16 bits count', () => {
    expect(plain(compressedRows({ shape: [2, 2], rows: [], columns: [] }))).toEqual({
      ...{ shape: [2, 2], rowOffsets: [0, 0, 0], columns: [], values: [] },
    });
    const wide = compressedRows({ shape: [1, 70_000], rows: [0, 0], columns: [69_999, 5] });
    expect(plain(wide).columns).toEqual([5, 69_999]);
  });

  it.each<[string, SparseEntries, RegExp]>([
    [
      'a column out of range',
      { shape: [2, 2], rows: [0, 1], columns: [0, 2] },
      /Entry 1 is at row 1, column 2, outside a matrix of 2 × 2/,
    ],
    ['a negative row', { shape: [2, 2], rows: [-1], columns: [0] }, /Entry 0 is at row -1/],
    ['half a column', { shape: [2, 2], rows: [1], columns: [0.5] }, /column 0.5/],
    ['no rows', { shape: [2, 2], columns: [0] }, /needs the rows of its entries or rowOffsets/],
    ['rows twice', { shape: [1, 2], columns: [0], rows: [0], rowOffsets: [0, 1] }, /not both/],
    ['too few rows', { shape: [2, 2], rows: [0], columns: [0, 1] }, /There are 1 rows for 2 columns/],
    [
      'too few values',
      { shape: [2, 2], rows: [0, 1], columns: [0, 1], values: [1] },
      /There are 1 values for 2 columns/,
    ],
    ['a value that is no number', { shape: [2, 2], rows: [0], columns: [0], values: [NaN] }, /Entry 0 is NaN/],
    ['a value beyond float32', { shape: [2, 2], rows: [0], columns: [0], values: [1e300] }, /Entry 0 is 1e\+300/],
    [
      'a sum beyond float32',
      { shape: [1, 1], rows: [0, 0], columns: [0, 0], values: [3e38, 3e38] },
      /Entry 1 adds up to .*finite in float32/,
    ],
    ['no entries at all', undefined as unknown as SparseEntries, /needs its entries, .*, not undefined/],
    [
      'offsets of another height',
      { shape: [2, 2], rowOffsets: [0, 1], columns: [0] },
      /There are 2 rowOffsets for 2 rows; expected 3/,
    ],
    ['offsets that fall', { shape: [2, 2], rowOffsets: [0, 2, 1], columns: [0, 1] }, /rowOffsets\[2\] is 1/],
    ['offsets that do not begin with 0', { shape: [1, 2], rowOffsets: [1, 1], columns: [0] }, /rowOffsets\[0\] is 1/],
    [
      'offsets that end early',
      { shape: [1, 2], rowOffsets: [0, 1], columns: [0, 1] },
      /ends with 1, but there are 2 columns/,
    ],
    [
      'a shape without rows',
      { shape: [0, 2], rows: [], columns: [] },
      /shape \[rows, columns\] of whole numbers from 1, not \[0,2\]/,
    ],
  ])('refuses %s', (_, entries, message) => {
    expect(() => compressedRows(entries)).toThrow(LeptonError);
    expect(() => compressedRows(entries)).toThrow(message);
  });

  it('comes back from text', () => {
    const many = Array.from({ length: 7_000 }, (_, i) => i);
    for (const matrix of [
      compressedRows({ shape: [3, 5], rows: [2, 0], columns: [4, 1], values: [0.5, -2] }),
      compressedRows({ shape: [7_000, 70_000], rows: many, columns: many.map((i) => 2 * i), values: many }),
    ]) {
      const text = matrixText(matrix);
      expect(matrixOfText(JSON.parse(JSON.stringify(text)))).toEqual(matrix);
    }
  });

  it('refuses text that is damaged', () => {
    const text = matrixText(compressedRows({ shape: [1, 2], rows: [0], columns: [1] })) as Record<string, string>;
    expect(() => matrixOfText({ ...text, values: 'AAA=' })).toThrow(/damaged/);
    expect(() => matrixOfText({ ...text, values: '?' })).toThrow(/damaged/);
    expect(matrixOfText({ shape: [1, 2] })).toBeUndefined();
  });
});
