// Where blocks lie.

import { expect, test } from 'vitest';
import { type NDArray, ndarray } from '../../base/ndarray';
import { type Pattern, patternOf } from '../../ir/pattern';
import { blockRowsOf } from './blocks-pack';

/** A matrix with ones at these places. */
function matrix(rows: number, columns: number, places: readonly (readonly [number, number])[]): NDArray {
  const array = ndarray('float32', [rows, columns]);
  for (const [row, column] of places) array.data[row * columns + column] = 1;
  return array;
}

const pattern = (array: NDArray) => patternOf(array) as Pattern;

test('rows of small blocks begin and end at even places, the longest quad first', () => {
  const places = [0, 5, 9].map((column) => [9, column] as const);
  const {
    quads,
    places: all,
    blocks,
    table,
  } = blockRowsOf(pattern(matrix(10, 12, [[1, 3], ...places])), 'rows', { rows: 4, inputs: 1 });
  expect([quads, all, blocks]).toEqual([3, 6, 6]);
  expect([...table]).toEqual([2, 0, 1, 0, 2, 2, 2, 2, 6]);
});

test('rows of large blocks end where their last block does', () => {
  const { places, blocks, table } = blockRowsOf(
    pattern(
      matrix(8, 12, [
        [4, 0],
        [5, 11],
        [6, 5],
      ]),
    ),
    'rows',
    {
      rows: 4,
      inputs: 4,
    },
  );
  expect([places, blocks]).toEqual([4, 3]);
  expect([...table]).toEqual([1, 0, 0, 0, 0, 3]);
});

test('along columns, what is stored as 4×1 is a block of one row by four inputs', () => {
  const { blocks, table } = blockRowsOf(
    pattern(
      matrix(9, 8, [
        [0, 2],
        [3, 2],
        [8, 2],
      ]),
    ),
    'columns',
    {
      rows: 1,
      inputs: 4,
    },
  );
  expect(blocks).toBe(2);
  expect([...table.subarray(2, 10)]).toEqual([0, 0, 0, 0, 0, 2, 2, 2]);
});
