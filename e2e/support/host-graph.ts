// Runs a graph on the host, operator by operator, through the references: what fused graphs are compared with.

import type { NDArray } from '../../src/base/ndarray';
import type { Graph } from '../../src/ir/graph';
import { opOf, viewNode } from '../../src/ops/registry';

/** @returns every output, in order; the types in the graph must be concrete, and its constants inline */
export function hostOutputs(graph: Graph, feeds: ReadonlyMap<string, NDArray>): NDArray[] {
  const arrays = new Map(feeds);
  for (const { name, constant } of graph.values.values()) {
    if (constant?.kind === 'inline') arrays.set(name, constant.array);
  }
  for (const node of graph.nodes) {
    const results = opOf(node).reference(
      viewNode(node, graph.values),
      node.inputs.map((name) => arrays.get(name)),
    );
    node.outputs.forEach((name, i) => {
      if (name !== '') arrays.set(name, results[i] as NDArray);
    });
  }
  return graph.outputs.map((name) => arrays.get(name) as NDArray);
}
