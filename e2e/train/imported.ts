// Models from ONNX files as layers, for tests of training that have no worker.

import { readFileSync } from 'node:fs';
import { encode, type NDArray } from '../../src/base/ndarray';
import type { LayerSpec, ModelSpec } from '../../src/nn/types';
import { readOnnx } from '../../src/read/onnx';
import { training } from '../../src/train';
import type { WireTensor } from '../../src/worker/protocol';
import { MemorySource } from '../support/memory-source';
import { type Layer, sequence } from './networks';

export function imported(path: string, output?: string) {
  return importedBytes(new Uint8Array(readFileSync(path)), output);
}

export async function importedBytes(bytes: Uint8Array, output?: string) {
  const source = new MemorySource(bytes);
  const { graph } = await readOnnx(source, {});
  const { signal } = new AbortController();
  return training.importLayer(graph, { ...(output && { output }), fileOf: () => source, signal });
}

/** With the imported layer, which is called `base`, in front. */
export function behind(
  layer: Awaited<ReturnType<typeof imported>>,
  base: Partial<LayerSpec>,
  layers: readonly Layer[],
): ModelSpec {
  const [input] = layer.inputs;
  const spec = sequence('tuned', { shape: input?.shape ?? [], dtype: 'float32' }, [['OnnxModel'], ...layers]);
  const [first, ...rest] = spec.layers as [LayerSpec, ...LayerSpec[]];
  return { ...spec, layers: [{ ...first, ...base, config: { ...base.config, graph: layer.text } }, ...rest] };
}

export const stateOf = (weights: readonly { name: string; array: NDArray }[]) =>
  Object.fromEntries(
    weights.map(({ name, array }): [string, WireTensor] => [
      `OnnxModel_0/${name}`,
      { type: array.dtype, dims: array.dims, bytes: encode(array) },
    ]),
  );
