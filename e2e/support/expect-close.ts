// Compares a computed tensor with an expected one: the same shape, and each element within the tolerance,
// relative to the largest expected magnitude (at least 1). NaN and infinities must agree exactly.

import { expect } from 'vitest';
import type { NDArray } from '../../src/base/ndarray';

export function expectClose(got: NDArray | undefined, expected: NDArray | undefined, tolerance = 1e-5): void {
  expect(got?.dims).toEqual(expected?.dims);
  const values = Array.from(expected?.data ?? []);
  const scale = values.reduce((most, v) => Math.max(most, Number.isNaN(v) ? 0 : Math.abs(v)), 1);
  const far = values.findIndex((v, i) => {
    const g = got?.data[i] as number;
    return !(Object.is(g, v) || Math.abs(g - v) / scale < tolerance);
  });
  expect(far, `element ${far}: ${got?.data[far]} instead of ${values[far]}`).toBe(-1);
}
