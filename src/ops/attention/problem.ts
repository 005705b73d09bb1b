// What an attention comes down to, whatever the layout of its operands: for every head of every batch, rows of
// queries by rows of keys. Rank 3 packs the heads in the last axis, rank 4 has an axis for them; the result is
// laid out as the queries are.

import { isFloat } from '../../base/dtype';
import { broadcastDims, broadcastStrides, type Dims, formatDims, sameDims } from '../../base/shape';
import { float, int } from '../../ir/attributes';
import { NodeView, type TensorType } from '../../ir/node-view';

/**
 * Inputs: queries, keys, values, mask (added, or bool), number of valid keys of each batch, sink of each head.
 * Without keys and values every position's queries, keys and values are joined in the first, of rank 3.
 */
export const input = { q: 0, k: 1, v: 2, mask: 3, lengths: 4, sink: 5 } as const;

/** Which scores the second output holds: as multiplied, after the soft cap, after the mask, after Softmax. */
export type Stages<T> = readonly [raw: T, capped: T, masked: T, weights: T];

export const attentionAttributes = {
  /** Heads of queries and of keys, where their rank does not tell. */
  heads: int(0),
  kvHeads: int(0),
  /** 0 for 1 / √depth. */
  scale: float(0),
  softcap: float(0),
  /** Query i sees keys up to i + offset only; with `fromEnd` the last query sees the last valid key. */
  causal: int(0),
  offset: int(0),
  fromEnd: int(0),
  /** How many keys back a causal query sees, its own included; 0 for all. */
  window: int(0),
  stage: int(0),
} as const;

export interface AttentionAttributes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly scale: number;
  readonly softcap: number;
  readonly causal: number;
  readonly offset: number;
  readonly fromEnd: number;
  readonly window: number;
  readonly stage: number;
}
export type AttentionNode = NodeView<AttentionAttributes>;

/** Elements from one batch, head and position to the next; 0 where broadcast. */
export type Steps = readonly [batch: number, head: number, position: number];

export interface Layout {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly depth: number;
  readonly steps: Steps;
}

/** Where an operand lies: which input of the node it is, and the element at which it begins. */
export interface Source extends Layout {
  readonly source: number;
  readonly begin?: number;
}

export interface Problem {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Heads of queries for each of keys. */
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
  readonly scale: number;
  readonly q: Source;
  readonly k: Source;
  readonly v: Source;
  /** Steps of the mask, and how many keys it covers. */
  readonly mask?: { readonly steps: Steps; readonly keys: number };
}

/** @param heads of an operand of rank 3 */
export function layoutOf(n: NodeView, dims: Dims, heads: number, what: string): Layout {
  if (dims.length === 4) {
    const [batch, own, length, depth] = dims as [number, number, number, number];
    if (depth === 0) n.fail(`has ${what} of depth 0`);
    return { batch, heads: own, length, depth, steps: [own * length * depth, length * depth, depth] };
  }
  if (dims.length !== 3) n.fail(`has ${what} of shape ${formatDims(dims)}; expected rank 3 or 4`);
  const [batch, length, width] = dims as [number, number, number];
  if (heads <= 0) n.fail(`has ${what} of rank 3, which needs the number of heads as an attribute`);
  if (width % heads !== 0) n.fail(`has ${what} ${width} wide, which does not fall into ${heads} heads`);
  const depth = width / heads;
  if (depth === 0) n.fail(`has ${what} of depth 0`);
  return { batch, heads, length, depth, steps: [length * width, depth, width] };
}

type Sources = readonly [q: Source, k: Source, v: Source];

function ownSources(n: AttentionNode): Sources {
  const { heads, kvHeads } = n.attributes;
  const own = (source: number, count: number, what: string) => ({
    ...layoutOf(n, n.input(source).dims, count, what),
    source,
  });
  return [own(input.q, heads, 'queries'), own(input.k, kvHeads, 'keys'), own(input.v, kvHeads, 'values')];
}

function joinedSources(n: AttentionNode): Sources {
  const { heads, kvHeads } = n.attributes;
  const { dims } = n.input(input.q);
  if (n.has(input.v) || dims.length !== 3 || heads <= 0 || kvHeads <= 0)
    n.fail(`has no keys; queries, keys and values in one tensor need rank 3 and the numbers of their heads`);
  const all = { ...layoutOf(n, dims, heads + 2 * kvHeads, 'queries, keys and values'), source: input.q };
  return [
    { ...all, heads },
    { ...all, heads: kvHeads, begin: heads * all.depth },
    { ...all, heads: kvHeads, begin: (heads + kvHeads) * all.depth },
  ];
}

