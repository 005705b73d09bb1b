// And, Or, Xor and Not of booleans.

import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';

export default [
  pointwiseOp({
    name: 'And',
    types: 'bool',
    arity: [2, 2],
    element: () => (a, b) => a & b,
    wgsl: (_p, a, b) => `${a} & ${b}`,
  }),
  pointwiseOp({
    name: 'Or',
    types: 'bool',
    arity: [2, 2],
    element: () => (a, b) => a | b,
    wgsl: (_p, a, b) => `${a} | ${b}`,
  }),
  pointwiseOp({
    name: 'Xor',
    types: 'bool',
    arity: [2, 2],
    element: () => (a, b) => a ^ b,
    wgsl: (_p, a, b) => `${a} != ${b}`,
  }),
  pointwiseOp({ name: 'Not', types: 'bool', arity: [1, 1], element: () => (a) => 1 - a, wgsl: (_p, a) => `!${a}` }),
];

const pairs: OpCase[] = [
  {
    name: 'all four',
    inputs: [
      { dims: [4], dtype: 'bool', values: [0, 0, 1, 1] },
      { dims: [4], dtype: 'bool', values: [0, 1, 0, 1] },
    ],
  },
  {
    name: 'broadcast',
    inputs: [
      { dims: [3, 43], dtype: 'bool', range: [0, 1] },
      { dims: [43], dtype: 'bool', range: [0, 1] },
    ],
  },
];
export const cases: Record<string, OpCase[]> = {
  And: pairs,
  Or: pairs,
  Xor: pairs,
  Not: [1, 3, 129].map((n) => ({
    name: `${n} elements`,
    inputs: [{ dims: [n], dtype: 'bool', range: [0, 1] as const }],
  })),
};
