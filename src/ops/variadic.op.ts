// Max, Min, Sum and Mean of any number of inputs. Two inputs are one element-wise step; more become a chain
// of such steps, which fusion joins again as far as bindings allow.

import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { defineOp, type LowerBuilder, type OpCase, type OpDef } from '../ir/opdef';
import { boundsNothing } from './bounds';
import { pointwiseOp } from './pointwise-op';
import { specialPairs } from './special-values';
import { computeScalar } from './wgsl/elements';
import { maxFunction, minFunction } from './wgsl/special-functions';
import { arithmetic } from './wgsl/wide-integers';

type Spec = Parameters<typeof pointwiseOp>[0];

/** @param bounds the end of the range that each input limits the others at, where it does */
function variadic(spec: Pick<Spec, 'name' | 'element' | 'wgsl' | 'grad'>, bounds?: 'low' | 'high'): OpDef {
  const op = pointwiseOp({ ...spec, arity: [1, Number.POSITIVE_INFINITY] });
  return {
    ...op,
    infer(n) {
      n.inputs.forEach((_, i) => {
        n.input(i); // none is optional
      });
      return op.infer(n);
    },
    lower(n, b) {
      // The shape must come from elsewhere for a bound to go.
      const shaped = n.inputs.some((t) => t && !t.isConstant && t.dims.length === n.output(0).dims.length);
      const names = n.node.inputs.filter((_, i) => !(bounds && shaped && boundsNothing(n.inputs[i], bounds)));
      if (names.length === 2 && n.inputs.length === 2) return undefined;
      return chain(spec.name, names, b);
    },
  };
}

function chain(op: string, names: readonly string[], b: LowerBuilder): string[] {
  const [first, ...rest] = names as [string, ...string[]];
  if (rest.length === 0) return b.add('Identity', [first]);
  return [rest.reduce((sum, name) => b.add(op, [sum, name])[0] as string, first)];
}

/** Of floats NaN wins, whichever side it is on. */
function extreme(dtype: DType, which: 'max' | 'min', a: string, b: string) {
  if (computeScalar(dtype) !== 'f32') return `${which}(${a}, ${b})`;
  return { expression: `lepton_${which}(${a}, ${b})`, functions: which === 'max' ? maxFunction : minFunction };
}

const sum = (...args: number[]) => args.reduce((s, x) => s + x, 0);

const sumOp = variadic({
  name: 'Sum',
  element: () => sum,
  wgsl: (p, a, b) => arithmetic(p.dtype, 'add', p.vec, a, b),
  grad: ({ gradient, inputs }) => inputs.map(() => gradient),
});

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
    const [total] = chain('Add', n.node.inputs, b) as [string];
    return b.add('Mul', [total, b.constant(ndarray(n.input(0).dtype, [], [1 / n.inputs.length]))]);
  },
});

/** Of equal inputs the first has it all. */
const toTheExtreme: Spec['grad'] = ({ f, gradient, inputs, output }) => {
  let open: string | undefined;
  return inputs.map((x, i) => {
    const [found, before] = [f.of('Equal', x, output), open];
    const mine = i === inputs.length - 1 ? before : before ? f.of('And', before, found) : found;
    const rest = f.of('Not', found);
    open = before ? f.of('And', before, rest) : rest;
    return mine ? f.keep(mine, gradient) : gradient;
  });
};

export default [
  variadic(
    { name: 'Max', element: () => Math.max, wgsl: (p, a, b) => extreme(p.dtype, 'max', a, b), grad: toTheExtreme },
    'low',
  ),
  variadic(
    { name: 'Min', element: () => Math.min, wgsl: (p, a, b) => extreme(p.dtype, 'min', a, b), grad: toTheExtreme },
    'high',
  ),
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
const withBound = (value: number): OpCase => ({
  name: `int64 and the bound ${value}`,
  inputs: [
    { dims: [3], dtype: 'int64', values: [-3, 0, 2 ** 31 - 1] },
    { dims: [1], dtype: 'int64', values: [value], constant: true },
  ],
});
export const cases: Record<string, OpCase[]> = {
  Max: [specialPairs, ...counts, integers, withBound(-(2 ** 63))],
  Min: [specialPairs, ...counts, integers, withBound(2 ** 63)],
  Sum: [...counts, integers],
  Mean: counts,
};
