// Compares a model's outputs with an oracle's.

import type { NDArray } from '../../src/base/ndarray';
import { formatDims, sameDims } from '../../src/base/shape';

/** One line for every output that disagrees: largest error relative to the output's largest magnitude. */
export function disagreement(
  got: Readonly<Record<string, NDArray>>,
  expected: Readonly<Record<string, NDArray>>,
  tolerance: number,
): string[] {
  const problems: string[] = [];
  for (const [name, want] of Object.entries(expected)) {
    const have = got[name];
    if (!have || !sameDims(want.dims, have.dims)) {
      problems.push(
        `${name}: ${have ? `shape ${formatDims(have.dims)}` : 'missing'}, expected ${formatDims(want.dims)}`,
      );
      continue;
    }
    let scale = 0;
    let worst = 0;
    let at = 0;
    for (const v of want.data) scale = Math.max(scale, Math.abs(v));
    for (let k = 0; k < want.data.length; k++) {
      const error = Math.abs((have.data[k] as number) - (want.data[k] as number));
      if (!(error <= worst)) [worst, at] = [Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, k];
    }
    if (worst / scale > tolerance) {
      problems.push(
        `${name}: element ${at} is ${have.data[at]}, expected ${want.data[at]} (${(worst / scale).toExponential(1)} of the scale)`,
      );
    }
  }
  return problems;
}
