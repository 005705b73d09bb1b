import { expect, test } from 'vitest';
import { checkForest, type Forest, leafOf, scoresOf } from './forest';

/** Feature 0 at most 1: leaf 0; else feature 1 at most 2: leaf 1, or leaf 2. */
const tree: Forest = {
  roots: [0],
  features: [0, 1],
  modes: [0, 0],
  splits: [1, 2],
  trueChildren: [-1, -2],
  falseChildren: [1, -3],
  missingIsTrue: [0, 1],
  sets: [
    [0, 0],
    [0, 0],
  ],
  members: [],
  leaves: [
    [0, 1],
    [1, 2],
    [2, 3],
  ],
  targets: [0, 0, 1],
  weights: [5, 6, 7],
};
const leaf = (...row: number[]) => leafOf(tree, 0, (i) => row[i] as number);

test('a row follows its comparisons to a leaf', () => {
  expect(checkForest(tree, 2, 2)).toBeUndefined();
  expect([leaf(1, 9), leaf(3, 2), leaf(3, 3)]).toEqual([0, 1, 2]);
});

test('a missing feature passes only where the node says so', () => {
  expect([leaf(Number.NaN, 3), leaf(3, Number.NaN)]).toEqual([2, 1]);
});

test('a target that no leaf contributes to has the score 0', () => {
  expect(scoresOf(tree, 2, 'MIN', () => 0)).toEqual([5, 0]);
});

test('trees that cannot be walked are refused', () => {
  expect(checkForest({ ...tree, falseChildren: [1, 0] }, 2, 2)).toMatch('back into themselves');
  expect(checkForest({ ...tree, falseChildren: [1, 2] }, 2, 2)).toMatch('lacks');
  expect(checkForest({ ...tree, trueChildren: [-4, -2] }, 2, 2)).toMatch('lacks');
  expect(checkForest(tree, 1, 2)).toMatch('feature beyond');
  expect(checkForest(tree, 2, 1)).toMatch('target beyond');
  expect(checkForest({ ...tree, modes: [0, 7] }, 2, 2)).toMatch('mode');
  expect(checkForest({ ...tree, splits: [1] }, 2, 2)).toMatch('different lengths');
});

test('two nodes may share a child', () => {
  expect(checkForest({ ...tree, trueChildren: [1, -2] }, 2, 2)).toBeUndefined();
});
