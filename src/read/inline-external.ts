// Small constants that a model keeps in external files, such as the shape of a Reshape, become inline:
// the passes need their elements. Large ones stay references.

import type { ByteSource } from '../base/bytes';
import { decode } from '../base/ndarray';
import type { Graph, Value } from '../ir/graph';

/** As large as the constants that are read out of the model file itself. */
const largestInline = 4096;

export async function inlineExternal(
  graph: Graph,
  fileOf: (name: string) => ByteSource,
  signal: AbortSignal,
): Promise<Graph> {
  const values = new Map(graph.values);
  const read = async (value: Value): Promise<void> => {
    const { constant, dtype, dims } = value;
    if (constant?.kind !== 'stored' || constant.bytes.file === '' || constant.bytes.length > largestInline) return;
    const { file, offset, length } = constant.bytes;
    const array = decode(dtype, dims as readonly number[], await fileOf(file).read(offset, length, signal));
    values.set(value.name, { ...value, constant: { kind: 'inline', array } });
  };
  await Promise.all([...graph.values.values()].map(read));
  return { ...graph, values };
}
