// What the conformance run takes for equal, and what it does not.

import { expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype';
import { encode, ndarray } from '../../src/base/ndarray';
import { disagreement, type Elements } from './compare';

function elements(dtype: DType, values: readonly number[], dims = [values.length]): Elements {
  return { dtype, dims, bytes: encode(ndarray(dtype, dims, values)) };
}

test('floats agree within the tolerance of their type, and in NaN and infinities', () => {
  const want = elements('float32', [1, 0, Number.NaN, Number.POSITIVE_INFINITY, -2]);
  expect(disagreement(elements('float32', [1.0009, 9e-6, Number.NaN, Number.POSITIVE_INFINITY, -2]), want)).toBe(
    undefined,
  );
  expect(disagreement(elements('float32', [1.002, 0, 0, 0, -2]), want)).toMatch(/element 0 of \[5\] is 1.00/);
  expect(disagreement(elements('float32', [1, 0, 0, Number.POSITIVE_INFINITY, -2]), want)).toMatch(/element 2/);
  expect(disagreement(elements('float32', [1, 0, Number.NaN, 3e38, -2]), want)).toMatch(/element 3/);
  expect(disagreement(elements('float16', [1.009]), elements('float16', [1]))).toBe(undefined);
  expect(disagreement(elements('float16', [1.03]), elements('float16', [1]))).toMatch(/element 0/);
});

test('integers agree exactly, beyond 2^53 too', () => {
  const wide = (value: bigint): Elements => ({
    dtype: 'int64',
    dims: [1],
    bytes: new Uint8Array(BigInt64Array.of(value).buffer),
  });
  expect(disagreement(wide(2n ** 60n), wide(2n ** 60n))).toBe(undefined);
  expect(disagreement(wide(2n ** 60n + 1n), wide(2n ** 60n))).toMatch(/is 1152921504606846977, expected/);
  expect(disagreement(elements('uint8', [7]), elements('uint8', [8]))).toMatch(/is 7, expected 8/);
});

test('types and shapes agree, even where values need not', () => {
  const want = elements('float32', [1, 2, 3, 4], [2, 2]);
  expect(disagreement(undefined, want)).toBe('is missing');
  expect(disagreement(elements('float16', [1, 2, 3, 4], [2, 2]), want, true)).toBe('is float16, expected float32');
  expect(disagreement(elements('float32', [1, 2, 3, 4]), want, true)).toBe('has shape [4], expected [2, 2]');
  expect(disagreement(elements('float32', [5, 6, 7, 8], [2, 2]), want, true)).toBe(undefined);
});
