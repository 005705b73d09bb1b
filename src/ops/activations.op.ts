// Activation functions: element-wise, of floats (Relu of every number), most with a slope or threshold as
// attribute. None overflows on the way to a finite result, and NaN stays NaN: comparisons with it are false, which
// decides how each is written.

import type { DType } from '../base/dtype';
import { float } from '../ir/attributes';
import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { specialValues } from './special-values';
import { computeScalar, literal } from './wgsl/elements';
import { sigmoid, sigmoidFunction } from './wgsl/special-functions';

const f = (value: number) => literal('float32', value);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamp01 = (x: number) => Math.min(Math.max(x, 0), 1);

/** x · sigmoid(alpha · x), times a second input where the operator has one. */
const sigmoidWeighted = (name: string, fallback: number, inputs: 1 | 2 = 1) =>
  pointwiseOp({
    name,
    types: 'float',
    attributes: { alpha: float(fallback) },
    arity: [inputs, inputs],
    element:
      ({ alpha }) =>
      (x, value = 1) =>
        x * sigmoid(alpha * x) * value,
    wgsl({ attributes: { alpha } }, x, value) {
      const weighted = `${x} * lepton_sigmoid(${alpha === 1 ? x : `${f(alpha)} * ${x}`})`;
      return { expression: inputs === 1 ? weighted : `${weighted} * ${value}`, functions: sigmoidFunction };
    },
    // With s = sigmoid(alpha x) and w = x s: dw/dx = s + alpha w (1 - s).
    grad({ f, gradient, inputs: [x = '', value], attributes: { alpha } }) {
      const s = f.of('Sigmoid', alpha === 1 ? x : f.mul(x, alpha));
      const w = f.mul(x, s);
      const slope = f.add(s, f.mul(f.mul(w, alpha), f.sub(1, s)));
      if (value === undefined) return [f.mul(gradient, slope)];
      return [f.mul(f.mul(gradient, value), slope), f.mul(gradient, w)];
    },
  });

