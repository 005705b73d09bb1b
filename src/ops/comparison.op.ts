// Comparisons and tests of numbers; the result is bool. WGSL may assume that floats are finite, so NaN and
// infinity are recognised by their bits.

import type { DType } from '../base/dtype';
import { int } from '../ir/attributes';
import type { CaseInput, OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { integerPairs, specialPairs } from './special-values';
import { isNaNFunction } from './wgsl/special-functions';

const compare = (
  name: string,
  operator: string,
  element: (a: number, b: number) => boolean,
  types: 'number' | 'any' = 'number',
) =>
  pointwiseOp({
    name,
    types,
    arity: [2, 2],
    result: () => 'bool',
    element: () => (a, b) => Number(element(a, b)),
    wgsl: (_p, a, b) => `${a} ${operator} ${b}`,
  });

export default [
  compare('Equal', '==', (a, b) => a === b, 'any'),
  compare('Less', '<', (a, b) => a < b),
  compare('LessOrEqual', '<=', (a, b) => a <= b),
  compare('Greater', '>', (a, b) => a > b),
  compare('GreaterOrEqual', '>=', (a, b) => a >= b),
  pointwiseOp({
    name: 'IsNaN',
    types: 'float',
    arity: [1, 1],
    result: () => 'bool',
    element: () => (x) => Number(Number.isNaN(x)),
    wgsl: (_p, x) => ({ expression: `lepton_is_nan(${x})`, functions: isNaNFunction }),
  }),
  pointwiseOp({
    name: 'IsInf',
    attributes: { detect_negative: int(1), detect_positive: int(1) },
    types: 'float',
    arity: [1, 1],
    result: () => 'bool',
    element: (a) => (x) =>
      Number((a.detect_positive !== 0 && x === Infinity) || (a.detect_negative !== 0 && x === -Infinity)),
    wgsl({ attributes: a }, x) {
      const positive = a.detect_positive ? '0x7f800000u' : '0u';
      const negative = a.detect_negative ? '0xff800000u' : '0u';
      const bits = `bitcast<vec4u>(${x})`;
      // Zero has the exponent 0, so its bits never pass for an infinity that is not looked for.
      return `((${bits} & vec4u(0x7f800000u)) == vec4u(0x7f800000u)) & ((${bits} == vec4u(${positive})) | (${bits} == vec4u(${negative})))`;
    },
  }),
];

const some: CaseInput[] = [
  { dims: [6], values: [1, 2, 3, -1, 0, 2.5] },
  { dims: [6], values: [1, 3, 2, -1, 0.5, 2.5] },
];
const integers = (dtype: DType): OpCase => ({
  name: `${dtype}`,
  inputs: [
    { dims: [129], dtype, range: [0, 3] },
    { dims: [1], dtype, values: [1] },
  ],
});
const pairs: OpCase[] = [
  { name: 'float32', inputs: some },
  {
    name: 'broadcast',
    inputs: [
      { dims: [3, 5], dtype: 'int32', range: [0, 3] },
      { dims: [3, 1], dtype: 'int32', range: [0, 3] },
    ],
  },
  integers('int64'),
  integers('uint8'),
  integers('int8'),
  specialPairs,
  ...integerPairs('int32', 'uint32'),
];
const strange: CaseInput = { dims: [7], values: [Number.NaN, Infinity, -Infinity, 0, -1, 3.4e38, -Number.NaN] };

export const cases: Record<string, OpCase[]> = {
  Equal: [
    ...pairs,
    {
      name: 'bool',
      inputs: [
        { dims: [5], dtype: 'bool', range: [0, 1] },
        { dims: [5], dtype: 'bool', range: [0, 1] },
      ],
    },
  ],
  Less: pairs,
  LessOrEqual: pairs,
  Greater: pairs,
  GreaterOrEqual: pairs,
  IsNaN: [{ name: 'non-finite values', inputs: [strange] }],
  IsInf: [
    { name: 'non-finite values', inputs: [strange] },
    { name: 'positive only', attributes: { detect_negative: 0 }, inputs: [strange] },
    { name: 'negative only', attributes: { detect_positive: 0 }, inputs: [strange] },
  ],
};
