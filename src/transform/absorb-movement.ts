// Data movement that the operator behind it can do while it reads: a product takes its operands transposed, and a
// convolution pads with zeros by itself.

import type { Graph, Node } from '../ir/graph';
import { permOf } from './compose-views';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function absorbMovement(graph: Graph): Graph {
  return rewrite(graph, { 'lepton.MatMul': product, Conv: convolution });
}

const product: Rule = (node, around) => {
  const swapped = [0, 1].map((i) => lastAxesSwapped(node.inputs[i] as string, around));
  if (swapped.every((name) => name === undefined)) return undefined;
  const inputs = node.inputs.map((name, i) => swapped[i] ?? name);
  const [transA = 0, transB = 0] = [node.attributes.transA, node.attributes.transB] as [number?, number?];
  return around.add('lepton.MatMul', inputs, {
    ...node.attributes,
    transA: swapped[0] === undefined ? transA : 1 - transA,
    transB: swapped[1] === undefined ? transB : 1 - transB,
  });
};

/**
 * An operand with its last two axes swapped, where having it takes less work than the operand itself: none, or a
 * copy that leaves the last axis alone. Constants are transposed once, which is better than in every run.
 */
export function lastAxesSwapped(name: string, around: Surroundings): string | undefined {
  const node = around.writer(name);
  if (node?.op !== 'Transpose' || around.isConstant(node.inputs[0] as string)) return undefined;
  const source = node.inputs[0] as string;
  const perm = permOf(node, around);
  const last = perm.length - 1;
  const swapped = [...perm.slice(0, -2), perm[last] as number, perm[last - 1] as number];
  if (swapped.every((axis, i) => axis === i)) return source;
  const copies = swapped[last] === last && around.readOnce(name);
  return copies ? around.add('Transpose', [source], { perm: swapped }) : undefined;
}

const convolution: Rule = (node, around) => {
  const [x, ...others] = node.inputs as [string, ...string[]];
  const pad = around.writer(x);
  const border = pad?.op === 'Pad' ? zeroBorder(pad, around) : undefined;
  const { auto_pad = 'NOTSET', pads } = node.attributes;
  if (!border || !(auto_pad === 'NOTSET' || auto_pad === 'VALID')) return undefined;
  const own = auto_pad === 'NOTSET' ? (pads as readonly number[] | undefined) : undefined;
  const all = border.map((p, i) => p + (own?.[i] ?? 0));
  return around.add('Conv', [pad?.inputs[0] as string, ...others], {
    ...node.attributes,
    auto_pad: 'NOTSET',
    pads: all,
  });
};

/** The pads of the spatial axes, beginnings then ends, where the node does nothing but put zeros there. */
function zeroBorder({ inputs, attributes }: Node, around: Surroundings): number[] | undefined {
  const [x, padsName, value = '', axesName = ''] = inputs as [string, string, string?, string?];
  const rank = around.type(x).dims.length;
  const given = around.array(padsName)?.data;
  const axes = axesName === '' ? Array.from({ length: rank }, (_, i) => i) : around.array(axesName)?.data;
  const isZero = value === '' || around.scalar(value) === 0;
  if (!given || !axes || !isZero || (attributes.mode ?? 'constant') !== 'constant') return undefined;
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    const at = (axis + rank) % rank;
    pads[at] = given[i] as number;
    pads[at + rank] = given[i + axes.length] as number;
  });
  const spatial = (k: number) => k % rank >= 2;
  return pads.every((p, k) => (spatial(k) ? p >= 0 : p === 0)) ? pads.filter((_, k) => spatial(k)) : undefined;
}
