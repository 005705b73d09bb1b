// A float32 model that computes in float16 inside: its inputs and outputs stay float32. Constants stay finite and, where they
// are not zero, so: an epsilon of 1e-10 that became 0 would let silence be Log(0), and what a mask adds would be infinite.

import { isFloat } from '../base/dtype';
import { float16ToNumber, numberToFloat16 } from '../base/float16';
import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { capturesOf, namesIn } from '../ir/captures';
import type { Attributes, AttributeValue, Constant, Graph, Node, Value } from '../ir/graph';
import { renamed } from '../ir/inline';
import { setPrecision } from '../transform/set-precision';
import { arrayOf, type StoredConstants } from './constants';

/** The largest number of float16, and the smallest above zero. */
export const halfRange = { most: 65504, least: 2 ** -24 };

/** As it is kept in float16. */
export function asHalf(array: NDArray): NDArray {
  return isFloat(array.dtype) ? ndarray('float16', array.dims, array.data.map(nearestHalf)) : array;
}

function nearestHalf(value: number): number {
  const half = float16ToNumber(numberToFloat16(value));
  if (half === 0 && value !== 0) return Math.sign(value) * halfRange.least;
  return Number.isFinite(value) && !Number.isFinite(half) ? Math.sign(value) * halfRange.most : half;
}

/** The graph with constants that float16 holds, where they are to be float16: what stays float32 keeps them as they are. */
function withinHalf(graph: Graph, stored: StoredConstants): Graph {
  const fitted = <T extends { readonly dtype: Value['dtype']; readonly constant?: Constant }>(value: T): T => {
    if (value.dtype !== 'float16' || !value.constant) return value;
    const array = arrayOf(value as unknown as Value, stored);
    const data = array.data.map(nearestHalf);
    return { ...value, constant: { kind: 'inline', array: { ...array, data } } };
  };
  const attribute = (value: AttributeValue): AttributeValue => {
    if (typeof value !== 'object') return value;
    if ('graph' in value) return { graph: withinHalf(value.graph, stored) };
    return 'tensor' in value ? { tensor: fitted(value.tensor) } : value;
  };
  const attributes = (all: Attributes) =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, attribute(value)]));
  return {
    ...graph,
    values: new Map([...graph.values].map(([name, value]) => [name, fitted(value)])),
    nodes: graph.nodes.map((node) => ({ ...node, attributes: attributes(node.attributes) })),
  };
}

export function toHalf(graph: Graph, stored: StoredConstants): Graph {
  const half = withinHalf(setPrecision(graph, 'float32', 'float16'), stored);
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
