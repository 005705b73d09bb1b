// Trades time for memory in a graph that trains: instead of keeping what the forward pass computed until the backward pass
// reads it, only what passes from one stretch of the forward pass to the next is kept, and the rest is computed again,
// stretch by stretch, when the backward pass gets there: https://arxiv.org/abs/1604.06174
// In: a differentiated graph with all types known. Out: the same results, at the cost of up to one more forward pass.

import { type DType, deviceBytes } from '../base/dtype';
import { sizeOf } from '../base/shape';
import { valuesNeeded } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { opOf } from '../ops/registry';
import { dropDeadCode } from './dead-code';

/**
 * @param forward how many of the nodes, from the first on, are the forward pass: `Differentiated.forward`
 * @param stretches into how many about equally large parts the forward pass falls; about the square root of the number of
 *   layers saves the most
 */
export function recompute(graph: Graph, forward: number, stretches: number): Graph {
  const before = new Set(graph.nodes.slice(0, forward));
  const live = dropDeadCode(graph);
  const first = live.nodes.filter((node) => before.has(node));
  const parts = divided(first, live.values, stretches);
  const values = new Map(live.values);
  let later = live.nodes.filter((node) => !before.has(node));
  // The last part is read back at once: keeping it costs nothing.
  parts.slice(0, -1).forEach((part, i) => {
    const behind = parts.slice(i + 1).flat();
    const kept = new Set([...behind.flatMap(valuesNeeded), ...live.outputs]);
    const { copies, renamed } = copied(part, kept, later, values);
    const at = later.findIndex((node) => node.inputs.some((name) => renamed.has(name)));
    const readers = later.slice(at).map((node) => withInputs(node, renamed));
    if (at >= 0) later = [...later.slice(0, at), ...copies, ...readers];
  });
  return dropDeadCode({ ...live, nodes: [...first, ...later], values });
}

const bytesOf = ({ dtype, dims = [] }: Value) => deviceBytes(dtype as DType, sizeOf(dims as readonly number[]));

/** Consecutive nodes whose outputs take about as many bytes. */
function divided(nodes: readonly Node[], values: ReadonlyMap<string, Value>, count: number): Node[][] {
  const sizes = nodes.map((node) =>
    opOf(node).view ? 0 : node.outputs.reduce((sum, name) => sum + (name ? bytesOf(values.get(name) as Value) : 0), 0),
  );
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const parts = Array.from({ length: count }, (): Node[] => []);
  let soFar = 0;
  nodes.forEach((node, i) => {
    parts[Math.min(count - 1, Math.floor((soFar * count) / Math.max(1, all)))]?.push(node);
    soFar += sizes[i] as number;
  });
  return parts.filter((part) => part.length > 0);
}

/**
 * Copies of those nodes of a part that what `later` reads of it comes from, but for the values that are kept, and the names
 * that their results have in the copies. New values are added.
 */
function copied(part: readonly Node[], kept: ReadonlySet<string>, later: readonly Node[], values: Map<string, Value>) {
  const wanted = new Set(later.flatMap(valuesNeeded).filter((name) => !kept.has(name)));
  const chosen: Node[] = [];
  for (const node of [...part].reverse()) {
    // What is random is not to be had again.
    if (opOf(node).varies || !node.outputs.some((name) => wanted.has(name))) continue;
    chosen.unshift(node);
    for (const name of valuesNeeded(node)) if (!kept.has(name)) wanted.add(name);
  }
  const renamed = new Map<string, string>();
  const copies: Node[] = [];
  const named = (name: string, copy: string) => {
    values.set(copy, { ...(values.get(name) as Value), name: copy });
    return copy;
  };
  const written = new Set(chosen.flatMap(({ outputs }) => outputs));
  const barred = new Map<string, string>();
  for (const node of chosen) {
    for (const name of valuesNeeded(node)) {
      if (written.has(name) || barred.has(name) || (values.get(name) as Value).constant) continue;
      const input = named(name, `${name}~for~${node.name}`);
      barred.set(name, input);
      copies.push({ name: input, op: 'lepton.Barrier', inputs: [name], outputs: [input], attributes: {} });
    }
    const own = withInputs(node, new Map([...barred, ...renamed]));
    const outputs = node.outputs.map((name) => (name === '' ? '' : named(name, `${name}~again`)));
    node.outputs.forEach((name, i) => {
      if (wanted.has(name)) renamed.set(name, outputs[i] as string);
    });
    copies.push({ ...own, name: `${node.name}~again`, outputs });
  }
  return { copies, renamed };
}

function withInputs(node: Node, names: ReadonlyMap<string, string>): Node {
  return { ...node, inputs: node.inputs.map((name) => names.get(name) ?? name) };
}
