// Puts nodes into topological order. ONNX demands it of the file, and nearly every file obeys: such lists
// come back as they are. Of a cycle the nodes are left in their order, for the checker to name.

import { valuesNeeded } from '../ir/captures';
import type { Node } from '../ir/graph';

export function inOrder(nodes: readonly Node[]): readonly Node[] {
  const writer = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of node.outputs) if (name !== '') writer.set(name, i);
  });
  const needs = nodes.map((node) => {
    return new Set(valuesNeeded(node).flatMap((name) => writer.get(name) ?? []));
  });
  if (needs.every((set, i) => [...set].every((at) => at < i))) return nodes;

  const readers: number[][] = nodes.map(() => []);
  needs.forEach((set, i) => {
    for (const at of set) readers[at]?.push(i);
  });
  const missing = needs.map((set) => set.size);
  const ready = missing.flatMap((count, i) => (count === 0 ? [i] : []));
  for (let at = 0; at < ready.length; at++) {
    for (const reader of readers[ready[at] as number] as number[])
      if (--(missing[reader] as number) === 0) ready.push(reader);
  }
  const left = nodes.filter((_, i) => (missing[i] as number) > 0);
  return [...ready.map((i) => nodes[i] as Node), ...left];
}
