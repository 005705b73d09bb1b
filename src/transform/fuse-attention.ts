// Attention as exporters write it becomes lepton.Attention, which never stores the scores:
//   Softmax(scale · Q Kᵀ + mask) V, with the scale before or behind the product, and the mask added or absent.
// Where heads are split off by Reshape and Transpose and joined again, the operator reads and writes them packed,
// and the Transposes go.

import { isFloat } from '../base/dtype';
import { int64s } from '../base/ndarray';
import { broadcastDims, sameDims, sizeOf } from '../base/shape';
import type { Graph, Node } from '../ir/graph';
import { lastAxesSwapped } from './absorb-movement';
import { inShape, permOf, sourceOf } from './compose-views';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function fuseAttention(graph: Graph): Graph {
  const fused = rewrite(graph, { 'lepton.MatMul': attention });
  return fused === graph ? graph : rewrite(fused, { Transpose: joinedHeads });
}

/** Scores on their way back to the product: factors multiply, one mask may be added. */
interface Scores {
  readonly product: Node;
  readonly scale: number;
  readonly mask?: string;
  /** Batch and heads, as the scores are laid out where the mask is added. */
  readonly planes?: readonly number[];
}

const attention: Rule = (node, around) => {
  const [weights, values] = node.inputs as [string, string];
  const { transA, transB, alpha = 1 } = node.attributes;
  const softmax = transA || transB || alpha !== 1 ? undefined : around.writer(sourceOf(weights, around));
  // Weights that something else needs too would be computed twice.
  if (softmax?.op !== 'Softmax' || !isLastAxis(softmax, around) || !around.readOnce(weights)) return undefined;
  const scores = scoresOf(softmax.inputs[0] as string, around);
  if (!scores) return undefined;
  const { product, mask } = scores;
  const { dtype, dims } = around.type(values);
  const lead = dims.slice(0, -2);
  const read = [...product.inputs, weights, values].map((name) => around.type(name).dims);
  const fits = read.every((d) => d.length > 2 && !d.includes(0) && sameDims(d.slice(0, -2), lead));
  const planes = planesOf(lead, scores.planes);
  if (!fits || !planes || !isFloat(dtype)) return undefined;
  const q = scaled(product.inputs[0] as string, around);
  const k = keysOf(product, around);
  const scale = scores.scale * q.scale * k.scale;
  // Zero stands for the default scale.
  if (scale === 0 || (mask && !maskFits(mask, planes, q.name, k.name, around))) return undefined;
  const byHead = [q.name, k.name, values].map((name) =>
    inShape(name, [...planes, ...around.type(name).dims.slice(-2)], around),
  );
  const result = around.add('lepton.Attention', mask ? [...byHead, mask] : byHead, { scale });
  return inShape(result, around.type(node.outputs[0] as string).dims, around);
};

/** The keys as rows, without factors. */
function keysOf({ inputs, attributes }: Node, around: Surroundings): Scaled {
  const { name, scale } = scaled(inputs[1] as string, around);
  if (attributes.transB) return { name, scale };
  const { length } = around.type(name).dims;
  const perm = Array.from({ length }, (_, i) => (i < length - 2 ? i : 2 * length - 3 - i));
  return { name: lastAxesSwapped(name, around) ?? around.add('Transpose', [name], { perm }), scale };
}

function isLastAxis({ inputs, attributes }: Node, around: Surroundings): boolean {
  const { axis = -1 } = attributes as { axis?: number };
  return axis === -1 || axis === around.type(inputs[0] as string).dims.length - 1;
}

/** [batch, heads] of operands whose leading dimensions are `lead`. */
function planesOf(lead: readonly number[], atMask: readonly number[] | undefined): readonly number[] | undefined {
  if (atMask?.length === 2 && sizeOf(atMask) === sizeOf(lead)) return atMask;
  if (lead.length === 2) return lead;
  return lead.length === 1 ? [1, lead[0] as number] : undefined;
}

