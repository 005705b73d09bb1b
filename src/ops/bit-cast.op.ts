// BitCast: the bits of each element read as another type of the same width. Types that the GPU holds bit for
// bit, or whose bits follow from their value in a step or two, have WGSL; other pairs are the host's.

import { bitSize, type DType } from '../base/dtype';
import { decode, encode, scalar } from '../base/ndarray';
import { dtypeOfNumber, numberOfDType } from '../base/onnx-dtypes';
import { required } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { narrow } from './wgsl/narrow';

function typeOf(number: number): DType {
  return dtypeOfNumber(number) ?? 'float32';
}

/** Expression: the bits of four elements, as vec4u; bits above the type's width may be anything. */
function bitsOf(dtype: DType, x: string): string | undefined {
  switch (dtype) {
    case 'float32':
      return `bitcast<vec4u>(${x})`;
    case 'bfloat16':
      return `(bitcast<vec4u>(${x}) >> vec4u(16u))`;
    case 'float16':
      return `vec4u(${['x', 'y', 'z', 'w'].map((c) => `pack2x16float(vec2f((${x}).${c}, 0.0))`).join(', ')})`;
    case 'bool':
      return `select(vec4u(), vec4u(1u), ${x})`;
    default:
      return isHeldExactly(dtype) ? `vec4u(${x})` : undefined;
  }
}

function fromBits(dtype: DType, word: string): string | undefined {
  switch (dtype) {
    case 'float32':
      return `bitcast<vec4f>(${word})`;
    case 'bfloat16':
      return `bitcast<vec4f>(${word} << vec4u(16u))`;
    case 'float16':
      return `vec4f(${['x', 'y', 'z', 'w'].map((c) => `unpack2x16float((${word}).${c}).x`).join(', ')})`;
    case 'bool':
      return `((${word} & vec4u(0xffu)) != vec4u())`;
    default:
      if (!isHeldExactly(dtype)) return undefined;
      return dtype.startsWith('u') ? narrow(dtype, word) : narrow(dtype, `vec4i(${word})`);
  }
}

function isHeldExactly(dtype: DType): boolean {
  return /^u?int/.test(dtype) && bitSize(dtype) <= 32;
}

/**
 * On the device, where an element may be held in a wider type than the one whose bits count: float16 as float32.
 * `from` and `to` are the types of the bits, `held` is that of the result.
 */
const elementwise = pointwiseOp({
  name: 'lepton.BitCast',
  types: 'any',
  attributes: { from: required('int'), to: required('int'), held: required('int') },
  arity: [1, 1],
  result: (_, { held }) => typeOf(held),
  element:
    ({ from, to }) =>
    (x) =>
      decode(typeOf(to), [], encode(scalar(typeOf(from), x))).data[0] as number,
  wgsl: ({ attributes: { from, to } }, x) => fromBits(typeOf(to), bitsOf(typeOf(from), x) as string) as string,
});

const bitCast = defineOp({
  name: 'BitCast',
  attributes: { to: required('int') },
  infer(n) {
    const { to } = n.attributes;
    const dtype = dtypeOfNumber(to);
    if (!dtype)
      return n.fail(`reads bits as ONNX's element type number ${to}, which Lepton lacks`, 'UNSUPPORTED_MODEL');
    const [got, expected] = [bitSize(n.input(0).dtype), bitSize(dtype)];
    if (got !== expected) n.fail(`reads ${got}-bit elements as ${dtype}, which has ${expected} bits`);
    return [{ dtype, dims: n.input(0).dims }];
  },
  reference: (n, [x]) => [decode(typeOf(n.attributes.to), n.input(0).dims, encode(x ?? n.fail('lacks its input')))],
  lower(n, b) {
    const { to } = n.attributes;
    const possible = bitsOf(n.input(0).dtype, '') !== undefined && fromBits(typeOf(to), '') !== undefined;
    const from = numberOfDType(n.input(0).dtype);
    return possible ? b.add('lepton.BitCast', [n.node.inputs[0] as string], { from, to, held: to }) : undefined;
  },
});

export default [bitCast, elementwise];

const pair = (from: DType, to: DType, values: readonly number[]): OpCase => ({
  name: `${from} to ${to}`,
  inputs: [{ dims: [values.length], dtype: from, values }],
  attributes: { to: numberOfDType(to) },
});

export const cases: Record<string, OpCase[]> = {
  BitCast: [
    pair('float32', 'int32', [1, -2.5, 3.75]),
    pair('uint32', 'float32', [0x3f800000, 0xc0200000, 0x40700000, 0]),
    pair('int32', 'uint32', [-1, 5, -(2 ** 31)]),
    pair('float16', 'int16', [1, -2.5, 65504, 2 ** -24, -0]),
    pair('uint16', 'float16', [0x3c00, 0xc100, 0x7bff, 1]),
    pair('bfloat16', 'uint16', [1, -2.5, 2 ** 100]),
    pair('int16', 'bfloat16', [0x3f80, -0x3fe0, 0]),
    pair('int8', 'uint8', [-1, -128, 127, 0, 5]),
    pair('bool', 'int8', [1, 0, 1]),
    pair('uint4', 'int4', [15, 8, 7, 0, 1]),
    pair('int2', 'uint2', [-1, -2, 1]),
  ],
};
