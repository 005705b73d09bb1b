// The elements of a graph's constants: read from their files once, and those that only data movement separates from the
// node that uses them moved now, so that weights stand where operators take them.

import type { ByteSource } from '../base/bytes';
import { throwIfAborted } from '../base/errors';
import { decode, type NDArray, ndarray } from '../base/ndarray';
import { subgraphsOf } from '../ir/captures';
import type { Constant, Graph, Node, StoredBytes, Value } from '../ir/graph';
import { opOf, viewNode } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { inline } from '../transform/specialise';

/** Bytes that constants refer to. */
export type StoredConstants = (bytes: StoredBytes) => Uint8Array;

export async function loadConstants(
  graph: Graph,
  fileOf: (name: string) => ByteSource,
  signal?: AbortSignal,
): Promise<StoredConstants> {
  const key = ({ file, offset, length }: StoredBytes) => `${offset} ${length} ${file}`;
  const known = new Map<string, Uint8Array>();
  for (const constant of storedConstants(graph)) {
    throwIfAborted(signal, 'Compressing the model');
    const { file, offset, length } = constant;
    if (!known.has(key(constant))) known.set(key(constant), await fileOf(file).read(offset, length, signal));
  }
  return (bytes) => known.get(key(bytes)) as Uint8Array;
}

function storedConstants(graph: Graph): StoredBytes[] {
  const of = (constant: Constant | undefined) => (constant?.kind === 'stored' ? [constant.bytes] : []);
  return [
    ...[...graph.values.values()].flatMap(({ constant }) => of(constant)),
    ...graph.nodes.flatMap((node) => [
      ...Object.values(node.attributes).flatMap((a) =>
        typeof a === 'object' && 'tensor' in a ? of(a.tensor.constant) : [],
      ),
      ...subgraphsOf(node).flatMap(storedConstants),
    ]),
  ];
}

/** The elements of a constant, in the type that the graph gives it. */
export function arrayOf({ dtype, dims, constant }: Value, stored: StoredConstants): NDArray {
  if (constant?.kind === 'inline') return constant.array;
  const bytes = (constant as Extract<Constant, { kind: 'stored' }>).bytes;
  const array = decode(bytes.dtype ?? dtype, dims as readonly number[], stored(bytes));
  return array.dtype === dtype ? array : ndarray(dtype, array.dims, array.data);
}

/** Operators that give a constant another form. */
export const movements = new Set(
  'Cast Flatten Identity Reshape Squeeze Transpose Unsqueeze lepton.SparseTensor'.split(' '),
);

/** @param moving the nodes that are left out, by default all that can be */
export function foldMovement(
  graph: Graph,
  stored: StoredConstants,
  moving: ReadonlySet<Node> = new Set(graph.nodes),
): Graph {
  const values = new Map(graph.values);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name));
    if (!moving.has(node) || !movements.has(node.op) || !inputs.every((v) => v?.constant)) {
      nodes.push(node);
      continue;
    }
    const arrays = inputs.map((value) => arrayOf(value as Value, stored));
    const known = new Map(node.inputs.map((name, i) => [name, inline(name, arrays[i] as NDArray)]));
    const [array] = opOf(node).reference(viewNode(node, known), arrays) as [NDArray];
    const [name] = node.outputs as [string];
    values.set(name, inline(name, array));
  }
  return dropDeadCode({ ...graph, nodes, values });
}
