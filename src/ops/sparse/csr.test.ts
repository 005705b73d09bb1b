import { describe, expect, it } from 'vitest';
import { ndarray } from '../../base/ndarray';
import { checkCsr, csrFromDense, csrFromEntries, csrToDense } from './csr';

describe('csrFromDense', () => {
  it('keeps non-zeros row by row, empty rows included', () => {
    const csr = csrFromDense(ndarray('float32', [4, 3], [0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 3, 0]));
    expect([...csr.values.data]).toEqual([1, 2, 3]);
    expect([...csr.columnIndices.data]).toEqual([0, 2, 1]);
    expect([...csr.rowOffsets.data]).toEqual([0, 0, 2, 2, 3]);
    expect(csr.columnIndices.dtype).toBe('uint16');
  });

  it('goes back to the same matrix', () => {
    const dense = ndarray(
      'float32',
      [5, 7],
      Array.from({ length: 35 }, (_, i) => (i % 3 === 0 ? i : 0)),
    );
    expect(csrToDense(csrFromDense(dense))).toEqual(dense);
  });

  it('makes an empty matrix', () => {
    const csr = csrFromDense(ndarray('float32', [2, 3]));
    expect([...csr.rowOffsets.data]).toEqual([0, 0, 0]);
    expect(csr.values.dims).toEqual([0]);
  });

  it('refuses what is no matrix', () => {
    expect(() => csrFromDense(ndarray('float32', [2, 3, 4]))).toThrow('not from the shape [2, 3, 4]');
  });
});

describe('csrFromEntries', () => {
  it('sorts, and sums entries of one place', () => {
    const entries = [
      { row: 1, column: 2, value: 1 },
      { row: 0, column: 1, value: 5 },
      { row: 1, column: 0, value: 2 },
      { row: 1, column: 2, value: 3 },
    ];
    const csr = csrFromEntries(2, 3, entries);
    expect([...csr.values.data]).toEqual([5, 2, 4]);
    expect([...csr.columnIndices.data]).toEqual([1, 0, 2]);
    expect([...csr.rowOffsets.data]).toEqual([0, 1, 3]);
  });

  it('takes wide indices only where 16 bits do not hold every column', () => {
    expect(csrFromEntries(1, 65_536, []).columnIndices.dtype).toBe('uint16');
    expect(csrFromEntries(1, 65_537, []).columnIndices.dtype).toBe('int32');
  });

  it('refuses entries outside the matrix', () => {
    expect(() => csrFromEntries(2, 2, [{ row: 0, column: 2, value: 1 }])).toThrow('Entry (0, 2) lies outside');
    expect(() => csrFromEntries(2, 2, [{ row: -1, column: 0, value: 1 }])).toThrow('Entry (-1, 0) lies outside');
  });
});

describe('checkCsr', () => {
  const check = (columns: number[], offsets: number[]) => () =>
    checkCsr(2, 4, ndarray('int32', [columns.length], columns), ndarray('int32', [offsets.length], offsets));

  it('accepts what holds', () => {
    expect(check([0, 3, 1], [0, 2, 3])).not.toThrow();
  });

  it('names the row and what is wrong with it', () => {
    expect(check([3, 0, 1], [0, 2, 3])).toThrow('Row 0 is not sorted: column 0 follows 3');
    expect(check([0, 3, 4], [0, 2, 3])).toThrow('Row 1 has the column index 4; the matrix has 4 columns');
    expect(check([0, 0, 1], [0, 2, 3])).toThrow('Row 0 has column 0 twice');
    expect(check([0, 3, 1], [0, 4, 3])).toThrow('rowOffsets falls from 4 to 3 at row 1');
    expect(check([0, 3, 1], [0, 2, 2])).toThrow('rowOffsets ends at 2, but there are 3 column indices');
    expect(check([0, 3, 1], [0, 3])).toThrow('expected [3]');
    expect(check([0, 3, 1], [1, 2, 3])).toThrow('starts at 1');
  });
});
