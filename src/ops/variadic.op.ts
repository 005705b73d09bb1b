// Max, Min, Sum and Mean of any number of inputs. Two inputs are one element-wise step; more become a chain
// of such steps, which fusion joins again as far as bindings allow.

import { type NDArray, ndarray } from '../base/ndarray';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase, type OpDef } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { narrow } from './wgsl/narrow';

type Spec = Parameters<typeof pointwiseOp>[0];

function variadic(spec: Pick<Spec, 'name' | 'element' | 'wgsl'>): OpDef {
  return {
    ...pointwiseOp({ ...spec, arity: [1, Number.POSITIVE_INFINITY] }),
    lower(n, b) {
      const names = n.node.inputs;
      if (names.length === 2) return undefined;
      return chain(spec.name, n, b);
    },
  };
}

function chain(op: string, n: NodeView, b: LowerBuilder): string[] {
  const [first, ...rest] = n.node.inputs as [string, ...string[]];
  if (rest.length === 0) return b.add('Identity', [first]);
  return [rest.reduce((sum, name) => b.add(op, [sum, name])[0] as string, first)];
}

const sum = (...args: number[]) => args.reduce((s, x) => s + x, 0);

const sumOp = variadic({ name: 'Sum', element: () => sum, wgsl: (p, a, b) => narrow(p.dtype, `${a} + ${b}`) });

const mean = defineOp({
  name: 'Mean',
  attributes: {},
  infer: (n) => sumOp.infer(n),
  reference(n, inputs) {
    const [total] = sumOp.reference(n, inputs) as [NDArray];
    total.data.forEach((x, i) => {
      total.data[i] = x / inputs.length;
    });
    return [total];
  },
  lower(n, b) {
    const [total] = chain('Add', n, b) as [string];
    return b.add('Mul', [total, b.constant(ndarray(n.input(0).dtype, [], [1 / n.inputs.length]))]);
  },
});

export default [
  variadic({ name: 'Max', element: () => Math.max, wgsl: (_p, a, b) => `max(${a}, ${b})` }),
  variadic({ name: 'Min', element: () => Math.min, wgsl: (_p, a, b) => `min(${a}, ${b})` }),
  sumOp,
  mean,
];

const counts: OpCase[] = [1, 2, 3, 5].map((count) => ({
  name: `${count} inputs`,
  inputs: Array.from({ length: count }, (_, i) => ({ dims: i % 2 ? [5, 1] : [3, 1, 7] })),
}));
const integers: OpCase = {
  name: 'int8',
  inputs: [
    { dims: [129], dtype: 'int8', range: [-100, 100] },
    { dims: [129], dtype: 'int8', range: [-100, 100] },
  ],
};
export const cases: Record<string, OpCase[]> = {
  Max: [...counts, integers],
  Min: [...counts, integers],
  Sum: [...counts, integers],
  Mean: counts,
};