function scoresOf(name: string, around: Surroundings): Scores | undefined {
  let at = sourceOf(name, around);
  let mask: string | undefined;
  let planes: readonly number[] | undefined;
  const sum = around.writer(at);
  if (sum?.op === 'Add') {
    const [a, b] = sum.inputs as [string, string];
    const [inner, other] = isProduct(a, around) ? [a, b] : [b, a];
    planes = around.type(at).dims.slice(0, -2);
    // The mask must not widen the scores.
    if (!sameDims(around.type(inner).dims, around.type(at).dims)) return undefined;
    mask = other;
    at = sourceOf(inner, around);
  }
  const { name: bare, scale } = scaled(at, around);
  const product = around.writer(sourceOf(bare, around));
  const { transA, alpha = 1 } = product?.attributes ?? {};
  if (product?.op !== 'lepton.MatMul' || transA || !around.readOnce(product.outputs[0] as string)) return undefined;
  return { product, scale: scale * (alpha as number), ...(mask !== undefined && { mask, planes }) };
}

function isProduct(name: string, around: Surroundings): boolean {
  return around.writer(sourceOf(scaled(sourceOf(name, around), around).name, around))?.op === 'lepton.MatMul';
}

interface Scaled {
  readonly name: string;
  readonly scale: number;
}

/** A value without the numbers that it is multiplied or divided by. */
function scaled(name: string, around: Surroundings): Scaled {
  let at = name;
  let scale = 1;
  for (let node = around.writer(at); node; node = around.writer(at)) {
    const [a, b] = node.inputs as [string, string];
    const [left, right] = node.op === 'Mul' || node.op === 'Div' ? [around.scalar(a), around.scalar(b)] : [];
    const factor = right ?? (node.op === 'Mul' ? left : undefined);
    const inner = right === undefined ? b : a;
    if (factor === undefined || !sameDims(around.type(inner).dims, around.type(at).dims)) break;
    scale = node.op === 'Mul' ? scale * factor : scale / factor;
    at = inner;
  }
  return { name: at, scale };
}

function maskFits(mask: string, planes: readonly number[], q: string, k: string, around: Surroundings): boolean {
  const { dims, dtype } = around.type(mask);
  const rows = [...planes, around.type(q).dims.at(-2) as number];
  const keys = around.type(k).dims.at(-2);
  const lead = broadcastDims(dims.slice(0, -1), rows);
  return isFloat(dtype) && dims.at(-1) === keys && lead !== undefined && sameDims(lead, rows);
}

/**
 * Heads joined again behind an attention: [batch, heads, queries, depth] transposed to [batch, queries, heads, depth].
 * Where the queries were split the same way, the attention works on packed heads throughout.
 */
const joinedHeads: Rule = (node, around) => {
  const made = around.writer(sourceOf(node.inputs[0] as string, around));
  if (made?.op !== 'lepton.Attention' || !swapsHeads(node, around)) return undefined;
  const [q, k, v, ...others] = made.inputs as [string, string, string, ...string[]];
  const packedQ = packed(q, around);
  const heads = around.type(q).dims[1] as number;
  if (packedQ === undefined || around.type(q).dims.length !== 4) return undefined;
  const inputs = [packedQ, packed(k, around) ?? k, packed(v, around) ?? v, ...others];
  const result = around.add('lepton.Attention', inputs, { ...made.attributes, heads, kvHeads: heads });
  return around.add('Reshape', [result, around.constant(int64s(around.type(node.outputs[0] as string).dims))]);
};

/** Whether a Transpose swaps heads with positions: of [batch, heads, …], or of [heads, …] where there is one batch. */
function swapsHeads(node: Node, around: Surroundings): boolean {
  return /^(0,2,1,3|1,0,2)$/.test(permOf(node, around).join());
}

/** [batch, length, heads * depth] of what a Transpose made [batch, heads, length, depth] of, where one did. */
function packed(name: string, around: Surroundings): string | undefined {
  const [batch, heads, length, depth] = around.type(name).dims as [number, number, number, number];
  const source = sourceOf(name, around);
  const split = around.writer(source);
  if (split?.op !== 'Transpose' || !swapsHeads(split, around)) return undefined;
  const dims = around.type(source).dims;
  if (dims.length === 3 ? batch !== 1 || dims[0] !== heads : !sameDims(dims, [batch, heads, length, depth])) {
    return undefined;
  }
  return inShape(split.inputs[0] as string, [batch, length, heads * depth], around);
}
