// Bytes as the typed array of an element type: what runtimes take as feeds, and what the check reads.

import { arrayConstructor, isCoded } from '../../../src/api/typed-arrays';
import type { DType } from '../../../src/base/dtype';

/** The elements in `bytes`, which must fill a buffer of their own. */
export function elementsOf(dtype: DType, { buffer }: ArrayBufferView): Float32Array {
  if (isCoded(dtype)) throw new Error(`The benchmark has no arrays of ${dtype}.`);
  return new (arrayConstructor(dtype))(buffer) as Float32Array;
}
