// Queries, keys and values projected from one tensor are computed by one product: its weights are theirs side by side,
// and the attention reads all three from the one result. Three products of a short sequence leave a GPU half idle, and
// each reads the tensor again.

import { sameDims } from '../base/shape';
import type { Graph, Node } from '../ir/graph';
import { inShape, sourceOf } from './compose-views';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function joinProjections(graph: Graph): Graph {
  return rewrite(graph, { 'lepton.Attention': attention });
}

/** x times constant weights [from, to], or [to, from] where `transB` says so, plus a constant [to]. */
interface Projection {
  readonly x: string;
  readonly weights: string;
  readonly transB: boolean;
  readonly bias: string | undefined;
  readonly to: number;
}

const attention: Rule = ({ inputs, outputs, attributes }, around) => {
  const [q, k, v, ...others] = inputs;
  const { heads, kvHeads } = attributes as { heads?: number; kvHeads?: number };
  const asksForScores = (outputs[1] ?? '') !== '';
  if (!q || !k || !v || !heads || !kvHeads || asksForScores || new Set([q, k, v]).size < 3) return undefined;
  const parts = [q, k, v].map((name) => projection(name, around));
  const [first] = parts;
  if (!first || !parts.every((part): part is Projection => fits(first, part))) return undefined;
  const depth = first.to / heads;
  if (parts.some(({ to }, i) => to !== depth * (i === 0 ? heads : kvHeads))) return undefined;

  const { x, transB } = first;
  const weights = around.add(
    'Concat',
    parts.map((part) => part.weights),
    { axis: transB ? 0 : 1 },
  );
  const product = around.add('lepton.MatMul', [x, weights], transB ? { transB: 1 } : {});
  const sum =
    first.bias === undefined
      ? product
      : around.add('Add', [
          product,
          around.add(
            'Concat',
            parts.map((part) => part.bias as string),
            { axis: 0 },
          ),
        ]);
  const [batch, length] = around.type(q).dims as [number, number];
  const to = parts.reduce((total, part) => total + part.to, 0);
  return around.add('lepton.Attention', [inShape(sum, [batch, length, to], around), '', '', ...others], attributes);
};

function projection(name: string, around: Surroundings): Projection | undefined {
  const to = around.type(name).dims.at(-1);
  const at = soleSource(name, around);
  if (to === undefined || at === undefined || around.type(name).dims.length !== 3) return undefined;
  let node = around.writer(at);
  let bias: string | undefined;
  if (node?.op === 'Add') {
    const [a, b] = node.inputs as [string, string];
    bias = around.isConstant(a) ? a : b;
    const result = bias === a ? b : a;
    const shaped = around.isConstant(bias) && sameDims(around.type(bias).dims, [to]);
    if (!shaped || !around.readOnce(result)) return undefined;
    node = around.writer(result);
  }
  return node && productOf(node, bias, to, around);
}

function productOf(node: Node, bias: string | undefined, to: number, around: Surroundings): Projection | undefined {
  const { transA, transB, alpha = 1 } = node.attributes;
  if (node.op !== 'lepton.MatMul' || transA || alpha !== 1) return undefined;
  const [x, weights] = node.inputs as [string, string];
  const { dims } = around.type(weights);
  const rightWidth = dims.length === 2 && dims[transB ? 0 : 1] === to;
  return around.isConstant(weights) && rightWidth ? { x, weights, transB: Boolean(transB), bias, to } : undefined;
}

/** What a value is a view of, if nothing else reads the value or anything on the way. */
function soleSource(name: string, around: Surroundings): string | undefined {
  const source = sourceOf(name, around);
  for (let at = name; at !== source; at = around.writer(at)?.inputs[0] as string) {
    if (!around.readOnce(at)) return undefined;
  }
  return around.readOnce(source) ? source : undefined;
}

function fits(first: Projection, other: Projection | undefined): boolean {
  return (
    other !== undefined &&
    other.x === first.x &&
    other.transB === first.transB &&
    (other.bias === undefined) === (first.bias === undefined)
  );
}
