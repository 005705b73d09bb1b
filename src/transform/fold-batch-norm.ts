// Folds a per-channel scale and shift behind a convolution into its weights and bias: batch
// normalisation in inference form, lowered to Mul and Add, disappears. The new weights are nodes over
// constants, which the plan computes once at load, on the GPU.

import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import type { Graph, Node, Value } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { constantValues } from './constants';
import { countReaders } from './fuse-pointwise';

export function foldBatchNorm(graph: Graph): Graph {
  const readers = countReaders(graph);
  const values = new Map(graph.values);
  const constants = new Set(constantValues(graph));
  /** What stands in the place of each node: itself, nothing, or a convolution with its new weights. */
  const places: Node[][] = [];
  /** Output of a convolution → its place. */
  const convolutions = new Map<string, number>();
  for (const node of graph.nodes) {
    const position = places.length;
    const place = folded(node) ?? [node];
    places[position] = place;
    const last = place.at(-1) as Node;
    if (last.op === 'Conv' && last.inputs.slice(1).every((i) => i === '' || constants.has(i))) {
      convolutions.set(last.outputs[0] as string, position);
    }
  }
  return { ...graph, nodes: places.flat(), values };

  /** Where `node` scales or shifts a convolution by a constant per channel: that one with new weights, in its place. */
  function folded(node: Node): Node[] | undefined {
    if ((node.op !== 'Mul' && node.op !== 'Add') || node.inputs.length !== 2) return undefined;
    const [result, factor] = node.inputs.some((i, k) => k === 1 && constants.has(i))
      ? node.inputs
      : [...node.inputs].reverse();
    const position = convolutions.get(result as string);
    if (position === undefined || readers.get(result as string) !== 1 || graph.outputs.includes(result as string))
      return undefined;
    if (!factor || !constants.has(factor)) return undefined;
    const before = places[position] as Node[];
    const conv = before.at(-1) as Node;
    const dims = (values.get(result as string) as Value).dims as readonly number[];
    const channels = dims[1] as number;
    if (!isPerChannel(values.get(factor) as Value, dims)) return undefined;
    const [x, weight, bias = ''] = conv.inputs as [string, string, string?];
    const known = [weight, bias, factor].filter((n) => n !== '').map((n) => values.get(n) as Value);
    const b = GraphBuilder.within(node.name, known, new Set(values.keys()), inferNode);
    const perChannel = reshaped(b, factor, [channels]);
    let inputs: string[];
    if (node.op === 'Mul') {
      const rank = (values.get(weight) as Value).dims?.length as number;
      const spread = reshaped(b, factor, [channels, ...new Array<number>(rank - 1).fill(1)]);
      const scaled = b.add('Mul', [weight, spread])[0] as string;
      inputs = bias === '' ? [x, scaled] : [x, scaled, b.add('Mul', [bias, perChannel])[0] as string];
    } else {
      inputs = [x, weight, bias === '' ? perChannel : (b.add('Add', [bias, perChannel])[0] as string)];
    }
    const part = b.finish([]);
    for (const value of part.values.values()) {
      values.set(value.name, value);
      constants.add(value.name);
    }
    // Here and not where the convolution was: what computes the factor may stand between.
    before.pop();
    const weights = part.nodes.map((n) => ({ ...n, name: `${conv.name}/fold ${n.op}` }));
    return [...weights, { ...conv, inputs, outputs: node.outputs }];
  }
}

function reshaped(b: GraphBuilder, name: string, dims: readonly number[]): string {
  const shape = b.constant({ dtype: 'int64', dims: [dims.length], data: Float64Array.from(dims) });
  const full = sizeOf(b.type(name).dims) === 1 ? (b.add('Expand', [name, shape])[0] as string) : name;
  return b.add('Reshape', [full, shape])[0] as string;
}

/** One element, or one per entry of axis 1 of `dims`. */
function isPerChannel(factor: Value, dims: readonly number[]): boolean {
  const own = factor.dims as readonly number[];
  if (sizeOf(own) === 1) return own.length <= dims.length;
  const lead = dims.length - own.length;
  return lead >= 0 && own.every((d, i) => d === (i + lead === 1 ? dims[1] : 1)) && lead <= 1;
}