export function problemOf(n: AttentionNode): Problem {
  const [q, k, v] = n.has(input.k) ? ownSources(n) : joinedSources(n);
  const match = (what: string, a: number, b: number) => {
    if (a !== b) n.fail(`has ${what} that differ: ${a} and ${b}`);
  };
  match('batches of queries and keys', q.batch, k.batch);
  match('batches of keys and values', k.batch, v.batch);
  match('heads of keys and values', k.heads, v.heads);
  match('head sizes of queries and keys', q.depth, k.depth);
  match('numbers of keys and values', k.length, v.length);
  if (k.heads === 0 || q.heads % k.heads !== 0)
    n.fail(`has ${q.heads} heads of queries, which do not fall to ${k.heads} of keys`);
  const mask = n.inputs[input.mask];
  return {
    batch: q.batch,
    heads: q.heads,
    kvHeads: k.heads,
    group: q.heads / k.heads,
    queries: q.length,
    keys: k.length,
    depth: q.depth,
    valueDepth: v.depth,
    scale: n.attributes.scale || 1 / Math.sqrt(q.depth),
    q,
    k,
    v,
    ...(mask && { mask: maskOf(n, mask, [q.batch, q.heads, q.length], k.length) }),
  };
}

/** A mask may cover fewer keys than there are; the others are hidden. */
function maskOf(n: AttentionNode, mask: TensorType, rows: Dims, keys: number) {
  const own = mask.dims.at(-1) ?? n.fail('has a scalar mask');
  const lead = mask.dims.slice(0, -1);
  const common = broadcastDims(lead, rows);
  if (!common || common.length > 3 || common.some((d, i) => d !== rows[i]) || own > keys)
    n.fail(`has a mask of shape ${formatDims(mask.dims)}, which does not broadcast to ${formatDims([...rows, keys])}`);
  return { steps: broadcastStrides(lead, rows).map((s) => s * own) as unknown as Steps, keys: own };
}

/** Elements of the result from one batch, head and position to the next. */
export function resultSteps(n: AttentionNode, p: Pick<Problem, 'queries' | 'heads' | 'valueDepth'>): Steps {
  const { queries, heads, valueDepth } = p;
  const batch = queries * heads * valueDepth;
  return n.input(input.q).dims.length === 4
    ? [batch, queries * valueDepth, valueDepth]
    : [batch, valueDepth, heads * valueDepth];
}

/**
 * The attention that another operator's node comes down to, as if it were a node of lepton.Attention.
 *
 * @param types of its inputs; their names, where they matter, are the node's own
 */
export function coreOf(
  n: NodeView,
  attributes: Partial<AttentionAttributes>,
  types: readonly (TensorType | undefined)[],
): AttentionNode {
  const all = { heads: 0, kvHeads: 0, scale: 0, softcap: 0, causal: 0, offset: 0, fromEnd: 0, window: 0, stage: 0 };
  const inputs = types.map((type) => type && { ...type, isConstant: false });
  const view = new NodeView(n.node, { ...all, ...attributes }, inputs);
  return new NodeView(n.node, view.attributes, inputs, inferAttention(view));
}

export function inferAttention(n: AttentionNode): TensorType[] {
  const p = problemOf(n);
  const { dtype } = n.input(input.q);
  for (const i of [p.q, p.k, p.v].map(({ source }) => source)) {
    if (n.input(i).dtype !== dtype || !isFloat(dtype)) n.fail('needs queries, keys and values of one float type');
  }
  const mask = n.inputs[input.mask]?.dtype ?? 'bool';
  if (mask !== 'bool' && !isFloat(mask)) n.fail(`has a mask of type ${mask}; expected bool or floats`);
  const counts = (i: number, what: string, count: number) => {
    if (n.has(i) && !sameDims(n.input(i).dims, [count]))
      n.fail(`needs ${what}, ${count} in all, but has ${formatDims(n.input(i).dims)} of them`);
  };
  counts(input.lengths, 'a number of keys for each batch', p.batch);
  counts(input.sink, 'a sink for each head', p.heads);
  const numbers = n.inputs[input.lengths]?.dtype ?? 'int64';
  if (numbers !== 'int64' && numbers !== 'int32')
    n.fail(`has numbers of keys of type ${numbers}; expected int64 or int32`);
  if (n.attributes.fromEnd && !n.has(input.lengths)) n.fail('counts from the end of keys whose number it is not given');
  const packed = n.input(input.q).dims.length === 3;
  const dims = packed ? [p.batch, p.queries, p.heads * p.valueDepth] : [p.batch, p.heads, p.queries, p.valueDepth];
  return [
    { dtype, dims },
    { dtype, dims: [p.batch, p.heads, p.queries, p.keys] },
  ];
}
