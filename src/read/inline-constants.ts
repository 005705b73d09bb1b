// Constants that the passes need the elements of become inline: small ones that a model keeps in external
// files, such as the shape of a Reshape, and tensors that are attributes, of any size (the trees of a
// TreeEnsemble). Other large ones stay references.

import type { ByteSource } from '../base/bytes';
import { decode } from '../base/ndarray';
import type { AttributeValue, Constant, Graph, Node, Value } from '../ir/graph';

/** As large as the constants that are read out of the model file itself. */
const largestInline = 4096;

export async function inlineConstants(
  graph: Graph,
  fileOf: (name: string) => ByteSource,
  signal: AbortSignal,
): Promise<Graph> {
  const load = async ({ dtype, dims, constant }: Pick<Value, 'dtype' | 'dims' | 'constant'>): Promise<Constant> => {
    if (constant?.kind !== 'stored') return constant as Constant;
    const { file, offset, length } = constant.bytes;
    const bytes = await fileOf(file).read(offset, length, signal);
    return { kind: 'inline', array: decode(dtype, dims as readonly number[], bytes) };
  };
  const value = async (v: Value): Promise<Value> => {
    const { constant } = v;
    if (constant?.kind !== 'stored' || constant.bytes.file === '' || constant.bytes.length > largestInline) return v;
    return { ...v, constant: await load(v) };
  };
  const attribute = async (a: AttributeValue): Promise<AttributeValue> => {
    if (typeof a !== 'object') return a;
    if ('graph' in a) return { graph: await inlineConstants(a.graph, fileOf, signal) };
    return 'tensor' in a ? { tensor: { ...a.tensor, constant: await load(a.tensor) } } : a;
  };
  const node = async (n: Node): Promise<Node> => {
    const entries = Object.entries(n.attributes);
    if (!entries.some(([, a]) => typeof a === 'object' && ('graph' in a || 'tensor' in a))) return n;
    const loaded = entries.map(async ([name, a]) => [name, await attribute(a)] as const);
    return { ...n, attributes: Object.fromEntries(await Promise.all(loaded)) };
  };
  const [values, nodes] = await Promise.all([
    Promise.all([...graph.values.values()].map(value)),
    Promise.all(graph.nodes.map(node)),
  ]);
  return { ...graph, nodes, values: new Map(values.map((v) => [v.name, v])) };
}
