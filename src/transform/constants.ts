// Which values are known before the first run: constants, and what is computed from constants alone.

import { type Graph, valuesRead } from '../ir/graph';

export function constantValues(graph: Graph): ReadonlySet<string> {
  const known = new Set([...graph.values.values()].filter((v) => v.constant).map((v) => v.name));
  for (const node of graph.nodes) {
    if (valuesRead(node).every((name) => known.has(name))) for (const name of node.outputs) known.add(name);
  }
  return known;
}
