import { expect, test } from 'vitest';
import { holdOut, kFold } from './folds';

const all = (size: number) => Array.from({ length: size }, (_, i) => i);

test('every sample is validated with once, and trained on otherwise', () => {
  const folds = kFold(23, 5, { seed: 3 });
  expect(folds.map(({ validation }) => validation.length).sort()).toEqual([4, 4, 5, 5, 5]);
  expect(folds.flatMap(({ validation }) => [...validation]).toSorted((a, b) => a - b)).toEqual(all(23));
  for (const { train, validation } of folds) {
    expect([...train, ...validation].toSorted((a, b) => a - b)).toEqual(all(23));
  }
  expect(kFold(23, 5, { seed: 3 })).toEqual(folds);
  expect(kFold(23, 5, { seed: 4 })).not.toEqual(folds);
});

test('with classes, every fold has its share of each', () => {
  const stratify = all(100).map((i) => (i % 10 === 0 ? 1 : 0));
  for (const { validation } of kFold(100, 5, { stratify })) {
    expect(validation.length).toBe(20);
    expect([...validation].filter((i) => stratify[i] === 1)).toHaveLength(2);
  }
  const { train, validation } = holdOut(100, 0.3, { stratify });
  expect([...validation].filter((i) => stratify[i] === 1)).toHaveLength(3);
  expect(validation.length).toBe(30);
  expect(train.length).toBe(70);
});

test('what cannot be divided is refused', () => {
  expect(() => kFold(3, 1)).toThrow(/from 2/);
  expect(() => kFold(3, 4)).toThrow(/3 samples cannot be divided into 4/);
  expect(() => kFold(3, 2, { stratify: [1] })).toThrow(/1 classes for 3 samples/);
  expect(() => holdOut(3, 1)).toThrow(/between 0 and 1/);
});
