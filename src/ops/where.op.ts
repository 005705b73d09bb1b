// Where: elements of the second input where the condition holds, of the third elsewhere.

import type { DType } from '../base/dtype';
import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';

const where = pointwiseOp({
  name: 'Where',
  types: 'any',
  arity: [3, 3],
  agreeFrom: 1,
  result: (types) => types[1] as DType,
  element: () => (condition, a, b) => (condition ? a : b) as number,
  wgsl: (p, condition, a) => `select(${p.args[2]}, ${a}, ${condition})`,
  grad: ({ f, gradient, inputs: [condition = ''] }) => [
    undefined,
    f.keep(condition, gradient),
    f.choose(condition, 0, gradient),
  ],
});

export default {
  ...where,
  infer(n) {
    if (n.input(0).dtype !== 'bool') n.fail(`has a condition of type ${n.input(0).dtype}; expected bool`);
    return where.infer(n);
  },
} satisfies typeof where;

const condition = (dims: number[]) => ({ dims, dtype: 'bool' as const, range: [0, 1] as const });
export const cases: OpCase[] = [
  { name: 'equal shapes', inputs: [condition([129]), { dims: [129] }, { dims: [129] }] },
  { name: 'broadcast', inputs: [condition([4, 1]), { dims: [3, 1, 5] }, { dims: [] }] },
  { name: 'int64', inputs: [condition([5]), { dims: [5], dtype: 'int64' }, { dims: [1], dtype: 'int64' }] },
  { name: 'bool', inputs: [condition([7]), condition([7]), condition([1])] },
  { name: 'uint8', inputs: [condition([2, 3]), { dims: [3], dtype: 'uint8' }, { dims: [2, 3], dtype: 'uint8' }] },
];
