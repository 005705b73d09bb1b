// com.microsoft.GroupQueryAttention: causal attention of heads that share keys, over a cache of keys and values that
// it appends to, with rotary embedding on the way.
//
// Inputs: query [batch, length, heads * depth], or with keys and values behind it in the last axis; key, value;
// cached keys and values [batch, kvHeads, _, depth]; for each batch its number of keys less one; the largest number
// of keys; grouped.cosines, grouped.sines; position_ids; attention bias; sinks of the heads;
// weights that normalise each head of queries and of keys. Outputs: result, both caches.

import { int64s, ndarray, scalar } from '../base/ndarray';
import { float, int, required } from '../ir/attributes';
import { defineOp, type LowerBuilder } from '../ir/opdef';
import { groupQueryCases } from './attention/contrib-cases';
import { type GroupedNode, grouped, groupedParts } from './attention/grouped';
import { groupedReference } from './attention/grouped-reference';
import type { Layout } from './attention/problem';

export default defineOp({
  name: 'com.microsoft.GroupQueryAttention',
  attributes: {
    num_heads: required('int'),
    kv_num_heads: required('int'),
    scale: float(0),
    softcap: float(0),
    causal: int(1),
    local_window_size: int(-1),
    do_rotary: int(0),
    rotary_interleaved: int(0),
    smooth_softmax: int(0),
    sliding_window_cache: int(0),
    qk_norm_epsilon: float(1e-6),
  },
  infer(n) {
    const { view, cache } = groupedParts(n);
    const { dtype } = n.input(0);
    return [view.output(0), { dtype, dims: cache }, { dtype, dims: cache }];
  },
  reference: groupedReference,
  lower(n, b) {
    const { q, k, v, packed, isFirst, keys, core, sink } = groupedParts(n);
    const names = n.node.inputs;
    const list = (...values: number[]) => b.constant(int64s(values));
    const split = () =>
      b.add('Split', [names[0] as string, list(...[q, k, v].map((o) => o.heads * o.depth))], { axis: 2 }, 3);
    const [query, key, value] = (packed ? split() : names.slice(0, 3)) as [string, string, string];
    const one = b.constant(scalar('int32', 1));
    const [counts] = b.add('Add', [names[grouped.lastKeys] as string, one]) as [string];
    const [lengths] = b.add('Reshape', [counts, list(q.batch)]) as [string];
    const rotate = rotary(n, b, lengths);
    const turn = (name: string, own: Layout, weights: number) => rotate(normalise(n, b, name, own, weights), own.heads);
    const append = (name: string, heads: number, past: number) =>
      b.add('lepton.AppendCache', [name, ...(isFirst ? [] : [names[past] ?? '', lengths])], {
        heads,
        length: keys,
      })[0] as string;
    const allKeys = append(turn(key, k, grouped.keyNorm), k.heads, grouped.pastKey);
    const allValues = append(value, v.heads, grouped.pastValue);
    const noSink = () => (sink ? b.constant(ndarray(sink.dtype, sink.dims)) : '');
    const operands = [
      turn(query, q, grouped.queryNorm),
      allKeys,
      allValues,
      names[grouped.bias] ?? '',
      lengths,
      names[grouped.sink] || noSink(),
    ];
    return [b.add('lepton.Attention', operands, core)[0] as string, allKeys, allValues];
  },
});

/** Queries or keys with every head normalised by the weights of input `i`, where the node has them. */
function normalise(n: GroupedNode, b: LowerBuilder, name: string, own: Layout, i: number): string {
  if (!n.has(i)) return name;
  const { batch, length, heads, depth } = own;
  const shaped = b.add('Reshape', [name, b.constant(int64s([batch, length, heads, depth]))]);
  const epsilon = n.attributes.qk_norm_epsilon;
  const scaled = b.add('RMSNormalization', [...shaped, n.node.inputs[i] as string], { axis: -1, epsilon });
  return b.add('Reshape', [...scaled, b.constant(int64s([batch, length, heads * depth]))])[0] as string;
}

/** What turns queries or keys, given by name and number of heads. */
function rotary(n: GroupedNode, b: LowerBuilder, lengths: string): (name: string, heads: number) => string {
  const { tokens, isFirst } = groupedParts(n);
  const { do_rotary, rotary_interleaved: interleaved } = n.attributes;
  if (!do_rotary) return (name) => name;
  const [batch, length] = tokens;
  const names = n.node.inputs;
  let positions = names[grouped.positionIds] ?? '';
  if (positions === '') {
    const steps = Array.from({ length: batch * length }, (_, t) => (t % length) - (isFirst ? 0 : length));
    positions = b.constant(ndarray('int32', tokens, steps));
    if (!isFirst) {
      const [column] = b.add('Reshape', [lengths, b.constant(int64s([batch, 1]))]) as [string];
      [positions] = b.add('Max', [...b.add('Add', [positions, column]), b.constant(scalar('int32', 0))]) as [string];
    }
  }
  const rotary_embedding_dim = 2 * (n.input(grouped.cosines).dims[1] as number);
  const attributes = { interleaved, rotary_embedding_dim };
  return (name, num_heads) =>
    b.add('RotaryEmbedding', [name, names[grouped.cosines] as string, names[grouped.sines] as string, positions], {
      ...attributes,
      num_heads,
    })[0] as string;
}

export const cases = groupQueryCases;
