// Replaces operators that are defined in terms of others, until every node is a view, is element-wise,
// or has kernels of its own. The graph must be specialised.

import { GraphBuilder } from '../ir/builder';
import { valuesNeeded } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import type { AnyOp } from '../ir/opdef';
import { inferNode, opOf, viewNode } from '../ops/registry';

export function lower(graph: Graph): Graph {
  const values = new Map(graph.values);
  const taken = new Set(values.keys());
  const nodes: Node[] = [];
  const lowerInto = (node: Node): void => {
    const parts = lowerNode(node, values, taken);
    if (!parts) nodes.push(node);
    else for (const part of parts) lowerInto(part);
  };
  for (const node of graph.nodes) lowerInto(node);
  return { ...graph, nodes, values };
}

/**
 * The nodes that do the node's work, or undefined where it does it itself. New values are added.
 * @param by what tells the nodes
 */
export function lowerNode(
  node: Node,
  values: Map<string, Value>,
  taken: Set<string>,
  by: AnyOp['lower'] = opOf(node).lower,
): Node[] | undefined {
  if (!by) return undefined;
  const read = valuesNeeded(node).map((name) => values.get(name) as Value);
  const builder = GraphBuilder.within(node.name, read, taken, inferNode);
  const results = by(viewNode(node, values), builder);
  if (!results) return undefined;
  const part = builder.finish(results);
  const written = new Set(part.nodes.flatMap((n) => n.outputs));
  const rename = new Map<string, string>();
  const extra: Node[] = [];
  node.outputs.forEach((name, i) => {
    const result = results[i];
    if (name === '' || result === undefined) return;
    // A result that is an input, a constant, or already another output needs a node to carry the name.
    if (written.has(result) && !rename.has(result)) rename.set(result, name);
    else extra.push({ name: `${node.name}.${i}`, op: 'Identity', inputs: [result], outputs: [name], attributes: {} });
  });
  const renamed = (name: string) => rename.get(name) ?? name;
  for (const value of part.values.values()) {
    const name = renamed(value.name);
    taken.add(name);
    values.set(name, { ...value, name });
  }
  return [...part.nodes, ...extra].map((n) => ({
    ...n,
    name: n.name.startsWith(node.name) ? n.name : `${node.name}/${n.op}`,
    inputs: n.inputs.map(renamed),
    outputs: n.outputs.map(renamed),
  }));
}
