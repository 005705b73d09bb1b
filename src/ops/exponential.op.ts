// Powers and what undoes them: Exp, Log, Sqrt, Reciprocal, Pow, and Erf, their integral.

import { type DType, isFloat } from '../base/dtype';
import type { OpCase } from '../ir/opdef';
import type { Point } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { specialPairs, specialValues } from './special-values';
import { computeScalar } from './wgsl/elements';
import { narrow } from './wgsl/narrow';
import { erf, erfFunction, expFunction, isNaNFunction, logFunction } from './wgsl/special-functions';
import { arithmetic, isWide } from './wgsl/wide-integers';

// WGSL's pow is undefined for negative bases, and goes through logarithms: common exponents are exact here.
// As in C and NumPy, 1 to any power is 1, NaN and infinity among them, and so is -1 to an infinite one.
const floatPower = {
  ...isNaNFunction,
  lepton_pow: `
fn lepton_pow(a: vec4f, b: vec4f) -> vec4f {
  if (all(b == vec4f(2.0))) { return a * a; }
  if (all(b == vec4f(3.0))) { return a * a * a; }
  if (all(b == vec4f(0.5))) { return sqrt(a); }
  let whole = trunc(b) == b;
  let odd = whole & (fract(b * 0.5) == vec4f(0.5));
  let of_zero = select(vec4f(lepton_bits(0x7f800000u)), vec4f(), b > vec4f());
  let magnitude = select(pow(abs(a), b), of_zero, a == vec4f());
  let signed = select(magnitude, -magnitude, (bitcast<vec4i>(a) < vec4i()) & odd);
  let rooted = (a < vec4f()) & (a >= vec4f(-3.4028234e38)) & !whole;
  let nan = lepton_is_nan(a) | lepton_is_nan(b) | rooted;
  let unit = (a == vec4f(1.0)) | (b == vec4f()) | ((a == vec4f(-1.0)) & (abs(b) > vec4f(3.4028234e38)));
  return select(select(signed, vec4f(lepton_bits(0x7fc00000u)), nan), vec4f(1.0), unit);
}`,
};

// By squaring. A negative exponent leaves 0 but for the bases 1 and -1, as truncating the quotient does.
function integerPower(scalar: 'i32' | 'u32', dtype: DType): { name: string; functions: Record<string, string> } {
  const name = `lepton_pow_${isWide(dtype) ? dtype : scalar}`;
  const wide: DType = isWide(dtype) ? dtype : scalar === 'i32' ? 'int32' : 'uint32';
  const times = (x: string) => arithmetic(wide, 'multiply', `vec4<${scalar}>`, x, 'square');
  const text = `
fn ${name}(a: vec4<${scalar}>, b: vec4i) -> vec4<${scalar}> {
  var result = vec4<${scalar}>(1);
  var square = a;
  var rest = vec4u(max(b, vec4i()));
  while (any(rest != vec4u())) {
    result = select(result, ${times('result').expression}, (rest & vec4u(1u)) != vec4u());
    square = ${times('square').expression};
    rest >>= vec4u(1u);
  }
  let unit = select(vec4<${scalar}>(), vec4<${scalar}>(1), a == vec4<${scalar}>(1))${
    scalar === 'i32' ? ' + select(vec4i(), select(vec4i(1), vec4i(-1), (b & vec4i(1)) != vec4i()), a == vec4i(-1))' : ''
  };
  return select(result, unit, b < vec4i());
}`;
  return { name, functions: { ...times('').functions, [name]: text } };
}

function power(a: number, b: number): number {
  const isUnit = a === 1 || (a === -1 && Math.abs(b) === Infinity);
  return isUnit ? 1 : a ** b;
}

function integerBase(base: DType): (a: number, b: number) => number {
  if (base !== 'int32' && base !== 'uint32') return (a, b) => Math.trunc(a ** b);
  // Products of doubles would lose the low bits that wrapping keeps.
  return (a, b) => {
    if (b < 0 || !Number.isInteger(b)) return Math.trunc(a ** b);
    let result = 1;
    for (let i = 0, square = a; b >> i > 0; i++, square = Math.imul(square, square)) {
      if ((b >> i) & 1) result = Math.imul(result, square);
    }
    return result;
  };
}

/** b a^(b-1), and a^b ln(a), which is taken to be 0 where a is not above 0. A known exponent leaves a shorter formula. */
function powerGrad({ f, gradient, inputs: [a = '', b = ''], output, n }: Point<object>): (string | undefined)[] {
  const exponent = n.input(1);
  const known = exponent.array?.data.length === 1 ? exponent.array.data[0] : undefined;
  if (known !== undefined) {
    if (known === 0) return [];
    if (known === 2) return [f.mul(gradient, f.mul(a, 2))];
    if (known === 0.5) return [f.div(f.mul(gradient, 0.5), output)];
    return [f.mul(gradient, f.mul(f.of('Pow', a, known - 1), known))];
  }
  const real = f.like(b, n.input(0).dtype);
  const share = f.mul(real, f.of('Pow', a, f.sub(real, 1)));
  const logarithm = f.keep(f.greater(a, 0), f.mul(output, f.of('Log', a)));
  return [f.mul(gradient, f.choose(f.of('Equal', real, 0), 0, share)), f.mul(gradient, logarithm)];
}

