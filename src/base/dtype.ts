// Element types: their names (those of ONNX Runtime Web, or of ONNX where that has none), sizes at rest, and
// how the device holds them. At rest is in files, in the store and in tensors of the page: 4-bit elements lie
// two to a byte and 2-bit ones four, the first in the low bits. In a GPU buffer 64-bit integers narrow to 32
// bits, the smallest integers take a byte each, and floats that no shader computes in are widened to float32.

import { LeptonError } from './errors';

export const dtypes = [
  'float32',
  'float16',
  'float64',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'int4',
  'uint4',
  'int2',
  'uint2',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'float8e8m0',
  'float4e2m1',
] as const;
export type DType = (typeof dtypes)[number];

const bits = {
  float32: 32,
  float16: 16,
  float64: 64,
  bfloat16: 16,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  bool: 8,
  int4: 4,
  uint4: 4,
  int2: 2,
  uint2: 2,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
} as const satisfies Record<DType, number>;

/** Bits of one element at rest. */
export function bitSize(dtype: DType): number {
  return bits[dtype];
}

/** Bytes that `count` elements take at rest. */
export function packedBytes(dtype: DType, count: number): number {
  return bits[dtype] < 8 ? Math.ceil((count * bits[dtype]) / 8) : count * (bits[dtype] / 8);
}

/** What a GPU buffer holds. */
export type DeviceType = 'float32' | 'float16' | 'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32' | 'bool';

/** @throws UNSUPPORTED_MODEL for float64, which has no exact form there */
export function deviceType(dtype: DType): DeviceType {
  switch (dtype) {
    case 'int64':
      return 'int32';
    case 'uint64':
      return 'uint32';
    case 'int4':
    case 'int2':
      return 'int8';
    case 'uint4':
    case 'uint2':
      return 'uint8';
    case 'bfloat16':
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
    case 'float8e8m0':
    case 'float4e2m1':
      return 'float32';
    case 'float64':
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        'float64 has no exact form on the GPU. Load the model with { allowPrecisionLoss: true } to compute it in float32, or with { backend: "cpu" }.',
      );
    default:
      return dtype;
  }
}

/** Bytes of one element in a GPU buffer. */
export function byteSize(type: DeviceType): number {
  return bits[type] / 8;
}

/** Bytes that `count` elements take in a GPU buffer: whole words in multiples of 16, for vec4 access. */
export function deviceBytes(dtype: DType, count: number): number {
  return Math.max(16, Math.ceil((count * byteSize(deviceType(dtype))) / 16) * 16);
}

export function isFloat(dtype: DType): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

/** Floats of 4 and 8 bits: formats for keeping numbers, which no operator computes in. */
export type SmallFloat = Extract<DType, `float8${string}` | 'float4e2m1'>;

export function isSmallFloat(dtype: DType): dtype is SmallFloat {
  return dtype.startsWith('float8') || dtype === 'float4e2m1';
}
