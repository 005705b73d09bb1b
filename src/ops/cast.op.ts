// Cast and CastLike: elements as another type. Floats lose their fraction on the way to integers, what does
// not fit wraps around, and everything but zero becomes true. Narrow floats round to the nearest, ties to even.

import { codecOf } from '../base/codec';
import { type DType, isFloat, isSmallFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber, numberOfDType } from '../base/onnx-dtypes';
import { type RoundMode, roundSmallFloat, type SmallFloatRounding } from '../base/small-floats';
import { int, required, string } from '../ir/attributes';
import type { CaseInput, OpCase, OpDef } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { computeScalar } from './wgsl/elements';
import { narrow } from './wgsl/narrow';
import { roundFloat } from './wgsl/round-float';
import { isWide, marker } from './wgsl/wide-integers';

const rounding = { saturate: int(1), round_mode: string('up') };
const roundModes: readonly string[] = ['up', 'down', 'nearest'] satisfies RoundMode[];

function target(to: number): DType {
  return dtypeOfNumber(to) ?? 'float32';
}

function roundingOf(attributes: { saturate: number; round_mode: string }): SmallFloatRounding {
  return { saturate: attributes.saturate !== 0, roundMode: attributes.round_mode as RoundMode };
}

function convert(to: DType, how: SmallFloatRounding): (x: number) => number {
  if (to === 'bool') return (x) => Number(x !== 0);
  if (isSmallFloat(to)) return (x) => roundSmallFloat(x, to, how);
  const codec = codecOf(to);
  if (codec) {
    const whole = isFloat(to) ? (x: number) => x : Math.trunc;
    return (x) => codec.toNumber(codec.toCode(whole(x)));
  }
  if (isFloat(to)) return (x) => x;
  if (to !== 'int64' && to !== 'uint64') return Math.trunc; // the typed array wraps
  const least = to === 'int64' ? -(2 ** 63) : 0;
  const most = to === 'int64' ? 2 ** 63 : 2 ** 64;
  return (x) => (Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), least), most));
}

const elementwise = pointwiseOp({
  name: 'Cast',
  types: 'any',
  attributes: { to: required('int'), ...rounding },
  arity: [1, 1],
  result: (_, { to }) => target(to),
  element: (attributes) => convert(target(attributes.to), roundingOf(attributes)),
  wgsl(p, x) {
    const from = p.argTypes[0] as DType;
    const scalar = computeScalar(p.dtype);
    const same = computeScalar(from) === scalar;
    // What is of the type already needs no rounding; a program's first argument may be, where it was fused.
    if ((isSmallFloat(p.dtype) || p.dtype === 'bfloat16') && from !== p.dtype) {
      const { name, functions } = roundFloat(p.dtype, roundingOf(p.attributes));
      return { expression: `${name}(${same ? x : `vec4f(${x})`})`, functions };
    }
    if (isWide(p.dtype)) return wide(p.dtype, from, x);
    if (same) return narrow(p.dtype, x);
    // A negative float has no u32; as an i32 it has the bits that wrapping gives.
    const wraps = scalar === 'u32' && computeScalar(from) === 'f32';
    return narrow(p.dtype, wraps ? `select(vec4u(${x}), vec4u(vec4i(${x})), ${x} < vec4f())` : `${p.vec}(${x})`);
  },
  // From float to float, as though nothing were rounded.
  grad: ({ f, gradient, n }) => [f.like(gradient, n.input(0).dtype)],
});

/** As a 64-bit integer, of which the GPU holds 32 bits: what those do not hold becomes the marker. */
function wide(to: 'int64' | 'uint64', from: DType, x: string): string {
  const signed = to === 'int64';
  const value = signed ? `vec4i(${x})` : `vec4u(${x})`;
  const beyond = {
    f32: signed
      ? `(${x} >= vec4f(2147483648.0)) | (${x} < vec4f(-2147483648.0))`
      : `(${x} >= vec4f(4294967296.0)) | (${x} <= vec4f(-1.0))`,
    i32: signed ? '' : `${x} < vec4i()`,
    u32: signed ? `${x} > vec4u(0x7fffffffu)` : '',
    bool: '',
  }[computeScalar(from)];
  return beyond ? `select(${value}, vec4(${marker(to)}), ${beyond})` : value;
}