export default [
  pointwiseOp({
    name: 'Relu',
    arity: [1, 1],
    element: () => (x) => Math.max(x, 0),
    wgsl: (p, x) => `select(${x}, ${p.vec}(), ${x} < ${p.vec}())`,
    grad: ({ f, gradient, output }) => [f.keep(f.greater(output, 0), gradient)],
  }),
  pointwiseOp({
    name: 'LeakyRelu',
    types: 'float',
    attributes: { alpha: float(0.01) },
    arity: [1, 1],
    element:
      ({ alpha }) =>
      (x) =>
        x < 0 ? alpha * x : x,
    wgsl: (p, x) => `select(${x}, ${f(p.attributes.alpha)} * ${x}, ${x} < vec4f())`,
    grad: ({ f, gradient, inputs: [x = ''], attributes: { alpha } }) => [
      f.choose(f.less(x, 0), f.mul(gradient, alpha), gradient),
    ],
  }),
  pointwiseOp({
    name: 'PRelu',
    arity: [2, 2],
    element: () => (x, slope) => (x < 0 ? slope * x : x),
    wgsl(p, x, slope) {
      // Unsigned numbers have no negative side.
      return computeScalar(p.dtype) === 'u32' ? x : `select(${x}, ${slope} * ${x}, ${x} < ${p.vec}())`;
    },
    grad({ f, gradient, inputs: [x = '', slope = ''] }) {
      const below = f.less(x, 0);
      return [f.choose(below, f.mul(gradient, slope), gradient), f.keep(below, f.mul(gradient, x))];
    },
  }),
  pointwiseOp({
    name: 'Elu',
    types: 'float',
    attributes: { alpha: float(1) },
    arity: [1, 1],
    element:
      ({ alpha }) =>
      (x) =>
        x < 0 ? alpha * Math.expm1(x) : x,
    wgsl: (p, x) => `select(${x}, ${f(p.attributes.alpha)} * (exp(min(${x}, vec4f())) - 1.0), ${x} < vec4f())`,
    grad: ({ f, gradient, inputs: [x = ''], output, attributes: { alpha } }) => [
      f.choose(f.less(x, 0), f.mul(gradient, f.add(output, alpha)), gradient),
    ],
  }),
  pointwiseOp({
    name: 'Celu',
    types: 'float',
    attributes: { alpha: float(1) },
    arity: [1, 1],
    element:
      ({ alpha }) =>
      (x) =>
        x < 0 ? alpha * Math.expm1(x / alpha) : x,
    wgsl(p, x) {
      const alpha = f(p.attributes.alpha);
      return `select(${x}, ${alpha} * (exp(min(${x} / ${alpha}, vec4f(80.0))) - 1.0), ${x} < vec4f())`;
    },
    grad: ({ f, gradient, inputs: [x = ''], output, attributes: { alpha } }) => [
      f.choose(f.less(x, 0), f.mul(gradient, f.add(f.div(output, alpha), 1)), gradient),
    ],
  }),
  pointwiseOp({
    name: 'Selu',
    types: 'float',
    attributes: { alpha: float(1.6732632423543772), gamma: float(1.0507009873554805) },
    arity: [1, 1],
    element:
      ({ alpha, gamma }) =>
      (x) =>
        gamma * (x <= 0 ? alpha * Math.expm1(x) : x),
    wgsl: ({ attributes: a }, x) =>
      `${f(a.gamma)} * select(${x}, ${f(a.alpha)} * (exp(min(${x}, vec4f())) - 1.0), ${x} <= vec4f())`,
    grad: ({ f, gradient, inputs: [x = ''], output, attributes: { alpha, gamma } }) => [
      f.mul(gradient, f.choose(f.of('LessOrEqual', x, 0), f.add(output, alpha * gamma), gamma)),
    ],
  }),
  pointwiseOp({
    name: 'ThresholdedRelu',
    types: 'float',
    attributes: { alpha: float(1) },
    arity: [1, 1],
    element:
      ({ alpha }) =>
      (x) =>
        x > alpha ? x : 0,
    wgsl: (p, x) => `select(vec4f(), ${x}, ${x} > vec4f(${f(p.attributes.alpha)}))`,
    grad: ({ f, gradient, inputs: [x = ''], attributes: { alpha } }) => [f.keep(f.greater(x, alpha), gradient)],
  }),
  pointwiseOp({
    name: 'Sigmoid',
    types: 'float',
    arity: [1, 1],
    element: () => sigmoid,
    wgsl: (_p, x) => ({ expression: `lepton_sigmoid(${x})`, functions: sigmoidFunction }),
    grad: ({ f, gradient, output }) => [f.mul(gradient, f.mul(output, f.sub(1, output)))],
  }),
  pointwiseOp({
    name: 'HardSigmoid',
    types: 'float',
    attributes: { alpha: float(0.2), beta: float(0.5) },
    arity: [1, 1],
    element:
      ({ alpha, beta }) =>
      (x) =>
        clamp01(alpha * x + beta),
    wgsl: ({ attributes: a }, x) => ({
      expression: `lepton_clamp_unit(${f(a.alpha)} * ${x} + ${f(a.beta)})`,
      functions: clampFunction,
    }),
    grad: ({ f, gradient, output, attributes: { alpha } }) => [
      f.keep(f.of('And', f.greater(output, 0), f.less(output, 1)), f.mul(gradient, alpha)),
    ],
  }),
  pointwiseOp({
    name: 'HardSwish',
    types: 'float',
    arity: [1, 1],
    element: () => (x) => x * clamp01(x / 6 + 0.5),
    wgsl: (_p, x) => ({
      expression: `${x} * lepton_clamp_unit(${x} * ${f(1 / 6)} + 0.5)`,
      functions: clampFunction,
    }),
    grad({ f, gradient, inputs: [x = ''] }) {
      const inside = f.mul(gradient, f.add(f.div(x, 3), 0.5));
      return [f.choose(f.less(x, 3), f.keep(f.greater(x, -3), inside), gradient)];
    },
  }),
  sigmoidWeighted('Swish', 1),
  sigmoidWeighted('com.microsoft.QuickGelu', 1.702),
  sigmoidWeighted('SwiGLU', 1, 2),
  pointwiseOp({
    name: 'Softplus',
    types: 'float',
    arity: [1, 1],
    element: () => softplus,
    wgsl: (_p, x) => `select(${x}, vec4f(), ${x} < vec4f()) + log(1.0 + exp(-abs(${x})))`,
    grad: ({ f, gradient, inputs: [x = ''] }) => [f.mul(gradient, f.of('Sigmoid', x))],
  }),
  pointwiseOp({
    name: 'Softsign',
    types: 'float',
    arity: [1, 1],
    element: () => (x) => x / (1 + Math.abs(x)),
    wgsl: (_p, x) => `${x} / (1.0 + abs(${x}))`,
    grad({ f, gradient, inputs: [x = ''] }) {
      const below = f.add(f.of('Abs', x), 1);
      return [f.div(f.div(gradient, below), below)];
    },
  }),
  pointwiseOp({
    name: 'Mish',
    types: 'float',
    arity: [1, 1],
    element: () => (x) => x * Math.tanh(softplus(x)),
    wgsl: (_p, x) => ({ expression: `lepton_mish(${x})`, functions: mishFunction }),
    // With t = tanh(softplus(x)): t + x (1 - t²) sigmoid(x).
    grad({ f, gradient, inputs: [x = ''] }) {
      const t = f.of('Tanh', f.of('Softplus', x));
      const bent = f.mul(f.mul(x, f.of('Sigmoid', x)), f.sub(1, f.mul(t, t)));
      return [f.mul(gradient, f.add(t, bent))];
    },
  }),
  pointwiseOp({
    name: 'Shrink',
    attributes: { bias: float(0), lambd: float(0.5) },
    arity: [1, 1],
    element:
      ({ bias, lambd }) =>
      (x) =>
        x < -lambd ? x + bias : x > lambd ? x - bias : 0,
    wgsl({ attributes: a, dtype, vec }, x) {
      // Integers are compared as floats, since the threshold need not be whole.
      const real = `vec4f(${x})`;
      const shrunk = `select(select(vec4f(), ${real} - ${f(a.bias)}, ${real} > vec4f(${f(a.lambd)})), ${real} + ${f(a.bias)}, ${real} < vec4f(${f(-a.lambd)}))`;
      return computeScalar(dtype) === 'f32' ? shrunk : `${vec}(${shrunk})`;
    },
    grad: ({ f, gradient, inputs: [x = ''], attributes: { lambd } }) => [
      f.keep(f.of('Or', f.less(x, -lambd), f.greater(x, lambd)), gradient),
    ],
  }),
];

