// Axis and index arguments of operators: negative ones count from the end. An axis out of range is refused;
// an index, which only the run may tell, clamps, as it does on the GPU.

import { type Dims, formatDims, sizeOf, wrapAxis } from '../base/shape';
import type { NodeView } from '../ir/node-view';

/** `axis` in [0, rank). Throws INVALID_MODEL where it lies outside [-rank, rank). */
export function axisOf(n: NodeView, axis: number, rank: number): number {
  const wrapped = Number.isInteger(axis) ? wrapAxis(axis, rank) : undefined;
  return wrapped ?? n.fail(`has the axis ${axis}, but its tensor has rank ${rank}`);
}

/** Every axis in [0, rank), in the given order. Throws INVALID_MODEL on one out of range or given twice. */
export function axesOf(n: NodeView, axes: readonly number[], rank: number): number[] {
  const wrapped = axes.map((axis) => axisOf(n, axis, rank));
  if (new Set(wrapped).size !== wrapped.length) n.fail(`names an axis twice in ${formatDims(axes)}`);
  return wrapped;
}

/** The place in [0, size) that an index names. */
export function placeOf(index: number, size: number): number {
  return Math.min(Math.max(index < 0 ? index + size : index, 0), size - 1);
}

/** Throws INVALID_MODEL where elements are picked from an input that has none: no index is in range then. */
export function requireElements(n: NodeView, dims: Dims): void {
  if (sizeOf(n.input(0).dims) === 0 && sizeOf(dims) > 0) n.fail('picks elements of an input that has none');
}
