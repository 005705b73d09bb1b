// Common subexpressions: nodes that compute the same from the same become one, and equal constants become one.
// Nodes whose results vary from run to run stay, as do those that write an output of the graph.

import type { NDArray } from '../base/ndarray';
import { type Attributes, type Graph, type Node, type Value, valuesRead } from '../ir/graph';
import { opOf } from '../ops/registry';
import { dropDeadCode } from './dead-code';

export function shareCommon(graph: Graph): Graph {
  const replaced = equalConstants(graph.values.values());
  const outputs = new Set(graph.outputs);
  const seen = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = withInputs(original, replaced);
    const key = keyOf(node);
    const same = key === undefined ? undefined : seen.get(key);
    if (same && !node.outputs.some((name) => outputs.has(name))) {
      node.outputs.forEach((name, i) => {
        if (name !== '') replaced.set(name, same.outputs[i] as string);
      });
      continue;
    }
    if (key !== undefined) seen.set(key, node);
    nodes.push(node);
  }
  // The outputs of the graph keep their names, though they be constants that have an equal.
  return replaced.size === 0 ? graph : dropDeadCode({ ...graph, nodes });
}

function withInputs(node: Node, replaced: ReadonlyMap<string, string>): Node {
  if (!valuesRead(node).some((name) => replaced.has(name))) return node;
  return { ...node, inputs: node.inputs.map((name) => replaced.get(name) ?? name) };
}

/** Equal for nodes that compute the same; undefined where nothing may share the node. */
function keyOf(node: Node): string | undefined {
  const { op, inputs, outputs, program } = node;
  if (program || opOf(node).varies) return undefined;
  const attributes = attributesKey(node.attributes);
  // Which outputs are wanted counts: an operator may do without the others.
  return attributes && JSON.stringify([op, inputs, outputs.map((name) => name !== ''), attributes]);
}

function attributesKey(attributes: Attributes): string | undefined {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = entries.every(([, value]) => typeof value !== 'object' || Array.isArray(value));
  return plain ? JSON.stringify(entries) : undefined;
}

/** Each constant that has an equal before it, with that one. */
function equalConstants(values: Iterable<Value>): Map<string, string> {
  const replaced = new Map<string, string>();
  const seen = new Map<string, Value[]>();
  for (const value of values) {
    if (!value.constant) continue;
    const key = constantKey(value);
    const alike = seen.get(key) ?? [];
    const same = alike.find((other) => equals(other, value));
    if (same) replaced.set(value.name, same.name);
    else seen.set(key, [...alike, value]);
  }
  return replaced;
}

/** Elements of an inline constant that its key is made from. */
const sampled = 8;

function constantKey({ dtype, dims, constant }: Value): string {
  if (constant?.kind === 'stored') {
    const { file, offset, length } = constant.bytes;
    return `${dtype} ${dims} ${constant.bytes.dtype} ${offset} ${length} ${file}`;
  }
  const { data } = (constant as { array: NDArray }).array;
  const step = Math.max(1, Math.floor(data.length / sampled));
  return `${dtype} ${dims} ${Array.from({ length: sampled }, (_, i) => data[i * step])}`;
}

function equals({ constant: a }: Value, { constant: b }: Value): boolean {
  if (a?.kind !== 'inline' || b?.kind !== 'inline') return a?.kind === b?.kind;
  const [left, right] = [a.array.data, b.array.data];
  for (let i = 0; i < left.length; i++) if (!Object.is(left[i], right[i])) return false;
  return true;
}
