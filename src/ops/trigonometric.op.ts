// Circular and hyperbolic functions and their inverses, of floats.

import type { OpCase } from '../ir/opdef';
import type { Formula } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { specialValues } from './special-values';
import { acosFunction, asinFunction, atanFunction, cosFunction, sinFunction } from './wgsl/circular-functions';
import { acoshFunction, asinhFunction, atanhFunction, coshFunction, sinhFunction } from './wgsl/hyperbolic-functions';
import { tanhFunction } from './wgsl/special-functions';

const trigonometric = (
  name: string,
  element: (x: number) => number,
  functions: Record<string, string>,
  /** The derivative times the gradient. */
  slope: (f: Formula, gradient: string, x: string, y: string) => string,
  wgsl = (x: string) => `lepton_${name.toLowerCase()}(${x})`,
) =>
  pointwiseOp({
    name,
    types: 'float',
    arity: [1, 1],
    element: () => element,
    wgsl: (_p, x) => ({ expression: wgsl(x), functions }),
    grad: ({ f, gradient, inputs: [x = ''], output }) => [slope(f, gradient, x, output)],
  });

export default [
  trigonometric('Sin', Math.sin, sinFunction, (f, g, x) => f.mul(g, f.of('Cos', x))),
  trigonometric('Cos', Math.cos, cosFunction, (f, g, x) => f.neg(f.mul(g, f.of('Sin', x)))),
  trigonometric(
    'Tan',
    Math.tan,
    { ...sinFunction, ...cosFunction },
    (f, g, _x, y) => f.mul(g, f.add(f.mul(y, y), 1)),
    (x) => `lepton_sin(${x}) / lepton_cos(${x})`,
  ),
  trigonometric('Asin', Math.asin, asinFunction, (f, g, x) => f.div(g, f.of('Sqrt', f.sub(1, f.mul(x, x))))),
  trigonometric('Acos', Math.acos, acosFunction, (f, g, x) => f.neg(f.div(g, f.of('Sqrt', f.sub(1, f.mul(x, x)))))),
  trigonometric('Atan', Math.atan, atanFunction, (f, g, x) => f.div(g, f.add(f.mul(x, x), 1))),
  trigonometric('Sinh', Math.sinh, sinhFunction, (f, g, x) => f.mul(g, f.of('Cosh', x))),
  trigonometric('Cosh', Math.cosh, coshFunction, (f, g, x) => f.mul(g, f.of('Sinh', x))),
  trigonometric('Asinh', Math.asinh, asinhFunction, (f, g, x) => f.div(g, f.of('Sqrt', f.add(f.mul(x, x), 1)))),
  trigonometric('Acosh', Math.acosh, acoshFunction, (f, g, x) => f.div(g, f.of('Sqrt', f.sub(f.mul(x, x), 1)))),
  trigonometric('Atanh', Math.atanh, atanhFunction, (f, g, x) => f.div(g, f.sub(1, f.mul(x, x)))),
  trigonometric('Tanh', Math.tanh, tanhFunction, (f, g, _x, y) => f.mul(g, f.sub(1, f.mul(y, y)))),
];

const finite = (...values: number[]): OpCase => ({
  name: 'tiny and huge',
  inputs: [{ dims: [values.length], values }],
});
const over = (range: readonly [number, number], ...more: OpCase[]): OpCase[] => [
  { name: 'float32', inputs: [{ dims: [129], range }] },
  { name: 'float16', inputs: [{ dims: [9], range, dtype: 'float16' }] },
  ...more,
];
// No float32 can tell where in a turn a huge argument lies.
const turns = over(
  [-3, 3],
  { name: 'many turns', inputs: [{ dims: [129], range: [-9e3, 9e3] }] },
  {
    name: 'special values',
    inputs: [{ dims: [6], values: [Number.NaN, Infinity, -Infinity, 0, 1e-20, -1e-3] }],
  },
);

export const cases: Record<string, OpCase[]> = {
  Sin: turns,
  Cos: turns,
  Tan: over([-1.4, 1.4]),
  Asin: over([-1, 1], specialValues),
  Acos: over([-1, 1], specialValues),
  Atan: over([-20, 20], specialValues),
  Sinh: over([-4, 4], finite(-89, -1e-4, 1e-6, 80), specialValues),
  Cosh: over([-4, 4], specialValues),
  Asinh: over([-100, 100], finite(-1e30, -1e-4, 1e-6, 1e18), specialValues),
  Acosh: over([1, 20], finite(1.0001, 1e30), specialValues),
  Atanh: over([-0.99, 0.99], finite(-0.9999, -1e-4, 1e-6), specialValues),
  Tanh: over([-4, 4], finite(-1e30, -100, -1e-4, 1e-6, 50, 1e30), specialValues),
};
