// A subgraph written out in the graph around it: its nodes, under names that are new there, with its inputs
// bound to values of the outer graph. What it captures keeps its name. Used for the bodies of control flow
// and for functions.

import { subgraphsOf } from './captures';
import type { Attributes, Graph, Node, Value } from './graph';

export interface Inlined {
  readonly nodes: readonly Node[];
  /** The subgraph's constants, and the types declared in it, under their new names. */
  readonly values: readonly Value[];
  /** The subgraph's outputs, by the names that they have outside. */
  readonly outputs: readonly string[];
}

/**
 * @param inputs outer name of each of the graph's inputs; '' for an absent one
 * @param prefix unique in the outer graph: put in front of every name that the subgraph defines
 */
export function inlineGraph(graph: Graph, inputs: readonly string[], prefix: string): Inlined {
  const names = new Map(graph.inputs.map((name, i) => [name, inputs[i] ?? '']));
  const define = (name: string) => {
    if (name !== '' && !names.has(name)) names.set(name, prefix + name);
  };
  for (const value of graph.values.values()) if (value.constant) define(value.name);
  for (const node of graph.nodes) for (const name of node.outputs) define(name);
  const rename = (name: string) => names.get(name) ?? name;
  return {
    nodes: graph.nodes.map((node) => ({ ...renamed(node, rename), name: prefix + node.name })),
    values: [...graph.values.values()]
      .filter(({ name }) => names.has(name) && !graph.inputs.includes(name))
      .map((value) => ({ ...value, name: rename(value.name) })),
    outputs: graph.outputs.map(rename),
  };
}

/** The node with other names for the values it mentions; what its subgraphs define themselves keeps its own. */
export function renamed(node: Node, rename: (name: string) => string): Node {
  const { inputs, outputs, program } = node;
  return {
    ...node,
    inputs: inputs.map(rename),
    outputs: outputs.map(rename),
    ...(program && { program: { ...program, operands: program.operands.map(rename) } }),
    ...(subgraphsOf(node).length > 0 && { attributes: withRenamedCaptures(node.attributes, rename) }),
  };
}

function withRenamedCaptures(attributes: Attributes, rename: (name: string) => string): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => {
      if (typeof value !== 'object' || !('graph' in value)) return [key, value];
      const { graph } = value;
      const own = new Set([...graph.inputs, ...graph.nodes.flatMap((n) => n.outputs)]);
      for (const inner of graph.values.values()) if (inner.constant) own.add(inner.name);
      const outer = (name: string) => (own.has(name) ? name : rename(name));
      const nodes = graph.nodes.map((n) => renamed(n, outer));
      const values = new Map([...graph.values.values()].map((v) => [outer(v.name), { ...v, name: outer(v.name) }]));
      return [key, { graph: { ...graph, nodes, values, outputs: graph.outputs.map(outer) } }];
    }),
  );
}
