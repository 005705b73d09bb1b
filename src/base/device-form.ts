// Conversion at the border between packed bytes (files, host tensors) and what a GPU buffer holds: 64-bit
// integers narrow to 32 bits, and float16 widens to float32 where the adapter has no shader-f16.
// Invariant: a value that the device type cannot hold is an error, never a wrapped number.

import { byteSize, type DeviceType, type DType } from './dtype';
import { LeptonError } from './errors';
import { float16ToNumber, numberToFloat16 } from './float16';

/** Source bytes that must arrive together, so that what becomes of them is whole elements and whole words. */
export function conversionUnit(from: DType, to: DeviceType): number {
  if (from === to) return 4;
  return from === 'float32' && to === 'float16' ? 8 : byteSize(from);
}

/**
 * Packed bytes of whole elements → device bytes, zero-padded to a multiple of 4.
 * @throws UNSUPPORTED_MODEL where a 64-bit value does not fit 32 bits
 */
export function toDevice(from: DType, to: DeviceType, bytes: Uint8Array, tensor: string): Uint8Array<ArrayBuffer> {
  if (from === to || (from === 'bool' && to === 'uint8')) {
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
    padded.set(bytes);
    return padded;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / byteSize(from);
  if (from === 'float16' && to === 'float32') {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = float16ToNumber(view.getUint16(2 * i, true));
    return new Uint8Array(out.buffer);
  }
  if (from === 'float32' && to === 'float16') {
    const out = new Uint16Array(Math.ceil(count / 2) * 2);
    for (let i = 0; i < count; i++) out[i] = numberToFloat16(view.getFloat32(4 * i, true));
    return new Uint8Array(out.buffer);
  }
  if (from === 'int64' && to === 'int32') {
    const out = new Int32Array(count);
    for (let i = 0; i < count; i++)
      out[i] = fit(view.getBigInt64(8 * i, true), -(2n ** 31n), 2n ** 31n - 1n, from, tensor, i);
    return new Uint8Array(out.buffer);
  }
  if (from === 'uint64' && to === 'uint32') {
    const out = new Uint32Array(count);
    for (let i = 0; i < count; i++) out[i] = fit(view.getBigUint64(8 * i, true), 0n, 2n ** 32n - 1n, from, tensor, i);
    return new Uint8Array(out.buffer);
  }
  throw new Error(`No conversion from ${from} to ${to} for "${tensor}".`);
}

function fit(value: bigint, low: bigint, high: bigint, dtype: DType, tensor: string, index: number): number {
  if (value >= low && value <= high) return Number(value);
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `Element ${index} of ${dtype} tensor "${tensor}" is ${value}; on the GPU it must lie between ${low} and ${high}.`,
    { details: { tensor, index, value: String(value) } },
  );
}

/** Device bytes → packed bytes of exactly `count` elements. The result has its own buffer. */
export function fromDevice(from: DeviceType, to: DType, bytes: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  if (from === to) return bytes.slice(0, count * byteSize(to));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new DataView(new ArrayBuffer(count * byteSize(to)));
  for (let i = 0; i < count; i++) {
    if (from === 'float32' && to === 'float16')
      out.setUint16(2 * i, numberToFloat16(view.getFloat32(4 * i, true)), true);
    else if (from === 'float16' && to === 'float32')
      out.setFloat32(4 * i, float16ToNumber(view.getUint16(2 * i, true)), true);
    else if (from === 'int32' && to === 'int64') out.setBigInt64(8 * i, BigInt(view.getInt32(4 * i, true)), true);
    else if (from === 'uint32' && to === 'uint64') out.setBigUint64(8 * i, BigInt(view.getUint32(4 * i, true)), true);
    else throw new Error(`No conversion from ${from} to ${to}.`);
  }
  return new Uint8Array(out.buffer);
}
