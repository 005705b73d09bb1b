// A model's bytes compressed: reads the file and does with its graph what compressGraph does.

import { LeptonError } from '../base/errors';
import { memorySource } from '../base/memory-source';
import { requireOps } from '../ops/registry';
import { withSubgraphNodes } from '../read/graph';
import { readOnnx } from '../read/onnx';
import { type Compressed, type CompressRequest, compressGraph } from './compress';

export type CompressModelRequest = Omit<CompressRequest, 'graph' | 'fileOf' | 'bytes'> & {
  /** Files of external data by the names that the model has for them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
};

/** @throws INVALID_MODEL, UNSUPPORTED_MODEL, and what compressGraph does */
export async function compressModel(
  model: Uint8Array,
  { externalData = {}, ...request }: CompressModelRequest,
): Promise<Compressed> {
  const source = memorySource(model);
  const { signal, onProgress } = request;
  onProgress?.({ stage: 'read', loaded: 0, total: 1 });
  const { graph, files } = await readOnnx(source, signal ? { signal } : {});
  requireOps(withSubgraphNodes(graph.nodes));
  const missing = files.find((name) => !externalData[name]);
  if (missing !== undefined) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `compress(): the model keeps weights in the file "${missing}"; pass it.`,
      {
        details: { file: missing },
      },
    );
  }
  const external = new Map(Object.entries(externalData).map(([name, bytes]) => [name, memorySource(bytes)]));
  const bytes = files.reduce((sum, name) => sum + (externalData[name] as Uint8Array).length, model.length);
  onProgress?.({ stage: 'read', loaded: 1, total: 1 });
  return compressGraph({ ...request, graph, bytes, fileOf: (name) => external.get(name) ?? source });
}
