import { describe, expect, it } from 'vitest';
import { ndarray } from '../../base/ndarray';
import { type Pattern, patternOf } from '../../ir/pattern';
import { slicesOf } from './pack';

/** A matrix [lengths.length, 16] whose row `i` has so many non-zeros. */
function patternWith(lengths: readonly number[]): Pattern {
  const values = lengths.flatMap((length) => Array.from({ length: 16 }, (_, j) => Number(j < length)));
  return patternOf(ndarray('float32', [lengths.length, 16], values)) as Pattern;
}

describe('slicesOf', () => {
  it('puts rows of like length into one slice, and pads a slice to its longest row', () => {
    const { table, slices, quads, rows, length } = slicesOf(patternWith([1, 0, 9, 4, 0, 5]), 'rows', 4);
    expect({ slices, quads, rows, length }).toEqual({ slices: 2, quads: 12, rows: 6, length: 16 });
    // Three quads by four rows; rows of nothing take no room. Positions past the last row name none.
    expect([...table]).toEqual([0, 12, 12, 2, 5, 0, 3, 1, 4, 6, 6]);
  });

  it('packs a row by itself in slices of one', () => {
    const { table, quads } = slicesOf(patternWith([1, 0, 9, 4, 0, 5]), 'rows', 1);
    expect(quads).toBe(3 + 2 + 1 + 1);
    expect([...table]).toEqual([0, 3, 5, 6, 7, 7, 7, 2, 5, 0, 3, 1, 4]);
  });

  it('takes columns for rows', () => {
    const { table, rows, length, quads } = slicesOf(patternWith([1, 0, 9, 4, 0, 5]), 'columns', 4);
    expect({ rows, length }).toEqual({ rows: 16, length: 6 });
    expect(quads).toBe(12);
    expect([...table.subarray(5, 9)]).toEqual([0, 1, 2, 3]);
  });

  it('makes a matrix of nothing', () => {
    const { quads, table } = slicesOf(patternWith([0, 0, 0, 0, 0]), 'rows', 4);
    expect(quads).toBe(0);
    expect([...table.subarray(0, 3)]).toEqual([0, 0, 0]);
  });
});
