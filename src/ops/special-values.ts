// Cases that most element-wise operators share: the values where floats behave unlike numbers, and the ends of
// the integer types. Part of no bundle.

import type { DType } from '../base/dtype';
import type { OpCase } from '../ir/opdef';

const values = [
  ...[Number.NaN, Infinity, -Infinity, -0, 0, 1, -1, 0.5, -0.5, 1.5, -2.5, 1e-30, -1e-30],
  ...[3.4e38, -3.4e38, 20.5, -20.5, 88, -88, 104, -104, 1e10, -1e10],
];

/** One input. */
export const specialValues: OpCase = { name: 'special values', inputs: [{ dims: [values.length], values }] };

const some = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, -1.5, 2, 3.4e38, 0.5];

/** Two inputs: every pair. */
export const specialPairs: OpCase = {
  name: 'special values',
  inputs: [
    { dims: [some.length, 1], values: some },
    { dims: [some.length], values: some },
  ],
};

/** Two integer inputs: every pair of values around zero and at the ends of the type. */
export function integerPairs(...dtypes: Extract<DType, 'int8' | 'int16' | 'int32' | `uint${8 | 16 | 32}`>[]): OpCase[] {
  return dtypes.map((dtype) => {
    const bits = Number(/\d+/.exec(dtype)?.[0]);
    const [low, high] = dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
    const ends = [low, low + 1, -7, -3, -1, 0, 1, 2, 3, 7, high - 1, high].filter((v) => v >= low);
    return {
      name: `${dtype}, ends of the range`,
      inputs: [
        { dims: [ends.length, 1], dtype, values: ends },
        { dims: [ends.length], dtype, values: ends },
      ],
    };
  });
}
