// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift. 64-bit integers go through BigInt in the
// references; on the GPU they are 32 bits wide, as everywhere.

import { bitSize, type DType } from '../base/dtype';
import { required } from '../ir/attributes';
import type { OpCase } from '../ir/opdef';
import { pointwiseOp } from './pointwise-op';
import { narrow } from './wgsl/narrow';
import { isWide, marker } from './wgsl/wide-integers';

type Types = readonly (DType | undefined)[];

function wide(types: Types): boolean {
  return bitSize(types[0] as DType) === 64;
}

function fromWide(value: bigint, types: Types): number {
  return Number(types[0] === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value));
}

function bitwise(
  name: string,
  operator: string,
  short: (a: number, b: number) => number,
  long: (a: bigint, b: bigint) => bigint,
) {
  return pointwiseOp({
    name,
    types: 'integer',
    arity: [2, 2],
    element: (_, types) => (wide(types) ? (a, b) => fromWide(long(BigInt(a), BigInt(b)), types) : short),
    wgsl: (_p, a, b) => `${a} ${operator} ${b}`,
  });
}

export default [
  bitwise(
    'BitwiseAnd',
    '&',
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  bitwise(
    'BitwiseOr',
    '|',
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  bitwise(
    'BitwiseXor',
    '^',
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  pointwiseOp({
    name: 'BitwiseNot',
    types: 'integer',
    arity: [1, 1],
    element: (_, types) => (wide(types) ? (a) => fromWide(~BigInt(a), types) : (a) => ~a),
    wgsl: (p, a) => narrow(p.dtype, `~${a}`),
  }),
  pointwiseOp({
    name: 'BitShift',
    attributes: { direction: required('string') },
    types: 'integer',
    arity: [2, 2],
    element({ direction }, types) {
      const bits = bitSize(types[0] as DType);
      const shift = direction === 'LEFT' ? (a: bigint, b: bigint) => a << b : (a: bigint, b: bigint) => a >> b;
      return (a, b) => (b >= bits ? 0 : fromWide(shift(BigInt(a), BigInt(b)), bits === 64 ? types : ['int64']));
    },
    wgsl(p, a, b) {
      const left = p.attributes.direction === 'LEFT';
      // WGSL takes the shift modulo 32; shifting everything out must leave nothing.
      const by = `(vec4u(${b}) & vec4u(31u))`;
      const shifted = `select(${a} ${left ? '<<' : '>>'} ${by}, ${p.vec}(), vec4u(${b}) > vec4u(31u))`;
      if (!left || !isWide(p.dtype)) return narrow(p.dtype, shifted);
      // Of 64 bits none has gone, but 32 do not hold them.
      const beyond = `((${a} << ${by}) >> ${by} != ${a}) | ((vec4u(${b}) > vec4u(31u)) & (${a} != ${p.vec}()))`;
      return `select(${shifted}, ${p.vec}(${marker(p.dtype)}), ${beyond})`;
    },
  }),
];

const pairs: OpCase[] = (['int32', 'uint8', 'int64', 'uint16'] as const).map((dtype) => ({
  name: dtype,
  inputs: [
    { dims: [129], dtype, range: [0, 200] as const },
    { dims: [129], dtype, range: [0, 200] as const },
  ],
}));
const shifts = (direction: string): OpCase[] => [
  {
    name: `uint32 ${direction}`,
    attributes: { direction },
    inputs: [
      { dims: [5], dtype: 'uint32', values: [16, 4294967295, 1, 7, 9] },
      { dims: [5], dtype: 'uint32', values: [1, 2, 31, 32, 40] },
    ],
  },
  {
    name: `uint8 ${direction}`,
    attributes: { direction },
    inputs: [
      { dims: [4], dtype: 'uint8', values: [255, 129, 3, 1] },
      { dims: [4], dtype: 'uint8', values: [1, 4, 0, 9] },
    ],
  },
];
export const cases: Record<string, OpCase[]> = {
  BitwiseAnd: pairs,
  BitwiseOr: pairs,
  BitwiseXor: pairs,
  BitwiseNot: pairs.map((c) => ({ ...c, inputs: c.inputs.slice(0, 1) })),
  BitShift: [...shifts('LEFT'), ...shifts('RIGHT')],
};
