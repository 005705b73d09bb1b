// Writes one node of control flow out as the nodes that it stands for.

import { LeptonError } from '../base/errors';
import type { NDArray } from '../base/ndarray';
import type { Graph, Node, Value } from '../ir/graph';
import { inlineGraph } from '../ir/inline';
import type { ExpandBuilder } from '../ir/opdef';
import { flowOf, viewNode } from '../ops/registry';

export interface Expansion {
  readonly nodes: readonly Node[];
  /** New constants, and the sequences that the node writes. */
  readonly values: readonly Value[];
}

/** Nodes that control flow may be written out to within one stage. */
export const mostExpanded = 50_000;

export function tooLarge({ name, op }: Node): LeptonError {
  return new LeptonError(
    'UNSUPPORTED_MODEL',
    `${op} node "${name}" comes to more than ${mostExpanded} nodes when it is written out. Let it run for fewer iterations at a time.`,
    { details: { node: name, op } },
  );
}

function tooManyOutputs({ name, op, outputs }: Node, given: number): LeptonError {
  const problem = `names ${outputs.length} outputs, but gives ${given}`;
  return new LeptonError('INVALID_MODEL', `${op} node "${name}" ${problem}.`, { details: { node: name, op } });
}

/** @throws UNSUPPORTED_MODEL where an output turns out to be no tensor */
export function requireTensors(outputs: readonly string[], values: ReadonlyMap<string, Value>): void {
  const name = outputs.find((output) => values.get(output)?.members !== undefined);
  if (name === undefined) return;
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `The model's output "${name}" is a sequence or an optional; Lepton answers with tensors only.`,
    { details: { value: name } },
  );
}

/** @param expansion a number that no other expansion of the graph has: every name made here holds it */
export function expand(node: Node, known: ReadonlyMap<string, Value>, expansion: number): Expansion {
  // One iteration of a loop writes out the next: names must not grow with their number.
  const prefix = `${node.name.replace(/@\d+\/.*/s, '')}@${expansion}/`;
  const nodes: Node[] = [];
  const values: Value[] = [];
  let serial = 0;
  let size = 0;
  const push = (...added: readonly Node[]) => {
    size += added.reduce((sum, { outputs }) => sum + outputs.length, 0);
    if (size > mostExpanded) throw tooLarge(node);
    nodes.push(...added);
  };
  const builder: ExpandBuilder = {
    add(op, inputs, attributes = {}, count = 1) {
      if (count > mostExpanded) throw tooLarge(node);
      const name = `${prefix}${op}${serial++}`;
      const outputs = Array.from({ length: count }, (_, i) => `${name}:${i}`);
      push({ name, op, inputs, outputs, attributes });
      return outputs;
    },
    constant(array: NDArray) {
      const name = `${prefix}constant${serial++}`;
      values.push({ name, dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } });
      return name;
    },
    members: (name) => known.get(name)?.members,
    inline(graph: Graph, inputs) {
      const inlined = inlineGraph(graph, inputs, `${prefix}${serial++}/`);
      push(...inlined.nodes);
      values.push(...inlined.values.filter((value) => value.constant));
      return inlined.outputs;
    },
  };
  const results = flowOf(node)?.expand(viewNode(node, known), builder) ?? [];
  node.outputs.forEach((name, i) => {
    const result = results[i];
    if (name === '') return;
    if (result === undefined) throw tooManyOutputs(node, results.length);
    const members = typeof result === 'string' ? known.get(result)?.members : result.members;
    if (typeof result !== 'string' || members !== undefined) {
      values.push({ name, dtype: 'float32', members: members ?? null });
      return;
    }
    nodes.push({ name: `${prefix}${i}`, op: 'Identity', inputs: [result], outputs: [name], attributes: {} });
  });
  return { nodes, values };
}

/** The largest number of an expansion that names in the graph hold: those of a run's earlier stages. */
export function lastExpansion(graph: Graph): number {
  const numbers = [...graph.values.keys(), ...graph.nodes.map((node) => node.name)].map((name) => {
    return Number(/@(\d+)\//.exec(name)?.[1] ?? -1);
  });
  return numbers.reduce((a, b) => Math.max(a, b), -1);
}
