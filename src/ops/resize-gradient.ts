// The backward rule of Resize: what mixes outputs from inputs, axis by axis, mixes inputs' gradients from outputs' with the
// tables turned round. An output that is extrapolated hangs on no input.

import { ndarray } from '../base/ndarray';
import type { LowerBuilder } from '../ir/opdef';
import { type Axis, type ResizeView, resizeAxes } from './resize-axes';

/** By input position, the outputs that it is mixed into and its weights; shorter lists are filled up with weights of zero. */
function turned({ size, out, taps, indices, weights }: Axis): { taps: number; indices: number[]; weights: number[] } {
  const lists = Array.from({ length: size }, (): [output: number, weight: number][] => []);
  for (let o = 0; o < out; o++) {
    const own = indices.slice(o * taps, (o + 1) * taps);
    if (own.some((i) => i < 0)) continue;
    own.forEach((i, t) => {
      lists[i]?.push([o, weights[o * taps + t] ?? 1]);
    });
  }
  const most = Math.max(1, ...lists.map((list) => list.length));
  const all = lists.flatMap((list) => [...list, ...new Array<[number, number]>(most - list.length).fill([0, 0])]);
  return { taps: most, indices: all.map(([o]) => o), weights: all.map(([, weight]) => weight) };
}

export function resizeGrad(
  n: ResizeView,
  b: LowerBuilder,
  [dy]: readonly (string | undefined)[],
): (string | undefined)[] {
  const axes = resizeAxes(n);
  if (dy === undefined || axes.length === 0) return [dy];
  const tables = axes.map(turned);
  const table = (dtype: 'int32' | 'float32', values: number[]) => b.constant(ndarray(dtype, [values.length], values));
  const indices = table(
    'int32',
    tables.flatMap((t) => t.indices),
  );
  const weights = table(
    'float32',
    tables.flatMap((t) => t.weights),
  );
  return b.add('lepton.ResizeTaps', [dy, indices, weights], {
    axes: axes.map(({ axis }) => axis),
    sizes: axes.map(({ size }) => size),
    taps: tables.map(({ taps }) => taps),
    extrapolation_value: 0,
  });
}
