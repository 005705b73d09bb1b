// Element types and their typed arrays as ONNX Runtime Web pairs them, so that moving over changes nothing.
// Types that it lacks are given and got as they lie in ONNX files: bfloat16 as its bits, 8-bit floats a byte
// each, 4- and 2-bit types packed into bytes, the first element in the low bits.

import { bitSize, type DType } from '../base/dtype';

/** float16 is a Float16Array where the browser has one, else its bits in a Uint16Array. */
interface Float16ArrayLike extends ArrayBufferView<ArrayBuffer> {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
  [index: number]: number;
  set(values: ArrayLike<number>): void;
}

export interface TensorDataMap {
  float32: Float32Array;
  float16: Uint16Array | Float16ArrayLike;
  float64: Float64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
  bfloat16: Uint16Array;
  int4: Uint8Array;
  uint4: Uint8Array;
  int2: Uint8Array;
  uint2: Uint8Array;
  float8e4m3fn: Uint8Array;
  float8e4m3fnuz: Uint8Array;
  float8e5m2: Uint8Array;
  float8e5m2fnuz: Uint8Array;
  float8e8m0: Uint8Array;
  float4e2m1: Uint8Array;
}
export type TensorData = TensorDataMap[DType];

interface TypedArrayConstructor {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TensorData;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

const Float16 = (globalThis as { Float16Array?: TypedArrayConstructor }).Float16Array ?? Uint16Array;

const constructors: Readonly<Record<DType, TypedArrayConstructor>> = {
  float32: Float32Array,
  float16: Float16,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
  int4: Uint8Array,
  uint4: Uint8Array,
  int2: Uint8Array,
  uint2: Uint8Array,
  float8e4m3fn: Uint8Array,
  float8e4m3fnuz: Uint8Array,
  float8e5m2: Uint8Array,
  float8e5m2fnuz: Uint8Array,
  float8e8m0: Uint8Array,
  float4e2m1: Uint8Array,
};

export function arrayConstructor(type: DType): TypedArrayConstructor {
  return constructors[type];
}

/** Whether a typed array may be given for this type. float16 also takes its bits as Uint16Array. */
export function fitsType(type: DType, data: ArrayBufferView): boolean {
  return data instanceof constructors[type] || (type === 'float16' && data instanceof Uint16Array);
}

/** Elements to an element of the typed array: 2 for 4-bit types, 4 for 2-bit ones, else 1. */
export function packing(type: DType): number {
  return Math.max(1, 8 / bitSize(type));
}

/** Whether the typed array holds bits of elements, and not their values. */
export function isCoded(type: DType): boolean {
  return type === 'bfloat16' || bitSize(type) < 8 || type.startsWith('float8');
}
