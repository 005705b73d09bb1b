// Circular and hyperbolic functions and their inverses, of floats.

import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { tanhFunction } from './wgsl/special-functions';

const trigonometric = (
  name: string,
  element: (x: number) => number,
  wgsl = (x: string) => `${name.toLowerCase()}(${x})`,
) => pointwiseOp({ name, types: 'float', arity: [1, 1], element: () => element, wgsl: (_p, x) => wgsl(x) });

export default [
  trigonometric('Sin', Math.sin),
  trigonometric('Cos', Math.cos),
  trigonometric('Tan', Math.tan),
  trigonometric('Asin', Math.asin),
  trigonometric('Acos', Math.acos),
  trigonometric('Atan', Math.atan),
  trigonometric('Sinh', Math.sinh),
  trigonometric('Cosh', Math.cosh),
  // For large negative x, log(x + sqrt(x² + 1)) cancels.
  trigonometric('Asinh', Math.asinh, (x) => `sign(${x}) * asinh(abs(${x}))`),
  trigonometric('Acosh', Math.acosh),
  trigonometric('Atanh', Math.atanh),
  pointwiseOp({
    name: 'Tanh',
    types: 'float',
    arity: [1, 1],
    element: () => Math.tanh,
    wgsl: (_p, x) => ({ expression: `lepton_tanh(${x})`, functions: tanhFunction }),
  }),
];

// WGSL grants these functions wide error bounds: an absolute 2^-11 for sine, 4096 ULP for arc tangent.
const over = (range: readonly [number, number]): OpCase[] => [
  { name: 'float32', inputs: [{ dims: [129], range }], tolerance: 1e-3 },
  { name: 'float16', inputs: [{ dims: [9], range, dtype: 'float16' }], tolerance: 4e-3 },
];

export const cases: Record<string, OpCase[]> = {
  Sin: over([-3, 3]),
  Cos: over([-3, 3]),
  Tan: over([-1.4, 1.4]),
  Asin: over([-1, 1]),
  Acos: over([-1, 1]),
  Atan: over([-20, 20]),
  Sinh: over([-4, 4]),
  Cosh: over([-4, 4]),
  Asinh: over([-100, 100]),
  Acosh: over([1, 20]),
  Atanh: over([-0.99, 0.99]),
  Tanh: [
    { name: 'float32', inputs: [{ dims: [129], range: [-4, 4] }] },
    { name: 'tiny and huge', inputs: [{ dims: [6], values: [-1e30, -100, -1e-4, 1e-6, 50, 1e30] }] },
  ],
};
