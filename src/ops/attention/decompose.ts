// Attention as MatMul, element-wise operators and Softmax: where the scores themselves are asked for, where
// they are changed by a subgraph, and for types that the fused kernels lack.

import { int64s, ndarray, scalar } from '../../base/ndarray';
import type { LowerBuilder } from '../../ir/opdef';
import { type AttentionNode, input, type Layout, type Problem, problemOf, type Source, type Stages } from './problem';

export type Nodes = Pick<LowerBuilder, 'add' | 'constant'>;

/** What a subgraph makes of the scores or the weights, [batch, heads, queries, keys] both. */
type Change = (name: string) => string;

export function decompose(n: AttentionNode, b: Nodes, onScores?: Change, onWeights?: Change): string[] {
  const p = problemOf(n);
  const { attributes, node } = n;
  const { dtype } = n.input(input.q);
  const one = (op: string, inputs: string[], with_: Record<string, number> = {}) =>
    b.add(op, inputs, with_)[0] as string;
  const number = (value: number) => b.constant(scalar(dtype, value));
  const shaped = (name: string, dims: readonly number[]) => one('Reshape', [name, b.constant(int64s(dims))]);
  const slice = (name: string, from: number, to: number) =>
    one('Slice', [name, ...[from, to, 2].map((i) => b.constant(int64s([i])))]);
  const byHead = (operand: Source) => {
    const { source, begin = 0, heads, depth } = operand;
    const name = node.inputs[source] as string;
    const own = n.has(input.k) ? name : slice(name, begin, begin + heads * depth);
    return headsFirst(b, own, n.input(source).dims.length, operand);
  };

  const scoreDims = [p.batch, p.heads, p.queries, p.keys];
  const rows = p.group * p.queries;
  // The heads that share keys are more rows of one product.
  const q = shaped(byHead(p.q), [p.batch, p.kvHeads, rows, p.depth]);
  const products = b.add('lepton.MatMul', [q, byHead(p.k)], {
    transB: 1,
    alpha: p.scale,
  })[0] as string;
  const raw = shaped(products, scoreDims);
  const capped =
    attributes.softcap > 0
      ? one('Mul', [one('Tanh', [one('Div', [raw, number(attributes.softcap)])]), number(attributes.softcap)])
      : raw;
  const hidden = hide(n, b, p, capped);
  const masked = onScores ? onScores(hidden) : hidden;
  const weights = onWeights ? onWeights(soften(n, b, p, masked)) : soften(n, b, p, masked);
  const sums = one('lepton.MatMul', [shaped(weights, [p.batch, p.kvHeads, rows, p.keys]), byHead(p.v)]);
  const result = shaped(sums, [p.batch, p.heads, p.queries, p.valueDepth]);
  const shown: Stages<string> = [raw, capped, masked, weights];
  return [
    n.input(input.q).dims.length === 4 ? result : headsLast(b, result, p.heads * p.valueDepth),
    shown[attributes.stage] ?? n.fail(`asks for the scores of stage ${attributes.stage}; expected 0 to 3`),
  ];
}

/** [batch, heads, length, depth] of an operand that may have its heads packed in the last axis. */
export function headsFirst(b: Nodes, name: string, rank: number, layout: Layout): string {
  if (rank === 4) return name;
  const dims = b.constant(int64s([layout.batch, layout.length, layout.heads, layout.depth]));
  return b.add('Transpose', [b.add('Reshape', [name, dims])[0] as string], { perm: [0, 2, 1, 3] })[0] as string;
}

/** The way back, to [batch, length, width]. */
function headsLast(b: Nodes, name: string, width: number): string {
  const [turned] = b.add('Transpose', [name], { perm: [0, 2, 1, 3] }) as [string];
  return b.add('Reshape', [turned, b.constant(int64s([0, 0, width]))])[0] as string;
}

/** The scores with the mask added, -Infinity where a key is hidden. */
function hide(n: AttentionNode, b: Nodes, p: Problem, scores: string): string {
  const { dtype } = n.input(input.q);
  const infinity = b.constant(scalar(dtype, Number.NEGATIVE_INFINITY));
  const seen = seenKeys(n, b, p);
  const masked = n.has(input.mask) ? addMask(n, b, p, scores) : scores;
  return seen ? (b.add('Where', [seen, masked, infinity])[0] as string) : masked;
}

