// A host tensor as the engine's own code sees it: one JavaScript number an element, whatever the dtype.
// 64-bit integers are held as float64, exact to 2^53; beyond, decode saturates towards ±2^63 (models use
// INT64_MAX to mean "to the end") and encode refuses what it could not have read exactly. Floats narrower
// than float32 and integers narrower than int8 are held in wider elements and rounded or wrapped by encode.

import { codecOf, packCodes, unpackCodes } from './codec';
import { type DType, packedBytes } from './dtype';
import { LeptonError } from './errors';
import { type Dims, formatDims, sizeOf } from './shape';

export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

export interface NDArray {
  readonly dtype: DType;
  readonly dims: Dims;
  readonly data: NumericArray;
}

const hostArrays = {
  float32: Float32Array,
  float16: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: Float64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: Float64Array,
  bool: Uint8Array,
  bfloat16: Float32Array,
  int4: Int8Array,
  uint4: Uint8Array,
  int2: Int8Array,
  uint2: Uint8Array,
  float8e4m3fn: Float32Array,
  float8e4m3fnuz: Float32Array,
  float8e5m2: Float32Array,
  float8e5m2fnuz: Float32Array,
  float8e8m0: Float32Array,
  float4e2m1: Float32Array,
} as const satisfies Record<DType, new (n: number) => NumericArray>;

/** Zero-filled, or holding the given values (converted as a typed array converts). */
export function ndarray(dtype: DType, dims: Dims, values?: ArrayLike<number>): NDArray {
  const count = sizeOf(dims);
  const data = new hostArrays[dtype](count);
  if (values) {
    if (values.length !== count) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `${dtype} ${formatDims(dims)} has ${count} elements, but ${values.length} values were given.`,
      );
    }
    data.set(values);
  }
  return { dtype, dims, data };
}

export function scalar(dtype: DType, value: number): NDArray {
  return ndarray(dtype, [], [value]);
}

export function int64s(values: readonly number[]): NDArray {
  return ndarray('int64', [values.length], values);
}

/** Reads little-endian packed bytes (any alignment) into an NDArray. */
export function decode(dtype: DType, dims: Dims, bytes: Uint8Array): NDArray {
  const count = sizeOf(dims);
  const expected = packedBytes(dtype, count);
  if (bytes.byteLength !== expected) {
    throw new LeptonError(
      'INVALID_MODEL',
      `A ${dtype} tensor of shape ${formatDims(dims)} needs ${expected} bytes, but has ${bytes.byteLength}.`,
      { details: { expected, got: bytes.byteLength } },
    );
  }
  const out = ndarray(dtype, dims);
  const { data } = out;
  const codec = codecOf(dtype);
  if (codec) {
    const codes = unpackCodes(dtype, bytes, count);
    for (let i = 0; i < count; i++) data[i] = codec.toNumber(codes[i] as number);
    return out;
  }
  const aligned = new Uint8Array(bytes).buffer;
  if (dtype === 'int64' || dtype === 'uint64') {
    const wide = dtype === 'int64' ? new BigInt64Array(aligned) : new BigUint64Array(aligned);
    for (let i = 0; i < count; i++) data[i] = Number(wide[i]);
  } else {
    const Ctor = hostArrays[dtype] as new (b: ArrayBufferLike) => NumericArray;
    data.set(new Ctor(aligned));
  }
  return out;
}

/** The packed little-endian bytes of an NDArray. Throws where a 64-bit value is not exact. */
export function encode(array: NDArray): Uint8Array<ArrayBuffer> {
  const { dtype, data } = array;
  const codec = codecOf(dtype);
  if (codec) {
    const codes = new Uint16Array(data.length);
    for (let i = 0; i < data.length; i++) codes[i] = codec.toCode(data[i] as number);
    return packCodes(dtype, codes);
  }
  const out = new Uint8Array(packedBytes(dtype, data.length));
  if (dtype === 'int64' || dtype === 'uint64') {
    const [wide, top] =
      dtype === 'int64'
        ? [new BigInt64Array(out.buffer), 2n ** 63n - 1n]
        : [new BigUint64Array(out.buffer), 2n ** 64n - 1n];
    for (let i = 0; i < data.length; i++) wide[i] = toWide(data[i] as number, top, dtype);
  } else {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return out;
}

function toWide(value: number, top: bigint, dtype: DType): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  if (value === Number(top)) return top;
  if (dtype === 'int64' && value === -(2 ** 63)) return -(2n ** 63n);
  throw new LeptonError('UNSUPPORTED_MODEL', `The ${dtype} value ${value} is beyond ±2^53 and would not be exact.`, {
    details: { value, dtype },
  });
}