// tanh(ln(1 + e)) with e = exp(x) is n / (n + 2), n = e (e + 2).
const mishFunction = {
  lepton_mish: `
fn lepton_mish(x: vec4f) -> vec4f {
  let e = exp(min(x, vec4f(20.0)));
  let n = e * (e + 2.0);
  return x * (n / (n + 2.0));
}`,
};

const clampFunction = {
  lepton_clamp_unit: `
fn lepton_clamp_unit(x: vec4f) -> vec4f {
  return select(select(x, vec4f(1.0), x > vec4f(1.0)), vec4f(), x < vec4f());
}`,
};

const around: OpCase[] = [
  { name: 'float32', inputs: [{ dims: [129], range: [-4, 4] }] },
  { name: 'large arguments', inputs: [{ dims: [6], values: [-1e9, -300, -20, 20, 300, 1e9] }] },
  { name: 'float16', inputs: [{ dims: [127], range: [-4, 4], dtype: 'float16' }] },
  specialValues,
];
const and = (name: string, attributes: Record<string, number>, dtype: DType = 'float32'): OpCase[] => [
  ...around,
  { name, attributes, inputs: [{ dims: [3, 43], range: [-4, 4], dtype }] },
];

export const cases: Record<string, OpCase[]> = {
  Relu: [
    ...[1, 3, 127, 128, 129].map((n) => ({ name: `${n} elements`, inputs: [{ dims: [n] }] })),
    { name: 'int8', inputs: [{ dims: [5], dtype: 'int8', values: [-128, -1, 0, 1, 127] }] },
  ],
  LeakyRelu: and('slope', { alpha: 0.3 }),
  PRelu: [
    { name: 'one slope', inputs: [{ dims: [2, 3, 5] }, { dims: [1] }] },
    { name: 'slope a channel', inputs: [{ dims: [2, 3, 5, 4] }, { dims: [3, 1, 1] }] },
    {
      name: 'int32',
      inputs: [
        { dims: [5], dtype: 'int32', range: [-9, 9] },
        { dims: [5], dtype: 'int32' },
      ],
    },
  ],
  Elu: and('slope', { alpha: 2 }),
  Celu: and('slope', { alpha: 2.5 }),
  Selu: and('attributes', { alpha: 2, gamma: 3 }),
  ThresholdedRelu: and('threshold', { alpha: 0.5 }),
  Sigmoid: around,
  HardSigmoid: and('attributes', { alpha: 1 / 6, beta: 0.4 }),
  HardSwish: around,
  Swish: and('slope', { alpha: 0.5 }),
  'com.microsoft.QuickGelu': around,
  SwiGLU: [
    { name: 'slope', inputs: [{ dims: [3, 43], range: [-4, 4] }, { dims: [3, 43] }], attributes: { alpha: 0.5 } },
  ],
  Softplus: around,
  Softsign: around,
  Mish: around,
  Shrink: [...and('soft', { bias: 1.5, lambd: 1.5 }), ...and('int8', { bias: 1, lambd: 1.5 }, 'int8').slice(-1)],
};
