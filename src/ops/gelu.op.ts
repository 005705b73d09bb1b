// Gelu, exact or by its tanh approximation, and the forms of it that ONNX Runtime's optimiser writes:
// com.microsoft.Gelu, BiasGelu and FastGelu, the latter two with a bias added first.

import { string } from '../ir/attributes';
import type { OpCase } from '../ir/opdef';
import type { Formula } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { erf, erfFunction, tanhFunction } from './wgsl/special-functions';

const forms = {
  none: {
    element: (x: number) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
    call: 'lepton_gelu',
    functions: {
      ...erfFunction,
      lepton_gelu: `
fn lepton_gelu(x: vec4f) -> vec4f {
  return 0.5 * x * (1.0 + lepton_erf(0.70710678 * x));
}`,
    },
    /** The distribution plus x times the density of the normal distribution. */
    slope(f: Formula, x: string): string {
      const below = f.mul(f.add(f.of('Erf', f.mul(x, Math.SQRT1_2)), 1), 0.5);
      const density = f.mul(f.of('Exp', f.mul(f.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return f.add(below, f.mul(x, density));
    },
  },
  tanh: {
    element: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    call: 'lepton_gelu_tanh',
    functions: {
      ...tanhFunction,
      // Far out tanh is ±1 whatever the cube, which must not overflow.
      lepton_gelu_tanh: `
fn lepton_gelu_tanh(x: vec4f) -> vec4f {
  return 0.5 * x * (1.0 + lepton_tanh(0.79788456 * x * (1.0 + 0.044715 * min(x * x, vec4f(1e4)))));
}`,
    },
    slope(f: Formula, x: string): string {
      const [scale, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
      const square = f.of('Min', f.mul(x, x), 1e4);
      const t = f.of('Tanh', f.mul(f.mul(x, scale), f.add(f.mul(square, cubic), 1)));
      const inner = f.mul(f.add(f.mul(square, 3 * cubic), 1), scale);
      const bent = f.mul(f.mul(x, f.sub(1, f.mul(t, t))), inner);
      return f.mul(f.add(f.add(t, 1), bent), 0.5);
    },
  },
};

function biased(name: string, arity: readonly [number, number], form: keyof typeof forms) {
  const { element, call, functions, slope } = forms[form];
  return pointwiseOp({
    name,
    types: 'float',
    arity,
    element:
      () =>
      (x, bias = 0) =>
        element(x + bias),
    wgsl: (_p, x, bias) => ({ expression: bias === '' ? `${call}(${x})` : `${call}(${x} + ${bias})`, functions }),
    grad({ f, gradient, inputs: [x = '', bias] }) {
      const share = f.mul(gradient, slope(f, bias ? f.add(x, bias) : x));
      return bias ? [share, share] : [share];
    },
  });
}

export default [
  pointwiseOp({
    name: 'Gelu',
    types: 'float',
    attributes: { approximate: string('none') },
    arity: [1, 1],
    element: (a) => forms[a.approximate === 'tanh' ? 'tanh' : 'none'].element,
    wgsl({ attributes: a }, x) {
      const { call, functions } = forms[a.approximate === 'tanh' ? 'tanh' : 'none'];
      return { expression: `${call}(${x})`, functions };
    },
    grad: ({ f, gradient, inputs: [x = ''], attributes: a }) => [
      f.mul(gradient, forms[a.approximate === 'tanh' ? 'tanh' : 'none'].slope(f, x)),
    ],
  }),
  biased('com.microsoft.Gelu', [1, 1], 'none'),
  biased('com.microsoft.BiasGelu', [2, 2], 'none'),
  biased('com.microsoft.FastGelu', [1, 2], 'tanh'),
];

const plain: OpCase[] = [
  { name: 'float32', inputs: [{ dims: [129], range: [-4, 4] }] },
  { name: 'large arguments', inputs: [{ dims: [5], values: [-1e18, -30, -5, 30, 1e18] }] },
];
const withBias: OpCase = { name: 'bias', inputs: [{ dims: [3, 5, 7], range: [-4, 4] }, { dims: [7] }] };

export const cases: Record<string, OpCase[]> = {
  Gelu: [
    ...plain,
    ...plain.map((c) => ({ ...c, name: `${c.name}, tanh`, attributes: { approximate: 'tanh' } })),
    { name: 'float16', inputs: [{ dims: [127], range: [-4, 4], dtype: 'float16' }] },
  ],
  'com.microsoft.Gelu': plain.slice(0, 1),
  'com.microsoft.BiasGelu': [withBias],
  'com.microsoft.FastGelu': [...plain, withBias],
};
