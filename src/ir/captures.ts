// What the subgraphs of a node (bodies of If, Loop, Scan) read from the graph around them. Such values are
// read by the node although they are not among its inputs.

import { type Graph, type Node, valuesRead } from './graph';

export function subgraphsOf(node: Node): Graph[] {
  const graphs: Graph[] = [];
  for (const value of Object.values(node.attributes)) {
    if (typeof value === 'object' && 'graph' in value) graphs.push(value.graph);
  }
  return graphs;
}

/** What a new value or node of the graph must not be called: subgraphs see the values around them, and so hide none of them. */
export function namesIn(graph: Graph): Set<string> {
  const names = new Set([...graph.values.keys(), ...graph.nodes.map(({ name }) => name)]);
  for (const node of graph.nodes) {
    for (const inner of subgraphsOf(node)) for (const name of namesIn(inner)) names.add(name);
  }
  return names;
}

/** The names that the subgraphs of `node` read, but neither compute nor hold as inputs or constants. */
export function capturesOf(node: Node): Set<string> {
  const captured = new Set<string>();
  for (const graph of subgraphsOf(node)) {
    const own = new Set(graph.inputs);
    for (const inner of graph.nodes) for (const name of inner.outputs) own.add(name);
    const isOuter = (name: string) => !own.has(name) && !graph.values.get(name)?.constant;
    for (const inner of graph.nodes) {
      for (const name of valuesRead(inner)) if (isOuter(name)) captured.add(name);
      for (const name of capturesOf(inner)) if (isOuter(name)) captured.add(name);
    }
    for (const name of graph.outputs) if (isOuter(name)) captured.add(name);
  }
  return captured;
}

/** Every value that must exist before the node can run: what it reads itself, and what its subgraphs do. */
export function valuesNeeded(node: Node): string[] {
  const captured = capturesOf(node);
  return captured.size === 0 ? valuesRead(node) : [...new Set([...valuesRead(node), ...captured])];
}
