// Single nodes on the host, by their operators' references.

import type { NDArray } from '../base/ndarray';
import { subgraphsOf } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { flowOf, inferNode, opOf, viewNode } from '../ops/registry';
import type { HostNode } from '../transform/host-values';
import { inline } from '../transform/specialise';

export type { HostNode };

/** The nodes whose operators are the host's by nature, those of subgraphs among them. */
export function hostNodesOf(graph: Graph): HostNode[] {
  return graph.nodes.flatMap((node) => {
    const reason = flowOf(node) ? undefined : opOf(node).host;
    return [...(reason ? [{ node, reason }] : []), ...subgraphsOf(node).flatMap(hostNodesOf)];
  });
}

/** @param inputs every value that the node reads and the graph does not hold as a constant on the host */
export function runNode(graph: Graph, node: Node, inputs: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const values = new Map<string, Value>();
  for (const name of node.inputs) {
    const array = inputs.get(name);
    const value = array ? inline(name, array) : graph.values.get(name);
    if (value) values.set(name, value);
  }
  const types = inferNode(node, values);
  for (const [name, type] of types) values.set(name, { name, ...type });
  const arrays = node.inputs.map((name) => {
    const constant = values.get(name)?.constant;
    return constant?.kind === 'inline' ? constant.array : undefined;
  });
  const results = opOf(node).reference(viewNode(node, values), arrays);
  return new Map(node.outputs.flatMap((name, i) => (name === '' ? [] : [[name, results[i] as NDArray] as const])));
}
