// What tests of compressed models share: weights to compress, and how far answers are apart.

import { expect } from 'vitest';
import type { NDArray } from '../../src/base/ndarray';
import { openOnHost } from './engines';

/** Numbers between -1 and 1, small ones more often. */
export function noise(count: number, seed: number): number[] {
  let state = Math.round(seed * 1000);
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) ** 3;
  });
}

export async function runOnHost(model: Uint8Array<ArrayBuffer>, feeds: Record<string, NDArray>) {
  const opened = await openOnHost(model);
  try {
    return await opened.run(feeds);
  } finally {
    await opened.dispose();
  }
}

/** ‖a − b‖ / ‖a‖ of arrays of one shape. */
export function apart(a: NDArray, b: NDArray): number {
  expect(b.dims).toEqual(a.dims);
  const square = (values: Iterable<number>) => Math.hypot(...values);
  return square(Array.from(a.data, (v, i) => v - (b.data[i] as number))) / square(a.data);
}
