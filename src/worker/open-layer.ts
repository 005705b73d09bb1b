// Opens an ONNX model as a layer: from the network, the store or memory, as for running it.

import { encode } from '../base/ndarray';
import type { WeightStore } from '../store';
import type { Compiler } from './compiler';
import { ModelFiles } from './model-files';
import type { Progress } from './protocol';
import type { TrainerPlaces, TrainingPart } from './training-part';
import type { OpenedLayer, OpenLayerRequest } from './training-protocol';

export interface OpenLayerOptions {
  readonly store: WeightStore;
  readonly compilerFrom: (url: string) => Promise<Compiler>;
  readonly trainerFrom: (places: TrainerPlaces) => Promise<TrainingPart>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export async function openLayer(
  { model: request, trainerUrl, output }: OpenLayerRequest,
  { store, compilerFrom, trainerFrom, signal, onProgress }: OpenLayerOptions,
): Promise<OpenedLayer> {
  const files = new ModelFiles(store, request, signal, onProgress);
  try {
    const { compilerUrl } = request;
    const trainer = trainerFrom({ compilerUrl, trainerUrl });
    trainer.catch(() => {});
    const source = await files.openModel(() => {});
    const compiler = await compilerFrom(compilerUrl);
    const model = await compiler.read(source, signal);
    await files.openExternal(model.files);
    const fileOf = (name: string) => files.source(name);
    const graph = await compiler.lookAtConstants(model.graph, fileOf, signal);
    const wanted = output === undefined ? {} : { output };
    const { text, inputs, weights } = await (await trainer).importLayer(graph, { ...wanted, fileOf, signal });
    await files.complete();
    return {
      graph: text,
      inputs,
      weights: Object.fromEntries(
        weights.map(({ name, array }) => [name, { type: array.dtype, dims: array.dims, bytes: encode(array) }]),
      ),
    };
  } finally {
    files.close();
  }
}
