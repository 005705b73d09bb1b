// When variables are overwritten: behind everything that reads them, and else as soon as may be, so that what they are
// overwritten by, the gradients, need not all be kept to the end.

import { type Graph, type Node, valuesRead } from '../ir/graph';
import { opOf } from '../ops/registry';

/**
 * The nodes in such an order.
 * @throws Error where a node that overwrites also reads what is overwritten
 */
export function overwritingSoon({ nodes }: Graph): readonly Node[] {
  const overwriting = nodes.filter((node) => opOf(node).overwrites);
  if (overwriting.length === 0) return nodes;
  const others = nodes.filter((node) => !opOf(node).overwrites);
  /** Value → the value whose memory it is a view of. */
  const roots = new Map<string, string>();
  const rootOf = (name: string) => roots.get(name) ?? name;
  /** Memory → the last node that writes or reads it. */
  const last = new Map<string, number>();
  others.forEach((node, i) => {
    if (opOf(node).view) roots.set(node.outputs[0] as string, rootOf(node.inputs[0] as string));
    for (const name of [...valuesRead(node), ...node.outputs]) last.set(rootOf(name), i);
  });
  requireFresh(overwriting, rootOf);
  const behind = new Map<number, Node[]>();
  for (const node of overwriting) {
    const at = Math.max(-1, ...node.inputs.map((name) => last.get(rootOf(name)) ?? -1));
    behind.set(at, [...(behind.get(at) ?? []), node]);
  }
  return [...(behind.get(-1) ?? []), ...others.flatMap((node, i) => [node, ...(behind.get(i) ?? [])])];
}

/** No node that overwrites may read, as something else, what it or another one overwrites: no order would be right. */
function requireFresh(overwriting: readonly Node[], rootOf: (name: string) => string): void {
  const variables = new Set(overwriting.flatMap(({ inputs, outputs }) => inputs.slice(0, outputs.length)));
  for (const { name, inputs, outputs } of overwriting) {
    const read = inputs.slice(outputs.length).find((input) => variables.has(rootOf(input)));
    if (read) throw new Error(`"${name}" reads "${read}", which is overwritten in the same run.`);
  }
}
