// Common subexpressions: nodes that compute the same from the same become one, and equal constants become one. Of two
// that differ in which outputs they name, as where the backward pass needs one more, one with all of them stays.
// Nodes whose results vary from run to run stay, as do those that write an output of the graph.

import type { NDArray } from '../base/ndarray';
import { type Attributes, type Graph, type Node, type Value, valuesRead } from '../ir/graph';
import { opOf } from '../ops/registry';
import { dropDeadCode } from './dead-code';

export function shareCommon(graph: Graph): Graph {
  const replaced = equalConstants(graph.values.values());
  const outputs = new Set(graph.outputs);
  /** Where in `nodes` each key is. */
  const seen = new Map<string, number>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = withInputs(original, replaced);
    const key = keyOf(node);
    const at = key === undefined ? undefined : seen.get(key);
    const same = nodes[at ?? -1];
    if (same && !node.outputs.some((name) => outputs.has(name)) && agree(same, node, graph.values)) {
      const joined = Array.from({ length: Math.max(same.outputs.length, node.outputs.length) }, (_, i) => {
        const [first = '', second = ''] = [same.outputs[i], node.outputs[i]];
        if (first !== '' && second !== '') replaced.set(second, first);
        return first || second;
      });
      nodes[at as number] = { ...same, outputs: joined };
      continue;
    }
    if (key !== undefined) seen.set(key, nodes.length);
    nodes.push(node);
  }
  // The outputs of the graph keep their names, though they be constants that have an equal.
  return replaced.size === 0 && nodes.length === graph.nodes.length ? graph : dropDeadCode({ ...graph, nodes });
}

/** Whether outputs that both name are alike: those of a Split hang on how many there are. */
function agree(a: Node, b: Node, values: ReadonlyMap<string, Value>): boolean {
  const type = (name: string) => {
    const { dtype, dims } = values.get(name) as Value;
    return `${dtype} ${dims}`;
  };
  return a.outputs.every((name, i) => name === '' || !b.outputs[i] || type(name) === type(b.outputs[i] as string));
}

function withInputs(node: Node, replaced: ReadonlyMap<string, string>): Node {
  if (!valuesRead(node).some((name) => replaced.has(name))) return node;
  return { ...node, inputs: node.inputs.map((name) => replaced.get(name) ?? name) };
}

/** Equal for nodes that compute the same; undefined where nothing may share the node. */
function keyOf(node: Node): string | undefined {
  const { op, inputs, program } = node;
  if (program || opOf(node).varies) return undefined;
  const attributes = attributesKey(node.attributes);
  return attributes && JSON.stringify([op, inputs, attributes]);
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

function equals({ constant: a, pattern: p }: Value, { constant: b, pattern: q }: Value): boolean {
  // The indices of a sparse tensor carry its pattern, which hangs on its shape.
  if (p?.rows !== q?.rows || p?.columns !== q?.columns) return false;
  if (a?.kind !== 'inline' || b?.kind !== 'inline') return a?.kind === b?.kind;
  const [left, right] = [a.array.data, b.array.data];
  for (let i = 0; i < left.length; i++) if (!Object.is(left[i], right[i])) return false;
  return true;
}
