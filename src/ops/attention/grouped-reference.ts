// com.microsoft.GroupQueryAttention by plain loops.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex } from '../../base/shape';
import { type GroupedNode, grouped, groupedParts } from './grouped';
import { cacheArray } from './past';
import type { Layout } from './problem';
import { attentionReference, type Read, reader } from './reference';
import { turnedReader } from './rotary';

/** Positions of the new tokens, for rotary embedding. */
function positionsOf(n: GroupedNode, inputs: readonly (NDArray | undefined)[]): NDArray {
  const { tokens, isFirst } = groupedParts(n);
  const given = inputs[grouped.positionIds];
  if (given) return given;
  const [batch, length] = tokens;
  const at = (b: number, i: number) => i + (isFirst ? 0 : (inputs[grouped.lastKeys]?.data[b] as number) + 1 - length);
  const values = Array.from({ length: batch * length }, (_, t) => Math.max(0, at(Math.floor(t / length), t % length)));
  return ndarray('int64', tokens, values);
}

/** Queries or keys turned by their positions. */
function turned(n: GroupedNode, read: Read, inputs: readonly (NDArray | undefined)[]): Read {
  if (!n.attributes.do_rotary) return read;
  const [cos, sin, positions] = [
    inputs[grouped.cosines] as NDArray,
    inputs[grouped.sines] as NDArray,
    positionsOf(n, inputs),
  ];
  const width = cos.dims[1] as number;
  const length = positions.dims[1] as number;
  const rowOf = (b: number, i: number) => positions.data[b * length + i] as number;
  const { rotary_interleaved: interleaved } = n.attributes;
  return turnedReader(read, { cosines: cos, sines: sin, turned: 2 * width, width, interleaved, rowOf });
}

/** Queries or keys with every head scaled to a root mean square of one, then by the weights. */
function normalised(n: GroupedNode, read: Read, { depth }: Layout, weights: NDArray | undefined): Read {
  if (!weights) return read;
  return (b, h, i, d) => {
    let squares = 0;
    for (let c = 0; c < depth; c++) squares += read(b, h, i, c) ** 2;
    const scale = 1 / Math.sqrt(squares / depth + n.attributes.qk_norm_epsilon);
    return read(b, h, i, d) * scale * (weights.data[d] as number);
  };
}

export function groupedReference(n: GroupedNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const { q, k, v, packed, view, sink, tokens, isFirst, keys: length } = groupedParts(n);
  const last = inputs[grouped.lastKeys] as NDArray;
  const width = n.input(0).dims[2] as number;
  const steps = (own: Layout) => (packed ? ([tokens[1] * width, own.depth, width] as const) : own.steps);
  const read = (i: number, own: Layout, offset: number): Read => {
    const from = reader(inputs[packed ? 0 : i] as NDArray, { steps: steps(own) });
    return (b, h, t, d) => from(b, h, t, d + (packed ? offset : 0));
  };
  const queries = turned(n, normalised(n, read(0, q, 0), q, inputs[grouped.queryNorm]), inputs);
  const newKeys = turned(n, normalised(n, read(1, k, q.heads * q.depth), k, inputs[grouped.keyNorm]), inputs);
  const first = (b: number) => (isFirst ? 0 : (last.data[b] as number) + 1 - tokens[1]);
  const append = (own: Layout, fresh: Read, past: number) =>
    cacheArray(n.input(0), own, fresh, inputs[past], length, first);
  const keys = append(k, newKeys, grouped.pastKey);
  const values = append(v, read(2, v, (q.heads + k.heads) * q.depth), grouped.pastValue);
  const turnedQueries = ndarray(n.input(0).dtype, view.input(0).dims);
  forEachIndex([q.batch, q.length, q.heads, q.depth], ([b, i, h, d], flat) => {
    turnedQueries.data[flat] = queries(b as number, h as number, i as number, d as number);
  });
  const lengths = ndarray(
    'int32',
    [q.batch],
    Array.from(last.data, (x) => x + 1),
  );
  const sinks = inputs[grouped.sink] ?? (sink && ndarray(sink.dtype, sink.dims));
  const given = [turnedQueries, keys, values, inputs[grouped.bias], lengths, sinks];
  return [attentionReference(view, given)[0] as NDArray, keys, values];
}
