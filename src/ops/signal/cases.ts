// Test cases of the Fourier transforms: lengths with small, large and very large prime factors, every form.

import type { CaseInput, OpCase } from '../../ir/opdef';

const number = (value: number): CaseInput => ({ dtype: 'int64', dims: [], values: [value], constant: true });

/** @param options length and axis as inputs, and attributes */
function dft(
  name: string,
  dims: readonly number[],
  options: { length?: number; axis?: number; attributes?: OpCase['attributes']; dtype?: 'float16' } = {},
): OpCase {
  const { length, axis, attributes = {}, dtype = 'float32' } = options;
  return {
    name,
    inputs: [
      { dims, dtype },
      length === undefined ? undefined : number(length),
      axis === undefined ? undefined : number(axis),
    ],
    attributes,
    tolerance: dtype === 'float16' ? 4e-3 : 2e-5,
  };
}

export const dftCases: OpCase[] = [
  dft('one number', [2, 1, 2]),
  dft('real, 16', [3, 16, 1]),
  dft('complex, 127 is prime', [2, 127, 2]),
  dft('onesided, 400', [2, 400, 1], { attributes: { onesided: 1 } }),
  dft('onesided, odd length', [2, 45, 1], { attributes: { onesided: 1 } }),
  dft('inverse, axis in the middle', [2, 12, 5, 2], { axis: 1, attributes: { inverse: 1 } }),
  dft('first axis', [10, 3, 1], { axis: 0 }),
  dft('inverse of a real signal', [2, 9, 2], { attributes: { inverse: 1, onesided: 1 } }),
  dft('inverse of a real signal, odd and cut', [9, 3, 2], {
    axis: 0,
    length: 11,
    attributes: { inverse: 1, onesided: 1 },
  }),
  dft('padded', [2, 10, 1], { length: 24 }),
  dft('cut', [2, 10, 2], { length: 7 }),
  dft('2048, longer than small workgroup memory', [1, 2048, 2]),
  dft('521, a large prime', [2, 521, 1]),
  dft('521, inverse, onesided', [1, 261, 3, 2], { axis: 1, length: 521, attributes: { inverse: 1, onesided: 1 } }),
  dft('514, cut', [1, 600, 2], { length: 514, attributes: { inverse: 1 } }),
  dft('float16', [2, 24, 1], { dtype: 'float16' }),
];

export const stftCases: OpCase[] = [
  { name: 'without a window', inputs: [{ dims: [2, 50, 1] }, number(8), undefined, number(16)], tolerance: 2e-5 },
  { name: 'with a window', inputs: [{ dims: [1, 129, 1] }, number(10), { dims: [25] }], tolerance: 2e-5 },
  {
    name: 'complex, both sides',
    inputs: [{ dims: [2, 43, 2] }, number(5), { dims: [12] }, number(12)],
    attributes: { onesided: 0 },
    tolerance: 2e-5,
  },
  { name: 'signal of rank 2', inputs: [{ dims: [2, 33] }, number(7), undefined, number(9)], tolerance: 2e-5 },
];
