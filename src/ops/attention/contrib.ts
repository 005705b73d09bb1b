// What com.microsoft.Attention and com.microsoft.MultiHeadAttention share once queries, keys and values are told
// apart: earlier keys, padding, an added bias, and the causal form.

import type { NDArray } from '../../base/ndarray';
import { broadcastDims, type Dims, formatDims } from '../../base/shape';
import type { NodeView, TensorType } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { type Padding, paddingAt, paddingNode, paddingOf } from './padding';
import { type Appended, append, appendedArray, appendedReader } from './past';
import { type AttentionAttributes, type AttentionNode, coreOf, type Layout, resultSteps } from './problem';
import { attend, type Read, sees } from './reference';

export interface ContribAttributes {
  readonly num_heads: number;
  readonly scale: number;
  readonly unidirectional: number;
  readonly mask_filter_value: number;
}

interface Contrib {
  readonly q: Layout;
  readonly key: Appended;
  readonly value: Appended;
  readonly padding?: Padding;
  readonly core: Partial<AttentionAttributes>;
  readonly view: AttentionNode;
}

/** @param types of the padding mask and the bias */
export function contribOf(
  n: NodeView<ContribAttributes>,
  { q, key, value }: { q: Layout; key: Appended; value: Appended },
  types: readonly [padding: TensorType | undefined, bias: TensorType | undefined],
): Contrib {
  const { num_heads, scale, unidirectional, mask_filter_value } = n.attributes;
  const { dtype } = n.input(0);
  const { past } = key;
  const sizes = { batch: q.batch, queries: q.length, keys: key.dims[2], past };
  const padding = types[0] && paddingOf(n, types[0], sizes, mask_filter_value);
  const bias = types[1]?.dims;
  const mask = padding && bias ? broadcastDims(padding.dims, bias) : (padding?.dims ?? bias);
  if (bias && !mask) n.fail(`has a bias of shape ${formatDims(bias)}, which does not fit its mask`);
  // The scores that may be asked for are those that Softmax is given.
  const core = { heads: num_heads, kvHeads: num_heads, scale, causal: unidirectional, offset: past, stage: 2 };
  const packed = (l: Layout): Dims => [l.batch, l.length, l.heads * l.depth];
  const view = coreOf(n, core, [
    { dtype, dims: packed(q) },
    { dtype, dims: key.dims },
    { dtype, dims: value.dims },
    mask && { dtype, dims: mask },
  ]);
  return { q, key, value, core, view, ...(padding && { padding }) };
}

/** Names of a node's operands; '' where absent. Queries have their heads packed. */
export interface Names {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly padding: string;
  readonly bias: string;
}

/** Result, all keys, all values, scores. */
export function lowerContrib(c: Contrib, b: LowerBuilder, names: Names, wanted: { present: boolean; scores: boolean }) {
  const whole = (name: string, a: Appended, past: string) =>
    wanted.present || a.past > 0 ? append(b, a, past, name, b.type(name).dims.length) : name;
  const keys = whole(names.k, c.key, names.pastKey);
  const values = whole(names.v, c.value, names.pastValue);
  const padding = c.padding ? paddingNode(c.padding, b, names.padding, b.type(names.q)) : '';
  const mask = padding && names.bias ? (b.add('Add', [names.bias, padding])[0] as string) : padding || names.bias;
  // Without earlier ones they are read as they lie, packed or not.
  const used = [c.key.past > 0 ? keys : names.k, c.value.past > 0 ? values : names.v];
  const [result, scores] = b.add('lepton.Attention', [names.q, ...used, mask], c.core, wanted.scores ? 2 : 1);
  return [result as string, keys, values, scores ?? ''] as const;
}

export interface Arrays {
  /** Of the new keys and values; `pastKey` and `pastValue` are those before them. */
  readonly q: Read;
  readonly k: Read;
  readonly v: Read;
  readonly pastKey: NDArray | undefined;
  readonly pastValue: NDArray | undefined;
  readonly padding: NDArray | undefined;
  readonly bias: NDArray | undefined;
}

export function contribReference(n: NodeView, c: Contrib, arrays: Arrays): [NDArray, NDArray, NDArray, NDArray] {
  const { core, key, value, view } = c;
  const type = n.input(0);
  const k = appendedReader(key, arrays.pastKey, arrays.k);
  const v = appendedReader(value, arrays.pastValue, arrays.v);
  const p = {
    batch: c.q.batch,
    heads: c.q.heads,
    group: 1,
    queries: c.q.length,
    keys: key.dims[2],
    depth: c.q.depth,
    valueDepth: value.dims[3],
  };
  const { bias } = arrays;
  const [biasBatch, biasHead, biasRow] = (bias?.dims ?? []).map((d) => (d === 1 ? 0 : 1)) as [number, number, number];
  const added = (b: number, h: number, i: number, key: number) => {
    if (!bias) return 0;
    const [, heads, rows, keys] = bias.dims as [number, number, number, number];
    return bias.data[((b * biasBatch * heads + h * biasHead) * rows + i * biasRow) * keys + key] as number;
  };
  const causal = { causal: core.causal ?? 0, offset: key.past, window: 0 };
  const [result, scores] = attend(
    p,
    { q: arrays.q, k, v },
    (b, h, i) => ({
      scale: core.scale || 1 / Math.sqrt(p.depth),
      softcap: 0,
      stage: 2,
      bias(key) {
        if (!sees(causal, i, key)) return Number.NEGATIVE_INFINITY;
        const padding = c.padding && arrays.padding ? paddingAt(c.padding, arrays.padding, b, i, key) : 0;
        return added(b, h, i, key) + padding;
      },
    }),
    {
      dtype: type.dtype,
      dims: [p.batch, p.queries, p.heads * p.valueDepth],
      steps: resultSteps(view, p),
    },
  );
  return [result, appendedArray(key, type, k), appendedArray(value, type, v), scores];
}
