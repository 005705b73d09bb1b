// Bounds that bound nothing: models write "no limit" as the ends of int64 or uint64, which the GPU's 32 bits do
// not hold. There such a bound is left out.

import type { NodeInput } from '../ir/node-view';

const deviceRange = { int64: [-(2 ** 31), 2 ** 31 - 1], uint64: [0, 2 ** 32 - 1] } as const;

/** @param end the end of the range that the input limits values at */
export function boundsNothing(input: NodeInput | undefined, end: 'low' | 'high'): boolean {
  const { dtype, array } = input ?? {};
  if ((dtype !== 'int64' && dtype !== 'uint64') || array?.data.length !== 1) return false;
  const bound = array.data[0] as number;
  const [low, high] = deviceRange[dtype];
  return end === 'low' ? bound <= low : bound >= high;
}
