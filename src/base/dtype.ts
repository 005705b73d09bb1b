// Element types: their names (those of ONNX Runtime Web), sizes at rest, and how the device holds them.
// Invariant: `packedBytes` is the size in files, in the store and in host tensors; `deviceType` is what
// a GPU buffer holds, where 64-bit integers narrow to 32 bits and 8/16-bit ones stay packed.

import { LeptonError } from './errors';

export const dtypes = [
  'float32',
  'float16',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
] as const;
export type DType = (typeof dtypes)[number];

const packedBytes = {
  float32: 4,
  float16: 2,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
} as const satisfies Record<DType, number>;

/** Bytes of one element in files and host tensors. */
export function byteSize(dtype: DType): number {
  return packedBytes[dtype];
}

/** What a GPU buffer holds for a tensor of this type; undefined where the device has no exact form. */
export type DeviceType = Exclude<DType, 'int64' | 'uint64' | 'float64'>;

export function deviceType(dtype: DType): DeviceType {
  switch (dtype) {
    case 'int64':
      return 'int32';
    case 'uint64':
      return 'uint32';
    case 'float64':
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        'float64 has no exact form on the GPU. Convert the model to float32, or load it with { backend: "cpu" }.',
      );
    default:
      return dtype;
  }
}

/** Bytes that `count` elements take in a GPU buffer: whole words in multiples of 16, for vec4 access. */
export function deviceBytes(dtype: DType, count: number): number {
  return Math.max(16, Math.ceil((count * packedBytes[deviceType(dtype)]) / 16) * 16);
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64';
}
