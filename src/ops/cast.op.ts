// Cast and CastLike: elements as another type. Floats lose their fraction on the way to integers, what does
// not fit wraps around, and everything but zero becomes true.

import { type DType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber, numberOfDType } from '../base/onnx-dtypes';
import { int, required, string } from '../ir/attributes';
import type { CaseInput, OpCase, OpDef } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { computeScalar } from './wgsl/elements';
import { narrow } from './wgsl/narrow';

// `saturate` and `round_mode` concern the 8-bit floats, which Lepton lacks.
const rounding = { saturate: int(1), round_mode: string('up') };

function target(to: number): DType {
  return dtypeOfNumber(to) ?? 'float32';
}

function convert(to: DType): (x: number) => number {
  if (to === 'bool') return (x) => Number(x !== 0);
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
  element: ({ to }) => convert(target(to)),
  wgsl(p, x) {
    const from = p.argTypes[0] as DType;
    const scalar = computeScalar(p.dtype);
    if (computeScalar(from) === scalar) return narrow(p.dtype, x);
    // A negative float has no u32; as an i32 it has the bits that wrapping gives.
    const wraps = scalar === 'u32' && computeScalar(from) === 'f32';
    return narrow(p.dtype, wraps ? `select(vec4u(${x}), vec4u(vec4i(${x})), ${x} < vec4f())` : `${p.vec}(${x})`);
  },
});

const cast: typeof elementwise = {
  ...elementwise,
  infer(n) {
    const { to } = n.attributes;
    if (!dtypeOfNumber(to))
      n.fail(`casts to ONNX's element type number ${to}, which Lepton lacks`, 'UNSUPPORTED_MODEL');
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
    return [ndarray(dtype, x.dims, x.data.map(convert(dtype)))];
  },
  lower: (n, b) => b.add('Cast', [n.node.inputs[0] as string], { to: numberOfDType(n.input(1).dtype) }),
};

export default [cast, castLike];

const floats: CaseInput = { dims: [9], values: [-2.7, -1, -0.5, 0, 0.3, 1.99, 100.5, 126.9, -127.2] };
const toAll = (input: CaseInput, types: readonly DType[]): OpCase[] =>
  types.map((to) => ({
    name: `${input.dtype ?? 'float32'} to ${to}`,
    attributes: { to: numberOfDType(to) },
    inputs: [input],
  }));
const integerTypes = ['int32', 'int64', 'int8', 'int16', 'uint8', 'uint16', 'uint32'] as const;

export const cases: Record<string, OpCase[]> = {
  Cast: [
    ...toAll(floats, [...integerTypes, 'bool', 'float16', 'float32']),
    ...toAll({ dims: [5], dtype: 'int64', values: [-300, -1, 0, 200, 70000] }, [...integerTypes, 'bool', 'float32']),
    ...toAll({ dims: [129], dtype: 'uint8', range: [0, 255] }, ['int8', 'float32', 'uint16', 'bool']),
    ...toAll({ dims: [127], dtype: 'bool' }, ['float32', 'int64', 'uint8', 'bool']),
    ...toAll({ dims: [127], dtype: 'float16', range: [-9, 9] }, ['float32', 'int32']),
  ],
  CastLike: [
    { name: 'int64', inputs: [floats, { dims: [1], dtype: 'int64' }] },
    { name: 'float32', inputs: [{ dims: [3], dtype: 'int8' }, { dims: [2, 2] }] },
  ],
};
