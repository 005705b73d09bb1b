// Whether an output is what a conformance case expects: type and shape exactly, integers exactly, floats
// within the suite's tolerance. Elements are compared as the types have them, 64-bit integers as BigInt.

import type { DType } from '../../src/base/dtype';
import { isFloat } from '../../src/base/dtype';
import { decode } from '../../src/base/ndarray';
import { formatDims, sameDims } from '../../src/base/shape';

export interface Elements {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

export function toleranceOf(dtype: DType): Tolerance {
  if (!isFloat(dtype)) return { relative: 0, absolute: 0 };
  const isHalf = dtype === 'float16' || dtype === 'bfloat16';
  return { relative: isHalf ? 1e-2 : 1e-3, absolute: 1e-5 };
}

/**
 * What is wrong with `got`, in words; undefined where nothing is.
 * @param shapeOnly leaves the values out, as for random ones
 */
export function disagreement(got: Elements | undefined, want: Elements, shapeOnly = false): string | undefined {
  if (!got) return 'is missing';
  if (got.dtype !== want.dtype) return `is ${got.dtype}, expected ${want.dtype}`;
  if (!sameDims(got.dims, want.dims)) return `has shape ${formatDims(got.dims)}, expected ${formatDims(want.dims)}`;
  if (shapeOnly) return undefined;
  const [g, w] = [valuesOf(got), valuesOf(want)];
  const { relative, absolute } = toleranceOf(want.dtype);
  for (let i = 0; i < w.length; i++) {
    const [a, b] = [g[i] as number, w[i] as number];
    // Same infinities, and integers of 64 bits; NaN is to be NaN.
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (absolute > 0 && Number.isFinite(b) && Math.abs(a - b) <= absolute + relative * Math.abs(b)) continue;
    return `element ${i} of ${formatDims(want.dims)} is ${a}, expected ${b}`;
  }
  return undefined;
}

function valuesOf({ dtype, dims, bytes }: Elements): ArrayLike<number | bigint> {
  const { buffer } = new Uint8Array(bytes);
  if (dtype === 'int64') return new BigInt64Array(buffer);
  if (dtype === 'uint64') return new BigUint64Array(buffer);
  return decode(dtype, dims, bytes).data;
}