export default [
  pointwiseOp({
    name: 'Exp',
    types: 'float',
    arity: [1, 1],
    element: () => Math.exp,
    wgsl: (_p, x) => ({ expression: `lepton_exp(${x})`, functions: expFunction }),
    grad: ({ f, gradient, output }) => [f.mul(gradient, output)],
  }),
  pointwiseOp({
    name: 'Log',
    types: 'float',
    arity: [1, 1],
    element: () => Math.log,
    wgsl: (_p, x) => ({ expression: `lepton_log(${x})`, functions: logFunction }),
    grad: ({ f, gradient, inputs: [x = ''] }) => [f.div(gradient, x)],
  }),
  pointwiseOp({
    name: 'Sqrt',
    types: 'float',
    arity: [1, 1],
    element: () => Math.sqrt,
    wgsl: (_p, x) => `sqrt(${x})`,
    grad: ({ f, gradient, output }) => [f.div(f.mul(gradient, 0.5), output)],
  }),
  pointwiseOp({
    name: 'Reciprocal',
    types: 'float',
    arity: [1, 1],
    element: () => (x) => 1 / x,
    wgsl: (_p, x) => `1.0 / ${x}`,
    grad: ({ f, gradient, output }) => [f.neg(f.mul(gradient, f.mul(output, output)))],
  }),
  pointwiseOp({
    name: 'Erf',
    types: 'float',
    arity: [1, 1],
    element: () => erf,
    wgsl: (_p, x) => ({ expression: `lepton_erf(${x})`, functions: erfFunction }),
    grad: ({ f, gradient, inputs: [x = ''] }) => [
      f.mul(gradient, f.mul(f.of('Exp', f.neg(f.mul(x, x))), 2 / Math.sqrt(Math.PI))),
    ],
  }),
  pointwiseOp({
    name: 'Pow',
    arity: [2, 2],
    agreeFrom: 2,
    element: (_, [base]) => (isFloat(base as DType) ? power : integerBase(base as DType)),
    wgsl(p, a, b) {
      const scalar = computeScalar(p.dtype);
      const exponentIsFloat = isFloat(p.argTypes[1] as DType);
      if (scalar === 'i32' || scalar === 'u32') {
        const { name, functions } = integerPower(scalar, p.dtype);
        const whole = narrow(p.dtype, `${name}(${a}, vec4i(${b}))`);
        if (!exponentIsFloat) return { expression: whole, functions };
        return {
          expression: `select(${p.vec}(lepton_pow(vec4f(${a}), ${b})), ${whole}, trunc(${b}) == ${b})`,
          functions: { ...floatPower, ...functions },
        };
      }
      return { expression: `lepton_pow(${a}, ${exponentIsFloat ? b : `vec4f(${b})`})`, functions: floatPower };
    },
    grad: powerGrad,
  }),
];

const positive = (range: readonly [number, number]): OpCase[] => [
  { name: 'float32', inputs: [{ dims: [129], range }] },
  { name: 'float16', inputs: [{ dims: [127], range, dtype: 'float16' }], tolerance: 2e-3 },
  specialValues,
];

export const cases: Record<string, OpCase[]> = {
  Exp: positive([-10, 5]),
  Log: positive([0.01, 5]),
  Sqrt: positive([0, 5]),
  Reciprocal: positive([0.1, 5]),
  Erf: [
    { name: 'float32', inputs: [{ dims: [129], range: [-5, 5] }] },
    { name: 'far out', inputs: [{ dims: [3], values: [-1e30, 40, 1e-20] }] },
    specialValues,
  ],
  Pow: [
    specialPairs,
    {
      name: 'whole and negative',
      inputs: [
        { dims: [6], values: [-2, -2, 2, 0, 3, -1.5] },
        { dims: [6], values: [3, 2, -2, 0, 4, -3] },
      ],
      differentiable: false, // no power of a negative number but for whole exponents
    },
    ...[2, 3, 0.5, -0.5, 7].map((e) => ({
      name: `exponent ${e}`,
      inputs: [
        { dims: [65], range: [0.1, 3] as const },
        { dims: [], values: [e], constant: true },
      ],
    })),
    {
      name: 'int32 exponent',
      inputs: [
        { dims: [4], values: [-2, 1.5, 0, 3] },
        { dims: [4], dtype: 'int32', values: [3, 2, 0, 1] },
      ],
    },
    {
      name: 'int32 base',
      inputs: [
        { dims: [7], dtype: 'int32', values: [-3, 3, 2, -1, 5, 1, 7] },
        { dims: [7], dtype: 'int32', values: [3, 4, 31, -3, -1, -2, 0] },
      ],
    },
    {
      name: 'int32 base, float exponent',
      inputs: [
        { dims: [4], dtype: 'int32', values: [3, -3, 17, 50] },
        { dims: [4], values: [2, 3, 0.51, 1.3] },
      ],
    },
    {
      name: 'uint8 base',
      inputs: [
        { dims: [3], dtype: 'uint8', values: [3, 200, 5] },
        { dims: [3], dtype: 'int64', values: [2, 2, -1] },
      ],
    },
  ],
};