function addMask(n: AttentionNode, b: Nodes, p: Problem, scores: string): string {
  const mask = n.input(input.mask);
  const { dtype } = n.input(input.q);
  const isBool = mask.dtype === 'bool';
  const infinity = b.constant(scalar(dtype, Number.NEGATIVE_INFINITY));
  let name = n.node.inputs[input.mask] as string;
  const lacking = p.keys - (p.mask?.keys ?? p.keys);
  if (isBool) name = b.add('Where', [name, b.constant(scalar(dtype, 0)), infinity])[0] as string;
  else if (mask.dtype !== dtype) name = b.add('CastLike', [name, n.node.inputs[input.q] as string])[0] as string;
  if (lacking > 0) {
    const pads = [...mask.dims.map(() => 0), ...mask.dims.map((_, i) => (i === mask.dims.length - 1 ? lacking : 0))];
    name = b.add('Pad', [name, b.constant(int64s(pads)), infinity])[0] as string;
  }
  return b.add('Add', [scores, name])[0] as string;
}

/** Whether a query may see a key, by position and number alone: [batch or 1, 1, queries, keys]; undefined for all. */
function seenKeys(n: AttentionNode, b: Nodes, p: Problem): string | undefined {
  const { causal, fromEnd, offset, window } = n.attributes;
  const range = (count: number, dims: number[]) =>
    b.constant(
      ndarray(
        'int32',
        dims,
        Array.from({ length: count }, (_, i) => i),
      ),
    );
  const keys = () => range(p.keys, [1, 1, 1, p.keys]);
  const tests: string[] = [];
  const test = (op: string, left: string, right: string) => tests.push(b.add(op, [left, right])[0] as string);
  const int = (value: number) => b.constant(scalar('int32', value));
  let lengths: string | undefined;
  if (n.has(input.lengths)) {
    const [narrow] = b.add('CastLike', [n.node.inputs[input.lengths] as string, int(0)]) as [string];
    lengths = b.add('Reshape', [narrow, b.constant(int64s([p.batch, 1, 1, 1]))])[0] as string;
    test('Less', keys(), lengths);
  }
  if (causal) {
    const positions = range(p.queries, [1, 1, p.queries, 1]);
    const shift =
      fromEnd && lengths
        ? (b.add('Sub', [b.add('Min', [lengths, int(p.keys)])[0] as string, int(p.queries)])[0] as string)
        : int(offset);
    const [last] = b.add('Add', [positions, shift]) as [string];
    test('LessOrEqual', keys(), last);
    if (window > 0) test('Greater', keys(), b.add('Sub', [last, int(window)])[0] as string);
  }
  return tests.length ? tests.reduce((a, c) => b.add('And', [a, c])[0] as string) : undefined;
}

/** Softmax of the scores, zero for a row that sees no key; a sink takes part in the sum alone. */
function soften(n: AttentionNode, b: Nodes, p: Problem, scores: string): string {
  const { dtype } = n.input(input.q);
  const one = (op: string, inputs: string[], with_: Record<string, number> = {}) =>
    b.add(op, inputs, with_)[0] as string;
  if (n.has(input.sink)) {
    const dims = b.constant(int64s([1, p.heads, 1, 1]));
    const column = one('Expand', [
      one('Reshape', [n.node.inputs[input.sink] as string, dims]),
      b.constant(int64s([p.batch, p.heads, p.queries, 1])),
    ]);
    const weights = one('Softmax', [one('Concat', [scores, column], { axis: -1 })], { axis: -1 });
    return one('Slice', [weights, ...[0, p.keys, -1].map((i) => b.constant(int64s([i])))]);
  }
  const soft = (name: string) => one('Softmax', [name], { axis: -1 });
  if (!n.has(input.mask) && !n.has(input.lengths) && seesSome(n.attributes, p)) return soft(scores);
  const top = b.add('ReduceMax', [scores, b.constant(int64s([-1]))], { keepdims: 1 })[0] as string;
  // Not an equality with -Infinity, which a GPU need not know.
  const least = dtype === 'float16' ? -65504 : -3.4028234663852886e38;
  const none = one('Less', [top, b.constant(scalar(dtype, least))]);
  const zero = b.constant(scalar(dtype, 0));
  // Nor may Softmax see such a row: what it makes of it would be NaN, and so would be the gradients.
  return one('Where', [none, zero, soft(one('Where', [none, zero, scores]))]);
}

/** Whether every query sees a key, by position alone. */
function seesSome({ causal, offset, window }: AttentionNode['attributes'], { queries, keys }: Problem): boolean {
  return !causal || (offset >= 0 && (window === 0 || queries + offset - window < keys));
}
