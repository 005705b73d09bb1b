// com.microsoft.MultiHeadAttention: attention of projected queries, keys and values, packed or not, whose
// projections' bias may still have to be added.
//
// Inputs: query [batch, length, heads * depth] or [batch, length, heads, 3, depth] with all three; key alike,
// or [batch, length, heads, 2, depth] with the values, or [batch, heads, length, depth]; value; bias; mask;
// attention bias [batch or 1, heads or 1, length, keys]; earlier keys and values [batch, heads, _, depth].

import { int64s, type NDArray } from '../base/ndarray';
import { formatDims, sameDims } from '../base/shape';
import { float, int, required } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder } from '../ir/opdef';
import { type ContribAttributes, contribOf, contribReference, lowerContrib } from './attention/contrib';
import { multiHeadCases } from './attention/contrib-cases';
import { appended } from './attention/past';
import { type Layout, layoutOf } from './attention/problem';
import { type Read, reader } from './attention/reference';

const [bias, padding, attentionBias, pastKey, pastValue] = [3, 4, 5, 6, 7] as const;
type Node = NodeView<ContribAttributes>;

/** One of queries, keys and values: which input holds it, how it lies there, and where its bias starts. */
interface Operand extends Layout {
  readonly input: number;
  /** Where it is packed with others: its number among `of`. */
  readonly packed?: { readonly index: number; readonly of: number };
  readonly bias: number;
}

function packedOperand(n: Node, input: number, index: number, of: number): Operand {
  const [batch, length, heads, count, depth] = n.input(input).dims as [number, number, number, number, number];
  if (heads !== n.attributes.num_heads || count !== of)
    n.fail(`needs its input ${input} packed by ${n.attributes.num_heads} heads and ${of}`);
  const steps = [length * heads * of * depth, of * depth, heads * of * depth] as const;
  return { input, batch, heads, length, depth, steps, packed: { index, of }, bias: (3 - of + index) * heads * depth };
}

function operandsOf(n: Node): readonly [Operand, Operand, Operand] {
  const heads = n.attributes.num_heads;
  if (n.input(0).dims.length === 5)
    return [packedOperand(n, 0, 0, 3), packedOperand(n, 0, 1, 3), packedOperand(n, 0, 2, 3)];
  const q = { ...layoutOf(n, n.input(0).dims, heads, 'queries'), input: 0, bias: 0 };
  const width = q.heads * q.depth;
  if (n.input(1).dims.length === 5) return [q, packedOperand(n, 1, 0, 2), packedOperand(n, 1, 1, 2)];
  const k = { ...layoutOf(n, n.input(1).dims, heads, 'keys'), input: 1, bias: width };
  return [q, k, { ...layoutOf(n, n.input(2).dims, heads, 'values'), input: 2, bias: 2 * width }];
}

function partsOf(n: Node) {
  for (const i of [8, 9]) {
    if (n.has(i))
      n.fail(`has an input ${i}, for buffers shared between runs or beams, which Lepton lacks`, 'UNSUPPORTED_MODEL');
  }
  const [q, k, v] = operandsOf(n);
  const [added, columns] = [n.inputs[bias]?.dims, v.bias + v.heads * v.depth];
  if (added && !sameDims(added, [columns])) n.fail(`has a bias of shape ${formatDims(added)}; expected [${columns}]`);
  const key = appended(n, k, n.inputs[pastKey]);
  const value = appended(n, v, n.inputs[pastValue]);
  return {
    operands: [q, k, v] as const,
    contrib: contribOf(n, { q, key, value }, [n.inputs[padding], n.inputs[attentionBias]]),
  };
}

function read({ steps, packed, depth, bias: first, input }: Operand, inputs: readonly (NDArray | undefined)[]): Read {
  const from = reader(inputs[input] as NDArray, { steps });
  const [added, offset] = [inputs[bias]?.data, (packed?.index ?? 0) * depth];
  return (b, h, i, d) => from(b, h, i, d + offset) + (added?.[first + h * depth + d] ?? 0);
}

/** The name of an operand of its own, [batch, length, heads * depth] or by head, its bias added. */
function project(n: Node, b: LowerBuilder, o: Operand): string {
  const width = o.heads * o.depth;
  const list = (...values: number[]) => b.constant(int64s(values));
  let name = n.node.inputs[o.input] as string;
  if (o.packed) {
    const [picked] = b.add('Slice', [name, list(o.packed.index), list(o.packed.index + 1), list(3)]) as [string];
    [name] = b.add('Reshape', [picked, list(o.batch, o.length, width)]) as [string];
  }
  if (!n.has(bias)) return name;
  const part = b.add('Slice', [n.node.inputs[bias] as string, list(o.bias), list(o.bias + width), list(0)]);
  return b.add('Add', [name, ...part])[0] as string;
}

export default defineOp({
  name: 'com.microsoft.MultiHeadAttention',
  attributes: { num_heads: required('int'), scale: float(0), unidirectional: int(0), mask_filter_value: float(-10000) },
  infer(n) {
    const { view, key, value } = partsOf(n).contrib;
    const { dtype } = n.input(0);
    const [result, scores] = view.outputs;
    return [result, { dtype, dims: key.dims }, { dtype, dims: value.dims }, scores] as {
      dtype: typeof dtype;
      dims: number[];
    }[];
  },
  reference(n, inputs) {
    const { operands, contrib } = partsOf(n);
    const [q, k, v] = operands.map((o) => read(o, inputs)) as [Read, Read, Read];
    return contribReference(n, contrib, {
      q,
      k,
      v,
      pastKey: inputs[pastKey],
      pastValue: inputs[pastValue],
      padding: inputs[padding],
      bias: inputs[attentionBias],
    });
  },
  lower(n, b) {
    const { operands, contrib } = partsOf(n);
    const [q, k, v] = operands.map((o) => project(n, b, o)) as [string, string, string];
    const name = (i: number) => n.node.inputs[i] ?? '';
    const names = {
      q,
      k,
      v,
      pastKey: name(pastKey),
      pastValue: name(pastValue),
      padding: name(padding),
      bias: name(attentionBias),
    };
    return [...lowerContrib(contrib, b, names, { present: n.wants(1) || n.wants(2), scores: n.wants(3) })];
  },
});

export const cases = multiHeadCases;
