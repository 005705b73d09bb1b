// Fewer dimensions for index arithmetic: neighbouring dimensions that every tensor walks as one become one,
// and dimensions of size 1 go. The row-major order of elements stays the same.

import type { Dims } from '../../base/shape';

export interface Collapsed {
  /** Sizes, possibly none where there is a single element. */
  readonly dims: number[];
  /** For each tensor, one stride a dimension. */
  readonly strides: number[][];
}

/** @param strides for each tensor, its stride in elements along each of `dims`; 0 where it is broadcast */
export function collapse(dims: Dims, strides: readonly (readonly number[])[]): Collapsed {
  const outDims: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  dims.forEach((size, d) => {
    if (size === 1) return;
    const last = outDims.length - 1;
    const mergeable = last >= 0 && strides.every((own, i) => outStrides[i]?.[last] === (own[d] as number) * size);
    if (mergeable) {
      outDims[last] = (outDims[last] as number) * size;
      strides.forEach((own, i) => {
        (outStrides[i] as number[])[last] = own[d] as number;
      });
    } else {
      outDims.push(size);
      strides.forEach((own, i) => {
        outStrides[i]?.push(own[d] as number);
      });
    }
  });
  return { dims: outDims, strides: outStrides };
}
