// The optimisers of ai.onnx.preview.training: Adagrad, Adam and Momentum. One node updates any number of tensors.
// Inputs: learning rate R, count of steps so far T (both scalars), then the tensors X, their gradients G and
// their running averages, each kind one after another; outputs: new X, then new averages, in the same order.

import { isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import { type AttributeSchema, type AttributesOf, float, required } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { type Arithmetic, hostArithmetic, valueArithmetic } from './formula';

interface Step<T> {
  readonly rate: T;
  readonly count: T;
  readonly x: T;
  readonly gradient: T;
  readonly averages: readonly T[];
}

/** The new tensor, then its new averages. */
type Rule<A> = <T>(m: Arithmetic<T>, attributes: A, step: Step<T>) => T[];

function optimiser<S extends AttributeSchema>(
  name: string,
  attributes: S,
  averages: number,
  rule: Rule<AttributesOf<S>>,
  problem?: (attributes: AttributesOf<S>) => string | undefined,
) {
  /** Input `2 + kind · tensors + i` is tensor i's X (kind 0), gradient (1) or average (2, 3). */
  const tensors = (n: NodeView<AttributesOf<S>>): number => {
    const count = (n.inputs.length - 2) / (2 + averages);
    if (!Number.isInteger(count) || count < 1) {
      n.fail(`has ${n.inputs.length} inputs; expected 2, and ${2 + averages} for each tensor`);
    }
    return count;
  };
  return defineOp<S>({
    name: `ai.onnx.preview.training.${name}`,
    attributes,
    infer(n) {
      const count = tensors(n);
      const wrong = problem?.(n.attributes);
      if (wrong) n.fail(wrong);
      for (const i of [0, 1]) if (sizeOf(n.input(i).dims) !== 1) n.fail(`needs a scalar as its input ${i}`);
      const list = Array.from({ length: count }, (_, i) => n.input(2 + i));
      list.forEach(({ dtype, dims }, i) => {
        if (!isFloat(dtype)) n.fail(`updates a tensor of ${dtype} (input ${2 + i}); expected floats`);
        for (let kind = 1; kind < 2 + averages; kind++) {
          const other = n.input(2 + kind * count + i);
          if (other.dtype !== dtype || !sameDims(other.dims, dims)) {
            n.fail(`needs ${dtype} of shape ${formatDims(dims)} as its input ${2 + kind * count + i}`);
          }
        }
      });
      return Array.from({ length: 1 + averages }, () => list.map(({ dtype, dims }) => ({ dtype, dims }))).flat();
    },
    reference(n, inputs) {
      const count = tensors(n);
      const [rate, steps, ...rest] = inputs as readonly NDArray[];
      const of = (kind: number, i: number) => rest[kind * count + i] as NDArray;
      const outputs = rest.slice(0, count * (1 + averages)).map((_, k) => {
        const { dtype, dims } = of(0, k % count);
        return ndarray(dtype, dims);
      });
      for (let i = 0; i < count; i++) {
        of(0, i).data.forEach((x, e) => {
          const element = (kind: number) => of(kind, i).data[e] as number;
          const results = rule(hostArithmetic, n.attributes, {
            rate: rate?.data[0] as number,
            count: steps?.data[0] as number,
            x,
            gradient: element(1),
            averages: Array.from({ length: averages }, (_, a) => element(2 + a)),
          });
          results.forEach((value, kind) => {
            (outputs[kind * count + i] as NDArray).data[e] = value;
          });
        });
      }
      return outputs;
    },
    lower(n, b) {
      const count = tensors(n);
      const [rate, steps, ...rest] = n.node.inputs as [string, string, ...string[]];
      const results = Array.from({ length: count }, (_, i) => {
        const { dtype, dims } = n.input(2 + i);
        const as = (name: string) => {
          const [cast] = b.add('Cast', [name], { to: numberOfDType(dtype) }) as [string];
          // A scalar of rank 1 would stretch tensors of rank 0.
          return dims.length > 0 ? cast : (b.add('Squeeze', [cast])[0] as string);
        };
        return rule(valueArithmetic(b, dtype), n.attributes, {
          rate: as(rate),
          count: as(steps),
          x: rest[i] as string,
          gradient: rest[count + i] as string,
          averages: Array.from({ length: averages }, (_, a) => rest[(2 + a) * count + i] as string),
        });
      });
      return Array.from({ length: 1 + averages }, (_, kind) => results.map((r) => r[kind] as string)).flat();
    },
  });
}

/** gradient + weight · x */
function regularised<T>(m: Arithmetic<T>, weight: number, { x, gradient }: Step<T>): T {
  return weight === 0 ? gradient : m.add(m.multiply(m.number(weight), x), gradient);
}

/** weight · average + (1 - weight) · value */
function averaged<T>(m: Arithmetic<T>, weight: number, average: T, value: T): T {
  return m.add(m.multiply(m.number(weight), average), m.multiply(m.number(1 - weight), value));
}

export default [
  optimiser(
    'Adagrad',
    { decay_factor: float(0), epsilon: float(1e-6), norm_coefficient: float(0) },
    1,
    (m, a, step) => {
      const gradient = regularised(m, a.norm_coefficient, step);
      const rate = m.divide(step.rate, m.add(m.number(1), m.multiply(step.count, m.number(a.decay_factor))));
      const [squares] = step.averages as readonly [typeof gradient];
      const sum = m.add(squares, m.multiply(gradient, gradient));
      const scale = m.add(m.sqrt(sum), m.number(a.epsilon));
      return [m.subtract(step.x, m.divide(m.multiply(rate, gradient), scale)), sum];
    },
  ),
  optimiser(
    'Adam',
    {
      alpha: float(0.9),
      beta: float(0.999),
      epsilon: float(1e-6),
      norm_coefficient: float(0),
      norm_coefficient_post: float(0),
    },
    2,
    (m, a, step) => {
      const gradient = regularised(m, a.norm_coefficient, step);
      const [first, second] = step.averages as readonly [typeof gradient, typeof gradient];
      const mean = averaged(m, a.alpha, first, gradient);
      const square = averaged(m, a.beta, second, m.multiply(gradient, gradient));
      const left = (weight: number) => m.subtract(m.number(1), m.power(m.number(weight), step.count));
      const corrected = m.divide(m.multiply(step.rate, m.sqrt(left(a.beta))), left(a.alpha));
      const rate = m.ifPositive(step.count, corrected, step.rate);
      const scale = m.add(m.sqrt(square), m.number(a.epsilon));
      const x = m.subtract(step.x, m.divide(m.multiply(rate, mean), scale));
      const post = a.norm_coefficient_post;
      return [post === 0 ? x : m.multiply(m.number(1 - post), x), mean, square];
    },
  ),
  optimiser(
    'Momentum',
    { alpha: required('float'), beta: required('float'), mode: required('string'), norm_coefficient: float(0) },
    1,
    (m, a, step) => {
      const gradient = regularised(m, a.norm_coefficient, step);
      const [velocity] = step.averages as readonly [typeof gradient];
      const share = m.ifPositive(step.count, m.number(a.beta), m.number(1));
      const next = m.add(m.multiply(m.number(a.alpha), velocity), m.multiply(share, gradient));
      const way = a.mode === 'nesterov' ? m.add(gradient, m.multiply(m.number(a.alpha), next)) : next;
      return [m.subtract(step.x, m.multiply(step.rate, way)), next];
    },
    ({ mode }) =>
      ['standard', 'nesterov'].includes(mode) ? undefined : `has the mode "${mode}"; expected "standard" or "nesterov"`,
  ),
];

const r = { dims: [], values: [0.1] };
const t = (count: number, dims: number[] = []) => ({ dims, dtype: 'int64' as const, values: [count] });
const x = { dims: [129] };
const square = { dims: [129], range: [0, 1] as const };
const point = { dims: [], values: [0.5] };
const some: Record<string, number> = { norm_coefficient: 0.01 };

export const cases: Record<string, OpCase[]> = {
  'ai.onnx.preview.training.Adagrad': [
    { name: 'one tensor', inputs: [r, t(3), x, x, square], attributes: { ...some, decay_factor: 0.1 }, outputs: 2 },
    { name: 'two tensors', inputs: [r, t(0), x, point, x, point, square, point], outputs: 4 },
  ],
  'ai.onnx.preview.training.Adam': [
    { name: 'first step', inputs: [r, t(0), x, x, x, square], outputs: 3 },
    {
      // 1 - beta^T cancels.
      tolerance: 1e-4,
      name: 'two tensors, later',
      inputs: [r, t(5, [1]), x, point, x, point, x, point, square, point],
      attributes: { ...some, norm_coefficient_post: 0.1 },
      outputs: 6,
    },
  ],
  'ai.onnx.preview.training.Momentum': ['standard', 'nesterov'].flatMap((mode) =>
    [0, 2].map((count) => ({
      name: `${mode}, step ${count}`,
      inputs: [r, t(count), x, x, x],
      attributes: { ...some, alpha: 0.9, beta: 0.8, mode },
      outputs: 2,
    })),
  ),
};
