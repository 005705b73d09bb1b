// Sizes and rule of a LinearAttention node, read once for its kernel and its reference.

import { isFloat } from '../../base/dtype';
import { type Dims, formatDims, sameDims } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';

export interface LinearAttentionAttributes {
  readonly q_num_heads: number;
  readonly kv_num_heads: number;
  readonly scale: number;
  readonly update_rule: string;
}

export type LinearAttentionNode = NodeView<LinearAttentionAttributes>;

const rules: Readonly<Record<string, { readonly decays: boolean; readonly corrects: boolean }>> = {
  linear: { decays: false, corrects: false },
  gated: { decays: true, corrects: false },
  delta: { decays: false, corrects: true },
  gated_delta: { decays: true, corrects: true },
};

/** Throws INVALID_MODEL on an unknown rule, a lacking input, or shapes that do not fit. */
export function problemOf(n: LinearAttentionNode) {
  const { q_num_heads: queryHeads, kv_num_heads: heads, update_rule } = n.attributes;
  const rule = rules[update_rule] ?? n.fail(`has the update_rule "${update_rule}"; expected ${Object.keys(rules)}`);
  if (!isFloat(n.input(0).dtype)) n.fail('needs floats');
  if (heads < 1 || queryHeads < 1 || queryHeads % heads !== 0)
    n.fail(`has ${queryHeads} query heads, which must be a multiple of its ${heads} key heads`);
  const [batch = 0, steps = 0, width = 0] = n.input(0).dims;
  const keySize = width / queryHeads;
  const valueSize = (n.input(2).dims[2] ?? 0) / heads;
  const state = [batch, heads, keySize, valueSize];
  const must = (i: number, ...allowed: Dims[]) => {
    const dims = n.inputs[i]?.dims;
    if (dims && !allowed.some((a) => sameDims(a, dims)))
      n.fail(`needs its input ${i} of shape ${allowed.map(formatDims).join(' or ')}, but has ${formatDims(dims)}`);
  };
  must(0, [batch, steps, queryHeads * Math.floor(keySize)]);
  n.input(1);
  must(1, [batch, steps, heads * keySize]);
  must(2, [batch, steps, heads * Math.floor(valueSize)]);
  must(3, state);
  if (rule.decays) {
    n.input(4);
    must(4, [batch, steps, heads * keySize], [batch, steps, heads]);
  }
  if (rule.corrects) {
    n.input(5);
    must(5, [batch, steps, heads], [batch, steps, 1]);
  }
  const { scale } = n.attributes;
  return {
    ...rule,
    batch,
    steps,
    heads,
    group: queryHeads / heads,
    keySize,
    valueSize,
    state,
    scale: scale === 0 ? 1 / Math.sqrt(keySize) : scale,
    /** Decay a key element, and beta a head, or one for all. */
    decayWidth: (n.inputs[4]?.dims[2] ?? 0) / heads,
    betaWidth: n.inputs[5]?.dims[2] ?? 0,
  };
}

export type LinearAttention = ReturnType<typeof problemOf>;

/** The state may be held in another type than the rest. */
export const stateType = (n: LinearAttentionNode) => n.inputs[3]?.dtype ?? n.input(0).dtype;

/** Places of a token's decay and beta. */
export const decayPlace = (p: LinearAttention, token: number, head: number, i: number) =>
  (token * p.heads + head) * p.decayWidth + (p.decayWidth === 1 ? 0 : i);
export const betaPlace = (p: LinearAttention, token: number, head: number) =>
  token * p.betaWidth + (p.betaWidth === 1 ? 0 : head);
