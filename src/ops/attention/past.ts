// Keys and values of earlier runs in front of those of this one, [batch, heads, length, depth]: types, nodes and
// plain reads.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex, formatDims } from '../../base/shape';
import type { NodeView, TensorType } from '../../ir/node-view';
import { headsFirst, type Nodes } from './decompose';
import type { Layout } from './problem';
import { type Read, reader } from './reference';

/** New keys or values: their layout, and the number of earlier ones. */
export interface Appended {
  readonly own: Layout;
  readonly past: number;
  readonly dims: readonly [batch: number, heads: number, length: number, depth: number];
}

export function appended(n: NodeView, own: Layout, past: TensorType | undefined): Appended {
  const { batch, heads, length, depth } = own;
  const [pastBatch, pastHeads, count, pastDepth] = past?.dims ?? [batch, heads, 0, depth];
  if (count === undefined || pastDepth !== depth || pastBatch !== batch || pastHeads !== heads)
    n.fail(
      `has earlier keys or values of shape ${formatDims(past?.dims ?? [])}; expected [${batch}, ${heads}, _, ${depth}]`,
    );
  return { own, past: count, dims: [batch, heads, count + length, depth] };
}

/** The name of earlier and new ones together. */
export function append(b: Nodes, { own, past }: Appended, pastName: string, name: string, rank: number): string {
  const first = headsFirst(b, name, rank, own);
  return past > 0 ? (b.add('Concat', [pastName, first], { axis: 2 })[0] as string) : first;
}

export function appendedReader(a: Appended, past: NDArray | undefined, own: Read): Read {
  const [, heads, , depth] = a.dims;
  const before = past && reader(past, { steps: [heads * a.past * depth, a.past * depth, depth] });
  return (b, h, i, d) => (before && i < a.past ? before(b, h, i, d) : own(b, h, i - a.past, d));
}

export function appendedArray(a: Appended, type: TensorType, read: Read): NDArray {
  const out = ndarray(type.dtype, a.dims);
  forEachIndex(a.dims, ([b, h, i, d], flat) => {
    out.data[flat] = read(b as number, h as number, i as number, d as number);
  });
  return out;
}

/** A cache of `length` positions: those before `first` of each batch from `past`, then the new ones, then zeros. */
export function cacheArray(
  type: TensorType,
  own: Layout,
  read: Read,
  past: NDArray | undefined,
  length: number,
  first: (batch: number) => number,
): NDArray {
  const { batch, heads, depth } = own;
  const before = past?.dims[2] ?? 0;
  const earlier = past && reader(past, { steps: [heads * before * depth, before * depth, depth] });
  const out = ndarray(type.dtype, [batch, heads, length, depth]);
  forEachIndex(out.dims, (at, flat) => {
    const [b, h, i, d] = at as [number, number, number, number];
    const start = Math.max(0, first(b));
    if (i < start) out.data[flat] = earlier && i < before ? earlier(b, h, i, d) : 0;
    else if (i - start < own.length) out.data[flat] = read(b, h, i - start, d);
  });
  return out;
}
