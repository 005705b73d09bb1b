// Mixing from taps on the host: every output element is a weighted sum over the product of its axes' taps.

import { type NDArray, ndarray } from '../base/ndarray';
import { type Dims, forEachIndex, stridesOf } from '../base/shape';
import { integerRange } from './quantize/element';

/** One resized axis, with as many positions (and weights) as output elements times taps. */
export interface TapAxis {
  readonly axis: number;
  readonly taps: number;
  readonly indices: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** @param extrapolation the result wherever a tap's position is -1 */
export function mixTaps(x: NDArray, dims: Dims, axes: readonly TapAxis[], extrapolation: number): NDArray {
  const out = ndarray(x.dtype, dims);
  const strides = stridesOf(x.dims);
  const resized = new Set(axes.map((a) => a.axis));
  const [least, most] = /^u?int(8|16)$/.test(x.dtype)
    ? integerRange(x.dtype)
    : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  forEachIndex(dims, (at, flat) => {
    let base = 0;
    for (let d = 0; d < at.length; d++) if (!resized.has(d)) base += (at[d] as number) * (strides[d] as number);
    const sum = (k: number, from: number): number | undefined => {
      const tap = axes[k];
      if (!tap) return x.data[from] as number;
      let total = 0;
      const first = (at[tap.axis] as number) * tap.taps;
      for (let t = first; t < first + tap.taps; t++) {
        const index = tap.indices[t] as number;
        const inner = index < 0 ? undefined : sum(k + 1, from + index * (strides[tap.axis] as number));
        if (inner === undefined) return undefined;
        total += (tap.weights[t] as number) * inner;
      }
      return total;
    };
    const value = sum(0, base) ?? extrapolation;
    // Cubic weights overshoot: an integer type ends at its limit, it does not wrap.
    out.data[flat] = Math.min(most, Math.max(least, value));
  });
  return out;
}
