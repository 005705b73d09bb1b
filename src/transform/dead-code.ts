// Drops nodes whose results nothing needs, and values that nothing mentions any more.

import { valuesNeeded } from '../ir/captures';
import type { Graph, Node } from '../ir/graph';

export function dropDeadCode(graph: Graph): Graph {
  const needed = new Set<string>();
  const need = (name: string) => {
    needed.add(name);
    for (const member of graph.values.get(name)?.members ?? []) needed.add(member);
  };
  graph.outputs.forEach(need);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    valuesNeeded(node).forEach(need);
  }
  graph.inputs.forEach(need);
  const written = new Set(nodes.flatMap((n) => n.outputs));
  const values = new Map([...graph.values].filter(([name]) => needed.has(name) || written.has(name)));
  return { ...graph, nodes: nodes.reverse(), values };
}
