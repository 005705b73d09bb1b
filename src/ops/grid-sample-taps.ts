// What sampling by a grid is made of, on the host: the options, and the taps that a sample is mixed from along an axis.

import { int, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';

const modes = ['nearest', 'linear', 'cubic'] as const;
const paddings = ['zeros', 'border', 'reflection'] as const;
export type Mode = (typeof modes)[number];
export type Padding = (typeof paddings)[number];

export const gridSampleAttributes = { align_corners: int(0), mode: string('linear'), padding_mode: string('zeros') };

export type View = NodeView<{ readonly align_corners: number; readonly mode: string; readonly padding_mode: string }>;

/** Taps an axis, and the first of them counted from the coordinate rounded down (nearest: rounded). */
export const reach = { nearest: [1, 0], linear: [2, 0], cubic: [4, -1] } as const satisfies Record<
  Mode,
  [number, number]
>;

export function optionsOf(n: View): { mode: Mode; padding: Padding; aligned: boolean } {
  const { mode, padding_mode: padding, align_corners: aligned } = n.attributes;
  return {
    mode: modes.find((m) => m === mode) ?? n.fail(`has the mode "${mode}"; expected ${modes.join(', ')}`),
    padding: paddings.find((p) => p === padding) ?? n.fail(`has the padding_mode "${padding}"`),
    aligned: aligned === 1,
  };
}

/** Coordinates are kept within this: farther outside the integers of a shader could not hold them. */
export const farthest = 1e6;

/** Position of tap `i` on an axis; -1 where it lies outside and counts as zero. */
export function tapPlace(i: number, size: number, padding: Padding, aligned: boolean): number {
  if (i >= 0 && i < size) return i;
  if (padding === 'zeros') return -1;
  if (padding === 'border') return i < 0 ? 0 : size - 1;
  // Mirrored at the outer elements' centres, or at their outer edges.
  const period = Math.max(1, aligned ? 2 * (size - 1) : 2 * size);
  const at = ((i % period) + period) % period;
  return at < size ? at : period - at - (aligned ? 0 : 1);
}

export const cubicA = -0.75;

export function tapWeight(distance: number, mode: Mode): number {
  const x = distance;
  if (mode === 'nearest') return 1;
  if (mode === 'linear') return 1 - x;
  if (x <= 1) return ((cubicA + 2) * x - (cubicA + 3)) * x * x + 1;
  return cubicA * (((x - 5) * x + 8) * x - 4);
}

export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}
