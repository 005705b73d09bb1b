// A float32 model that computes in float16 inside: its inputs and outputs stay float32.

import { numberOfDType } from '../base/onnx-dtypes';
import { capturesOf, namesIn } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { renamed } from '../ir/inline';
import { setPrecision } from '../transform/set-precision';

export function toHalf(graph: Graph): Graph {
  const half = setPrecision(graph, 'float32', 'float16');
  const values = new Map(half.values);
  const taken = namesIn(half);
  const names = new Map<string, string>();
  const casts = (of: readonly string[], to: 'float16' | 'float32'): Node[] =>
    of.flatMap((name) => {
      const value = values.get(name) as Value;
      if (graph.values.get(name)?.dtype !== 'float32' || value.dtype !== 'float16' || value.constant) return [];
      const inner = freshName(`${name}_float16`, taken);
      taken.add(inner);
      names.set(name, inner);
      values.set(inner, { ...value, name: inner });
      values.set(name, graph.values.get(name) as Value);
      const [input, output] = to === 'float16' ? [name, inner] : [inner, name];
      const attributes = { to: numberOfDType(to) };
      return [{ name: `${name}/Cast`, op: 'Cast', inputs: [input], outputs: [output], attributes }];
    });
  const before = casts(half.inputs, 'float16');
  const after = casts(
    half.outputs.filter((name) => !half.inputs.includes(name)),
    'float32',
  );
  const rename = (name: string) => names.get(name) ?? name;
  const isTouched = (node: Node) => [...node.inputs, ...node.outputs, ...capturesOf(node)].some((n) => names.has(n));
  const nodes = half.nodes.map((node) => (isTouched(node) ? renamed(node, rename) : node));
  return { ...half, values, nodes: [...before, ...nodes, ...after] };
}

function freshName(stem: string, taken: ReadonlySet<string>): string {
  let name = stem;
  while (taken.has(name)) name += '_';
  return name;
}
