// The arithmetic of numbers of every type: sums, products, quotients, remainders and signs. Integers wrap
// around as in two's complement; dividing an integer by zero gives 0, as NumPy does.

import { type DType, isFloat } from '../base/dtype';
import { int } from '../ir/attributes';
import type { OpCase } from '../ir/opdef';
import { flat } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { integerPairs, specialPairs, specialValues } from './special-values';
import { computeScalar } from './wgsl/elements';
import { narrow } from './wgsl/narrow';
import { isNaNFunction } from './wgsl/special-functions';
import { arithmetic } from './wgsl/wide-integers';

// A plain product of doubles would lose the low bits that wrapping keeps.
const multiply = (types: readonly (DType | undefined)[]) =>
  types[0] === 'int32' || types[0] === 'uint32' ? Math.imul : (a: number, b: number) => a * b;

const divisionFunction = (scalar: string) => ({
  [`lepton_divide_${scalar}`]: `
fn lepton_divide_${scalar}(a: vec4<${scalar}>, b: vec4<${scalar}>) -> vec4<${scalar}> {
  let zero = b == vec4<${scalar}>();
  return select(a / select(b, vec4<${scalar}>(1), zero), vec4<${scalar}>(), zero);
}`,
});

const remainderFunctions = {
  // Exact, as long division in base 2: from the largest power of two times the divisor down to the divisor itself.
  f32: `
fn lepton_remainder_f32(a: vec4f, b: vec4f) -> vec4f {
  let d = abs(b);
  var r = abs(a);
  let defined = (d > vec4f()) & (r <= vec4f(3.4028234e38));
  var step = d;
  var below = defined & (step <= r * 0.5);
  while (any(below)) {
    step = select(step, step * 2.0, below);
    below = defined & (step <= r * 0.5);
  }
  r = select(r, r - step, defined & (step <= r));
  while (any(defined & (step > d))) {
    step = select(step, step * 0.5, step > d);
    r = select(r, r - step, defined & (step <= r));
  }
  return select(vec4f(lepton_bits(0x7fc00000u)), select(r, -r, bitcast<vec4i>(a) < vec4i()), defined);
}`,
  i32: `
fn lepton_remainder_i32(a: vec4i, b: vec4i) -> vec4i {
  let zero = b == vec4i();
  return select(a % select(b, vec4i(1), zero), vec4i(), zero);
}`,
  u32: `
fn lepton_remainder_u32(a: vec4u, b: vec4u) -> vec4u {
  let zero = b == vec4u();
  return select(a % select(b, vec4u(1u), zero), vec4u(), zero);
}`,
};

/** The remainder with the sign of the divisor. */
const floorFunction = (scalar: 'f32' | 'i32') => ({
  [`lepton_modulo_${scalar}`]: `
fn lepton_modulo_${scalar}(a: vec4<${scalar}>, b: vec4<${scalar}>) -> vec4<${scalar}> {
  let r = lepton_remainder_${scalar}(a, b);
  return select(r, r + b, (r != vec4<${scalar}>()) & ((r < vec4<${scalar}>()) != (b < vec4<${scalar}>())));
}`,
});

