// Drops nodes whose results nothing needs, and values that nothing mentions any more.

import { type Graph, type Node, valuesRead } from '../ir/graph';

export function dropDeadCode(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.unshift(node);
    for (const name of valuesRead(node)) needed.add(name);
  }
  for (const name of graph.inputs) needed.add(name);
  const written = new Set(nodes.flatMap((n) => n.outputs));
  const values = new Map([...graph.values].filter(([name]) => needed.has(name) || written.has(name)));
  return { ...graph, nodes, values };
}
