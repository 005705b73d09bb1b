// Any tensor as a few figures a person can read: the answer for models the demo has no picture for.

import type { Output } from './boxes';

export interface Summary {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly first: readonly number[];
  /** The five largest values with their flat index; of outputs with up to 10,000 values. */
  readonly top: readonly { readonly index: number; readonly value: number }[];
}

export function summarise(name: string, type: string, { data, dims }: Output): Summary {
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v < min) min = v;
    if (v > max) max = v;
    sum += v;
  }
  const ranked = data.length > 1 && data.length <= 10_000 ? Array.from(data, (value, index) => ({ index, value })) : [];
  const top = ranked.sort((a, b) => b.value - a.value).slice(0, 5);
  return {
    name,
    type,
    dims,
    min,
    max,
    mean: sum / data.length,
    first: Array.from({ length: Math.min(8, data.length) }, (_, i) => data[i]!),
    top,
  };
}
