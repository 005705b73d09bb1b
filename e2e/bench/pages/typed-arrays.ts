// Bytes as the typed array of an element type: what runtimes take as feeds, and what the check reads.

import type { DType } from '../../../src/base/dtype';

/** Not in TypeScript's library yet; in every browser that has WebGPU's shader-f16. */
declare const Float16Array: new (buffer: ArrayBuffer) => Float32Array;

const constructors: Partial<Record<DType, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  float32: Float32Array,
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
};

/** The elements in `bytes`, which must fill a buffer of their own. */
export function elementsOf(dtype: DType, { buffer }: ArrayBufferView): Float32Array {
  const Elements = dtype === 'float16' ? Float16Array : constructors[dtype];
  if (!Elements) throw new Error(`The benchmark has no arrays of ${dtype}.`);
  return new Elements(buffer as ArrayBuffer) as Float32Array;
}