const cast: typeof elementwise = {
  ...elementwise,
  infer(n) {
    const { to, round_mode: mode } = n.attributes;
    if (!dtypeOfNumber(to))
      n.fail(`casts to ONNX's element type number ${to}, which Lepton lacks`, 'UNSUPPORTED_MODEL');
    if (!roundModes.includes(mode)) n.fail(`has the round_mode "${mode}"; expected ${roundModes.join(', ')}`);
    return elementwise.infer(n);
  },
};

const castLike: OpDef<typeof rounding> = {
  name: 'CastLike',
  attributes: rounding,
  infer: (n) => [{ dtype: n.input(1).dtype, dims: n.input(0).dims }],
  reference(n, inputs) {
    const { dtype } = n.input(1);
    const x = inputs[0] as NDArray;
    return [ndarray(dtype, x.dims, x.data.map(convert(dtype, roundingOf(n.attributes))))];
  },
  lower: (n, b) =>
    b.add('Cast', [n.node.inputs[0] as string], { to: numberOfDType(n.input(1).dtype), ...n.attributes }),
};

export default [cast, castLike];

const floats: CaseInput = { dims: [9], values: [-2.7, -1, -0.5, 0, 0.3, 1.99, 100.5, 126.9, -127.2] };
// Ties, the edges of every small format, and what lies beyond.
const edges: CaseInput = {
  dims: [27],
  values: [
    0.25,
    0.75,
    1.25,
    1.75,
    2.5,
    -3.5,
    5,
    6,
    7,
    17,
    18.5,
    240,
    248,
    447,
    464,
    465,
    57344,
    61439,
    61440,
    1e6,
    -1e30,
    2 ** -9,
    2 ** -10,
    3 * 2 ** -11,
    -(2 ** -17),
    3 * 2 ** -18,
    1.00390625,
  ],
};
const whole: CaseInput = { dims: [9], dtype: 'int32', values: [-9, -8, -3, -2, 0, 1, 7, 8, 31] };
const toAll = (input: CaseInput, types: readonly DType[], attributes: Record<string, number | string> = {}): OpCase[] =>
  types.map((to) => ({
    name: [
      input.dtype ?? 'float32',
      ...(input === edges ? ['edges'] : []),
      'to',
      to,
      ...Object.values(attributes),
    ].join(' '),
    attributes: { to: numberOfDType(to), ...attributes },
    inputs: [input],
  }));
const integerTypes = ['int32', 'int64', 'int8', 'int16', 'uint8', 'uint16', 'uint32'] as const;
const smallIntegers = ['int4', 'uint4', 'int2', 'uint2'] as const;
const float8 = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const;

export const cases: Record<string, OpCase[]> = {
  Cast: [
    ...toAll(floats, [...integerTypes, 'bool', 'float16', 'float32']),
    ...toAll({ dims: [5], dtype: 'int64', values: [-300, -1, 0, 200, 70000] }, [...integerTypes, 'bool', 'float32']),
    ...toAll({ dims: [129], dtype: 'uint8', range: [0, 255] }, ['int8', 'float32', 'uint16', 'bool']),
    ...toAll({ dims: [127], dtype: 'bool' }, ['float32', 'int64', 'uint8', 'bool']),
    ...toAll({ dims: [127], dtype: 'float16', range: [-9, 9] }, ['float32', 'int32']),
    ...toAll(floats, smallIntegers),
    ...toAll(whole, [...smallIntegers, 'float8e4m3fn', 'bfloat16']),
    ...smallIntegers.flatMap((dtype) => toAll({ dims: [13], dtype, range: [0, 3] }, ['float32', 'int8', 'uint2'])),
    ...toAll(edges, [...float8, 'float4e2m1', 'bfloat16']),
    ...toAll(edges, float8, { saturate: 0 }),
    ...(['up', 'down', 'nearest'] as const).flatMap((round_mode) =>
      toAll({ ...edges, range: [1, 2] }, ['float8e8m0'], { round_mode }),
    ),
    ...([...float8, 'float8e8m0', 'float4e2m1', 'bfloat16'] as const).flatMap((dtype) =>
      toAll({ dims: [7], dtype, values: [0.5, 1, 2, 4, 1, 0.5, 2] }, ['float32', 'int32']),
    ),
  ],
  CastLike: [
    { name: 'int64', inputs: [floats, { dims: [1], dtype: 'int64' }] },
    { name: 'float32', inputs: [{ dims: [3], dtype: 'int8' }, { dims: [2, 2] }] },
    { name: 'float8', inputs: [edges, { dims: [1], dtype: 'float8e5m2' }], attributes: { saturate: 0 } },
  ],
};
