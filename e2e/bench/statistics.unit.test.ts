// Quantiles against hand-computed ones.

import { describe, expect, test } from 'vitest';
import { median, quantile, summarise } from './statistics';

describe('quantile', () => {
  test('interpolates between the two nearest values', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('leaves the values in their order', () => {
    const values = [3, 1, 2];
    summarise(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test('has nothing to say about nothing', () => {
    expect(() => median([])).toThrow('no quantile');
  });
});

test('a summary has median, quartiles and the number of rounds', () => {
  expect(summarise([10, 20, 30, 40, 50])).toEqual({ median: 30, quartiles: [20, 40], rounds: 5 });
});
