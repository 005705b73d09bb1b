// Says of the weights of products and convolutions where they are not zero, if they mostly are: of constants on the host by
// looking at them, of what is computed at load from a constant with a pattern by what the operator does to zeros. Bytes that
// are numbers raised by half their range have the pattern of the numbers.

import { sizeOf } from '../base/shape';
import type { Graph, Node, Value } from '../ir/graph';
import { type Pattern, patternOf, patternOfBytes, transposed } from '../ir/pattern';
import { internalName } from '../ops/nbits/problem';
import { constantValues } from './constants';

/** Operators with sparse kernels: which inputs may be sparse. */
const sparseInputs: Readonly<Record<string, readonly number[]>> = {
  'lepton.MatMul': [0, 1],
  [internalName]: [1],
  Conv: [1],
};

export function spreadPatterns(graph: Graph): Graph {
  const constants = constantValues(graph);
  const writers = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) if (constants.has(name)) writers.set(name, node);
  const found = new Map<string, Pattern>();
  for (const node of graph.nodes) {
    for (const i of sparseInputs[node.op] ?? []) {
      const name = node.inputs[i] ?? '';
      const pattern = constants.has(name) ? patternOfInput(node, name) : undefined;
      if (pattern) found.set(name, pattern);
    }
  }
  if (found.size === 0) return graph;
  const values = new Map(graph.values);
  for (const [name, pattern] of found) values.set(name, { ...(values.get(name) as Value), pattern });
  return { ...graph, values };

  function patternOfInput(node: Node, name: string): Pattern | undefined {
    if (node.op !== internalName) return patternAt(name);
    if (node.attributes.bits !== 8 || node.inputs[3]) return undefined;
    const { constant } = graph.values.get(name) as Value;
    if (constant?.kind === 'inline') return patternOfBytes(constant.array, node.attributes.K as number);
    const writer = writers.get(name);
    const pattern = writer?.op === 'lepton.PackBits' ? patternAt(writer.inputs[0] as string) : undefined;
    return pattern && writer?.attributes.transposed === 1 ? transposed(pattern) : pattern;
  }

  function patternAt(name: string): Pattern | undefined {
    const value = graph.values.get(name) as Value;
    const { constant } = value;
    if (constant) return value.pattern ?? (constant.kind === 'inline' ? patternOf(constant.array) : undefined);
    const writer = writers.get(name) as Node;
    const from = sourceOf(writer);
    const pattern = from === undefined ? undefined : patternAt(from);
    return pattern && keepsPlaces(writer, pattern) ? pattern : undefined;
  }

  /** The input whose zeros are the result's. */
  function sourceOf({ op, inputs, outputs }: Node): string | undefined {
    if (op === 'Cast' || op === 'Reshape' || op === 'Identity') return inputs[0];
    if (op === 'lepton.SparseTensor') return inputs[1];
    // Without a zero point 0 stands for 0.
    if (op === 'lepton.Dequantize' && !inputs[2]) return inputs[0];
    // A factor with fewer elements is spread over the weights: a scale of each channel.
    if (op === 'Mul') return inputs.find((name) => sameElements(name, outputs[0] as string));
    return undefined;
  }

  function sameElements(a: string, b: string): boolean {
    const [x, y] = [graph.values.get(a)?.dims, graph.values.get(b)?.dims];
    return x?.length === y?.length && (x ?? []).every((d, i) => d === y?.[i]);
  }

  /** Whether the result is a matrix with the same rows. */
  function keepsPlaces({ outputs }: Node, { rows, columns }: Pattern): boolean {
    const [first, ...others] = graph.values.get(outputs[0] as string)?.dims ?? [];
    return first === rows && sizeOf(others as readonly number[]) === columns;
  }
}