function modulo(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

export default [
  pointwiseOp({
    name: 'Add',
    arity: [2, 2],
    element: () => (a, b) => a + b,
    wgsl: (p, a, b) => arithmetic(p.dtype, 'add', p.vec, a, b),
    grad: ({ gradient }) => [gradient, gradient],
  }),
  pointwiseOp({
    name: 'Sub',
    arity: [2, 2],
    element: () => (a, b) => a - b,
    wgsl: (p, a, b) => arithmetic(p.dtype, 'subtract', p.vec, a, b),
    grad: ({ f, gradient }) => [gradient, f.neg(gradient)],
  }),
  pointwiseOp({
    name: 'Mul',
    arity: [2, 2],
    element: (_, types) => multiply(types),
    wgsl: (p, a, b) => arithmetic(p.dtype, 'multiply', p.vec, a, b),
    grad: ({ f, gradient, inputs: [a = '', b = ''] }) => [f.mul(gradient, b), f.mul(gradient, a)],
  }),
  pointwiseOp({
    name: 'Div',
    arity: [2, 2],
    element: (_, [dtype]) => (isFloat(dtype as DType) ? (a, b) => a / b : (a, b) => (b === 0 ? 0 : Math.trunc(a / b))),
    wgsl(p, a, b) {
      const scalar = computeScalar(p.dtype);
      if (scalar === 'f32') return `${a} / ${b}`;
      return {
        expression: narrow(p.dtype, `lepton_divide_${scalar}(${a}, ${b})`),
        functions: divisionFunction(scalar),
      };
    },
    grad({ f, gradient, inputs: [, b = ''], output }) {
      const share = f.div(gradient, b);
      return [share, f.neg(f.mul(share, output))];
    },
  }),
  pointwiseOp({
    name: 'Mod',
    attributes: { fmod: int(0) },
    arity: [2, 2],
    element({ fmod }, [dtype]) {
      const rule = fmod ? (a: number, b: number) => a % b : modulo;
      return isFloat(dtype as DType) ? rule : (a, b) => (b === 0 ? 0 : rule(a, b));
    },
    wgsl(p, a, b) {
      const scalar = computeScalar(p.dtype) as keyof typeof remainderFunctions;
      const functions: Record<string, string> = { [`lepton_remainder_${scalar}`]: remainderFunctions[scalar] };
      if (p.attributes.fmod || scalar === 'u32')
        return { expression: `lepton_remainder_${scalar}(${a}, ${b})`, functions };
      return {
        expression: `lepton_modulo_${scalar}(${a}, ${b})`,
        functions: { ...functions, ...floorFunction(scalar) },
      };
    },
    // The quotient that is left out stands still but for its jumps.
    grad: ({ f, gradient, inputs: [a = '', b = ''], output }) => [
      gradient,
      f.neg(f.mul(gradient, f.of('Round', f.div(f.sub(a, output), b)))),
    ],
  }),
  pointwiseOp({
    name: 'Neg',
    types: 'signed',
    arity: [1, 1],
    element: () => (x) => -x,
    wgsl: (p, x) => narrow(p.dtype, `-${x}`),
    grad: ({ f, gradient }) => [f.neg(gradient)],
  }),
  pointwiseOp({
    name: 'Abs',
    arity: [1, 1],
    element: () => Math.abs,
    wgsl: (p, x) => narrow(p.dtype, `abs(${x})`),
    grad: ({ f, gradient, inputs: [x = ''] }) => [f.mul(gradient, f.of('Sign', x))],
  }),
  pointwiseOp({
    name: 'Sign',
    arity: [1, 1],
    element: () => Math.sign,
    wgsl(p, x) {
      const scalar = computeScalar(p.dtype);
      if (scalar === 'u32') return `min(${x}, vec4u(1u))`;
      if (scalar === 'i32') return `sign(${x})`;
      return { expression: `select(sign(${x}), ${x}, lepton_is_nan(${x}))`, functions: isNaNFunction };
    },
    grad: flat,
  }),
];

const shapes: OpCase[] = [
  { name: 'equal shapes', inputs: [{ dims: [2, 3, 43] }, { dims: [2, 3, 43] }] },
  { name: 'scalar on the right', inputs: [{ dims: [129] }, { dims: [], values: [2.5] }] },
  { name: 'rows of quads', inputs: [{ dims: [3, 1, 8] }, { dims: [5, 1] }] },
  { name: 'many rows of quads', inputs: [{ dims: [37, 12] }, { dims: [12] }] },
  { name: 'many rows of rows', inputs: [{ dims: [19, 3, 8] }, { dims: [3, 1] }] },
  { name: 'channel', inputs: [{ dims: [2, 3, 5, 7] }, { dims: [1, 3, 1, 1] }] },
  { name: 'both stretched', inputs: [{ dims: [3, 1, 5] }, { dims: [1, 4, 1] }] },
  {
    name: 'float16',
    inputs: [
      { dims: [127], dtype: 'float16' },
      { dims: [127], dtype: 'float16' },
    ],
    tolerance: 2e-3,
  },
];
const integers: OpCase[] = [
  {
    name: 'int32',
    inputs: [
      { dims: [9], dtype: 'int32', range: [-100, 100] },
      { dims: [9], dtype: 'int32', range: [1, 7] },
    ],
  },
  {
    name: 'int64',
    inputs: [
      { dims: [129], dtype: 'int64', range: [-100, 100] },
      { dims: [1], dtype: 'int64', values: [7] },
    ],
  },
  {
    name: 'int8 wraps',
    inputs: [
      { dims: [5], dtype: 'int8', values: [127, -128, 100, -100, 3] },
      { dims: [5], dtype: 'int8', values: [1, -1, 100, 100, 5] },
    ],
  },
  {
    name: 'uint8 wraps',
    inputs: [
      { dims: [5], dtype: 'uint8', values: [255, 0, 200, 17, 3] },
      { dims: [5], dtype: 'uint8', values: [1, 1, 100, 18, 5] },
    ],
  },
];
const signs = [-7, 7, -7, 7, 6, -6, 0, 5];
const divisors = [3, -3, -3, 3, 3, 3, 3, 0];
const quotients: OpCase[] = [
  {
    name: 'int32 signs and zero',
    inputs: [
      { dims: [8], dtype: 'int32', values: signs },
      { dims: [8], dtype: 'int32', values: divisors },
    ],
  },
  {
    name: 'int32 by the constant zero',
    inputs: [
      { dims: [8], dtype: 'int32' },
      { dims: [], dtype: 'int32', values: [0], constant: true },
    ],
  },
  {
    name: 'uint32',
    inputs: [
      { dims: [5], dtype: 'uint32' },
      { dims: [5], dtype: 'uint32', range: [1, 4] },
    ],
  },
];
const signed: OpCase[] = [
  { name: 'float32', inputs: [{ dims: [129] }] },
  specialValues,
  { name: 'int8', inputs: [{ dims: [6], dtype: 'int8', values: [-128, -1, 0, 1, 127, 5] }] },
];
const unsigned: OpCase[] = [{ name: 'uint8', inputs: [{ dims: [5], dtype: 'uint8', values: [0, 1, 200, 255, 9] }] }];

export const cases: Record<string, OpCase[]> = {
  Add: [...shapes, ...integers, specialPairs, ...integerPairs('int32', 'uint32', 'int16')],
  Sub: [shapes[3] as OpCase, ...integers],
  Mul: [
    shapes[4] as OpCase,
    ...integers,
    specialPairs,
    ...integerPairs('int32', 'uint8'),
    {
      name: 'int32 wraps',
      inputs: [
        { dims: [2], dtype: 'int32', values: [123456789, -5] },
        { dims: [2], dtype: 'int32', values: [987654321, 3] },
      ],
    },
  ],
  Div: [
    { name: 'float32', inputs: [{ dims: [129] }, { dims: [129], range: [0.5, 2] }] },
    specialPairs,
    ...quotients,
    ...integerPairs('int32', 'int8', 'uint16'),
  ],
  Mod: [
    ...quotients,
    ...quotients.map((c) => ({ ...c, name: `${c.name}, fmod`, attributes: { fmod: 1 } })),
    ...[0, 1].flatMap((fmod) =>
      [specialPairs, ...integerPairs('int32', 'int8', 'uint32')].map((c) => ({
        ...c,
        name: `${c.name}, fmod ${fmod}`,
        attributes: { fmod },
      })),
    ),
    ...[0, 1].map((fmod) => ({
      name: `float32, fmod ${fmod}`,
      attributes: { fmod },
      inputs: [
        { dims: [6], values: [-4.3, 7.2, 5, 4.3, -7.2, 8] },
        { dims: [6], values: [2.1, -3.4, 8, -2.1, 3.4, 5] },
      ],
    })),
  ],
  Neg: signed,
  Abs: [...signed, ...unsigned],
  Sign: [...signed, ...unsigned],
};
