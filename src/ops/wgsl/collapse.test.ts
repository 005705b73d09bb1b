import { expect, test } from 'vitest';
import { collapse } from './collapse';

test('dimensions that every tensor walks as one become one', () => {
  expect(collapse([2, 3, 4], [[12, 4, 1]])).toEqual({ dims: [24], strides: [[1]] });
});

test('a dimension stays apart where one tensor walks it otherwise', () => {
  const strides = [
    [12, 4, 1],
    [0, 4, 1],
  ];
  expect(collapse([2, 3, 4], strides)).toEqual({
    dims: [2, 12],
    strides: [
      [12, 1],
      [0, 1],
    ],
  });
});

test('dimensions of size 1 go, and repeats and backward walks merge as well', () => {
  expect(collapse([2, 1, 3], [[0, 9, 0]])).toEqual({ dims: [6], strides: [[0]] });
  expect(collapse([2, 3], [[-3, -1]])).toEqual({ dims: [6], strides: [[-1]] });
  expect(collapse([1, 1], [[5, 1]])).toEqual({ dims: [], strides: [[]] });
});
