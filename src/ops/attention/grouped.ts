// The inputs of com.microsoft.GroupQueryAttention, and what a node of it comes down to.

import { formatDims, sameDims, sizeOf } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';
import { coreOf, type Layout, layoutOf } from './problem';

export const grouped = {
  pastKey: 3,
  pastValue: 4,
  lastKeys: 5,
  total: 6,
  cosines: 7,
  sines: 8,
  positionIds: 9,
  bias: 10,
  sink: 11,
  queryNorm: 14,
  keyNorm: 15,
} as const;

interface GroupedAttributes {
  readonly num_heads: number;
  readonly kv_num_heads: number;
  readonly scale: number;
  readonly softcap: number;
  readonly causal: number;
  readonly local_window_size: number;
  readonly do_rotary: number;
  readonly rotary_interleaved: number;
  readonly smooth_softmax: number;
  readonly sliding_window_cache: number;
  readonly qk_norm_epsilon: number;
}
export type GroupedNode = NodeView<GroupedAttributes>;

export function groupedParts(n: GroupedNode) {
  const { attributes } = n;
  const { num_heads: heads, kv_num_heads: kvHeads, local_window_size: window } = attributes;
  if (n.has(12) || n.has(13)) n.fail('has a quantised cache, which Lepton lacks', 'UNSUPPORTED_MODEL');
  if (n.wants(3) || attributes.sliding_window_cache)
    n.fail('is asked for its scores or has a window for a cache, which Lepton lacks', 'UNSUPPORTED_MODEL');
  const { dtype, dims } = n.input(0);
  const [batch = 0, length = 0, width = 0] = dims;
  const packed = !n.has(1);
  const depth = width / (packed ? heads + 2 * kvHeads : heads);
  const own = (i: number, count: number): Layout =>
    layoutOf(n, packed ? [batch, length, count * depth] : n.input(i).dims, count, `an input ${i}`);
  const [q, k, v] = [own(0, heads), own(1, kvHeads), own(2, kvHeads)];
  const [most] = n.numbers(grouped.total) ?? n.fail('lacks its total_sequence_length');
  // The first prompt starts the cache anew, whatever padding its batches have.
  const isFirst = most === length;
  const keys = Math.max(n.inputs[grouped.pastKey]?.dims[2] ?? 0, most as number);
  checkInputs(n, [q, k, v], keys);
  if (attributes.do_rotary) checkAngles(n, q, most as number);
  const cache = [batch, kvHeads, keys, k.depth];
  const core = {
    heads,
    kvHeads,
    scale: attributes.scale,
    softcap: attributes.softcap,
    causal: attributes.causal,
    fromEnd: attributes.causal && !isFirst ? 1 : 0,
    window: Math.max(0, window),
  };
  const sink = n.has(grouped.sink) || attributes.smooth_softmax ? { dtype, dims: [heads] } : undefined;
  const view = coreOf(n, core, [
    { dtype, dims: [batch, length, heads * q.depth] },
    { dtype, dims: cache },
    { dtype, dims: [batch, kvHeads, keys, v.depth] },
    n.inputs[grouped.bias],
    { dtype: 'int32', dims: [batch] },
    sink,
  ]);
  return { q, k, v, packed, isFirst, keys, cache, core, sink, view, tokens: [batch, length] as const };
}

function checkInputs(n: GroupedNode, [q, k, v]: readonly [Layout, Layout, Layout], keys: number): void {
  const { batch, length, depth } = q;
  if ([k, v].some((own) => own.batch !== batch || own.length !== length || own.depth !== depth))
    n.fail('has queries, keys and values of different batch, length or depth');
  if (length > keys) n.fail(`adds ${length} keys to a cache of ${keys}`);
  for (const i of [grouped.pastKey, grouped.pastValue]) {
    const dims = n.inputs[i]?.dims;
    if (dims && !sameDims(dims, [batch, k.heads, n.input(grouped.pastKey).dims[2] as number, depth]))
      n.fail(`has a cache of shape ${formatDims(dims)}; expected [${batch}, ${k.heads}, _, ${depth}]`);
  }
  for (const i of [grouped.queryNorm, grouped.keyNorm]) {
    if (n.has(i) && !sameDims(n.input(i).dims, [depth])) n.fail(`needs its input ${i} of shape [${depth}]`);
  }
  const last = n.input(grouped.lastKeys);
  if (last.dtype !== 'int32' || sizeOf(last.dims) !== batch)
    n.fail(`needs its seqlens_k as ${batch} int32, but has ${last.dtype}${formatDims(last.dims)}`);
}

function checkAngles(n: GroupedNode, { batch, length, depth }: Layout, tokens: number): void {
  const { dtype } = n.input(0);
  const [cosines, sines, ids] = [n.input(grouped.cosines), n.input(grouped.sines), n.inputs[grouped.positionIds]];
  const [rows = 0, width = 0, more] = cosines.dims;
  if (rows < tokens || 2 * width > depth || more !== undefined || !sameDims(cosines.dims, sines.dims))
    n.fail(`needs cosines and sines of ${tokens} positions or more, for up to ${depth} elements`);
  if (cosines.dtype !== dtype || sines.dtype !== dtype) n.fail('has cosines and sines of another type');
  if (ids && !sameDims(ids.dims, [batch, length])) n.fail(`needs position_ids of shape [${batch}, ${length}]`);
}
