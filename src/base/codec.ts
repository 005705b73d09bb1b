// Element types that no typed array holds: floats below 32 bits and integers below 8. At rest an element is a
// code of 2 to 16 bits; several codes share a byte, the first in its low bits, and the last byte is filled up
// with zeros. Codes stand between packed bytes and numbers.

import { bfloat16ToNumber, numberToBfloat16 } from './bfloat16';
import { bitSize, type DType, packedBytes, type SmallFloat } from './dtype';
import { float16ToNumber, numberToFloat16 } from './float16';
import { decodeSmallFloat, encodeSmallFloat } from './small-floats';

export interface Codec {
  toNumber(code: number): number;
  /** Rounds to the nearest; small integers lose their high bits. */
  toCode(value: number): number;
}

const signed = (bits: number): Codec => ({
  toNumber: (code) => (code << (32 - bits)) >> (32 - bits),
  toCode: (value) => value & (2 ** bits - 1),
});
const unsigned = (bits: number): Codec => ({
  toNumber: (code) => code,
  toCode: (value) => value & (2 ** bits - 1),
});
const smallFloat = (dtype: SmallFloat): Codec => ({
  toNumber: (code) => decodeSmallFloat(dtype, code),
  toCode: (value) => encodeSmallFloat(dtype, value),
});

const codecs: Partial<Record<DType, Codec>> = {
  float16: { toNumber: float16ToNumber, toCode: numberToFloat16 },
  bfloat16: { toNumber: bfloat16ToNumber, toCode: numberToBfloat16 },
  int4: signed(4),
  uint4: unsigned(4),
  int2: signed(2),
  uint2: unsigned(2),
  float8e4m3fn: smallFloat('float8e4m3fn'),
  float8e4m3fnuz: smallFloat('float8e4m3fnuz'),
  float8e5m2: smallFloat('float8e5m2'),
  float8e5m2fnuz: smallFloat('float8e5m2fnuz'),
  float8e8m0: smallFloat('float8e8m0'),
  float4e2m1: smallFloat('float4e2m1'),
};

/** Undefined for types that typed arrays hold. */
export function codecOf(dtype: DType): Codec | undefined {
  return codecs[dtype];
}

/** The codes of `count` elements; the bytes may be aligned to anything. */
export function unpackCodes(dtype: DType, bytes: Uint8Array, count: number): Uint8Array | Uint16Array {
  const bits = bitSize(dtype);
  if (bits === 16) return new Uint16Array(bytes.slice(0, 2 * count).buffer);
  if (bits === 8) return bytes.subarray(0, count);
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++)
    codes[i] = ((bytes[(i * bits) >>> 3] as number) >> ((i * bits) & 7)) & (2 ** bits - 1);
  return codes;
}

export function packCodes(dtype: DType, codes: Uint16Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bits = bitSize(dtype);
  if (bits === 16) return new Uint8Array(codes.buffer);
  if (bits === 8) return Uint8Array.from(codes);
  const bytes = new Uint8Array(packedBytes(dtype, codes.length));
  for (let i = 0; i < codes.length; i++) {
    const at = (i * bits) >>> 3;
    bytes[at] = (bytes[at] as number) | ((codes[i] as number) << ((i * bits) & 7));
  }
  return bytes;
}
