// Noise that stands for weights with two non-zeros of every four.

import { expect, test } from 'vitest';
import { type NDArray, ndarray } from '../base/ndarray';
import { type Pattern, patternOf, patternOfBytes } from '../ir/pattern';
import { sparseNoise } from './sparse-noise';

/** A matrix with ones at these places. */
function matrix(rows: number, columns: number, places: readonly (readonly [number, number])[]): NDArray {
  const array = ndarray('float32', [rows, columns]);
  for (const [row, column] of places) array.data[row * columns + column] = 1;
  return array;
}

const pattern = (array: NDArray) => patternOf(array) as Pattern;

test('two of four are told from three, along rows and along columns, and noise has as many', () => {
  const inRows = matrix(
    8,
    16,
    Array.from({ length: 64 }, (_, i) => [i >> 3, 4 * ((i >> 1) & 3) + 2 * (i & 1) + ((i >> 3) & 1)] as const),
  );
  const found = pattern(inRows);
  expect(found.mostOfFour).toEqual({ alongRow: 2, alongColumn: 2 });
  expect(pattern(sparseNoise('float32', [8, 16], found)).mostOfFour.alongRow).toBe(2);
  expect(
    pattern(
      matrix(8, 9, [
        [0, 4],
        [0, 5],
        [0, 7],
      ]),
    ).mostOfFour,
  ).toEqual({ alongRow: 3, alongColumn: 1 });
  expect(
    pattern(
      matrix(8, 9, [
        [3, 4],
        [4, 4],
        [5, 4],
      ]),
    ).mostOfFour,
  ).toEqual({ alongRow: 1, alongColumn: 2 });
});

test('noise of bytes has as many others than 128 in every row, within rows that are longer', () => {
  const places = Array.from({ length: 40 }, (_, i) => [(i * i) % 9, (7 * i) % 19] as const);
  const found = pattern(matrix(9, 19, places));
  const noise = sparseNoise('uint8', [9, 32], found);
  expect(patternOfBytes(noise, 19)?.perRow).toEqual(found.perRow);
  expect(noise.data.every((v, i) => v === 128 || i % 32 < 19)).toBe(true);
});
