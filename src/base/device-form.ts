// Conversion at the border between packed bytes (files, host tensors) and what a GPU buffer holds: 64-bit
// integers narrow to 32 bits, small integers widen to 8, and floats become the type that is computed in.
// Invariant: an integer that the device type cannot hold is an error, never a wrapped number.

import { bitSize, byteSize, type DeviceType, type DType, packedBytes } from './dtype';
import { LeptonError } from './errors';
import { decode, encode, ndarray } from './ndarray';
import { type Dims, sizeOf } from './shape';

/** Source bytes that must arrive together, so that what becomes of them is whole elements and whole words. */
export function conversionUnit(from: DType, to: DeviceType): number {
  return from === to ? 4 : packedBytes(from, Math.max(1, 4 / byteSize(to), 8 / bitSize(from)));
}

/**
 * Packed bytes of whole elements → device bytes, zero-padded to a multiple of 4. Where several elements share a
 * byte, what fills the last one up comes out as elements too.
 * @throws UNSUPPORTED_MODEL where a 64-bit value does not fit 32 bits
 */
export function toDevice(from: DType, to: DeviceType, bytes: Uint8Array, tensor: string): Uint8Array<ArrayBuffer> {
  if (from === to || (from === 'bool' && to === 'uint8')) return padded(bytes);
  const count = Math.floor((8 * bytes.byteLength) / bitSize(from));
  if (from === 'int64' || from === 'uint64') return narrowed(from, bytes, count, tensor);
  const converted = encode(ndarray(to, [count], decode(from, [count], bytes).data));
  return converted.byteLength % 4 === 0 ? converted : padded(converted);
}

/** A tensor in a GPU buffer. */
export interface DeviceTensor {
  readonly name: string;
  /** Type to those who read it. */
  readonly dtype: DType;
  /** Type in the buffer. */
  readonly device: DeviceType;
  readonly dims: Dims;
  /** Whether the lowest int32 and the highest uint32 stand for a 64-bit integer that 32 bits do not hold. */
  readonly mayOverflow: boolean;
}

/**
 * Device bytes → packed bytes of exactly the tensor's elements. The result has its own buffer.
 * @throws UNSUPPORTED_MODEL where a 64-bit result did not fit 32 bits
 */
export function fromDevice(tensor: DeviceTensor, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { device: from, dtype: to, dims } = tensor;
  const count = sizeOf(dims);
  const own = bytes.slice(0, count * byteSize(from));
  if (tensor.mayOverflow) refuseMarkers(tensor, own);
  return from === to ? own : encode(ndarray(to, [count], decode(from, [count], own).data));
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  out.set(bytes);
  return out;
}

function refuseMarkers({ name, dtype }: DeviceTensor, bytes: Uint8Array<ArrayBuffer>): void {
  const words = dtype === 'int64' ? new Int32Array(bytes.buffer) : new Uint32Array(bytes.buffer);
  const index = words.indexOf(dtype === 'int64' ? -(2 ** 31) : 2 ** 32 - 1);
  if (index < 0) return;
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `Element ${index} of ${dtype} tensor "${name}" is beyond the 32 bits that the GPU computes in. Load the model with { backend: "cpu" }.`,
    { details: { tensor: name, index } },
  );
}

function narrowed(from: 'int64' | 'uint64', bytes: Uint8Array, count: number, tensor: string): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signed = from === 'int64';
  const [low, high] = signed ? [-(2n ** 31n), 2n ** 31n - 1n] : [0n, 2n ** 32n - 1n];
  const out = signed ? new Int32Array(count) : new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const value = signed ? view.getBigInt64(8 * i, true) : view.getBigUint64(8 * i, true);
    if (value < low || value > high) {
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `Element ${i} of ${from} tensor "${tensor}" is ${value}; on the GPU it must lie between ${low} and ${high}.`,
        { details: { tensor, index: i, value: String(value) } },
      );
    }
    out[i] = Number(value);
  }
  return new Uint8Array(out.buffer);
}
