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

/** @param inputs the elements of every value that the node reads */
export function runNode(node: Node, inputs: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const values = new Map<string, Value>();
  for (const name of node.inputs) {
    const array = inputs.get(name);
    if (array) values.set(name, inline(name, array));
  }
  const types = inferNode(node, values);
  for (const [name, type] of types) values.set(name, { name, ...type });
  const results = opOf(node).reference(
    viewNode(node, values),
    node.inputs.map((name) => inputs.get(name)),
  );
  return new Map(node.outputs.flatMap((name, i) => (name === '' ? [] : [[name, results[i] as NDArray] as const])));
}
