// An ONNX model as a layer, to be trained on, frozen, or adapted.

import { readOptions } from '../../base/options';
import type { Progress } from '../../worker/protocol';
import type { ModelSource, SourceOptions } from '../model-source';
import { callOptions, sourceOptions } from '../options';
import { shared } from '../shared';
import { trainerUrl } from '../trainer-url';
import { Layer, type LayerOptions } from './layer';

export interface LoadLayerOptions extends LayerOptions, SourceOptions {
  /** The value that the layer gives: an output of the model (default the first), or one from its middle. */
  output?: string;
  /** Leave the weights, and learn a difference of this rank for every MatMul and Gemm (LoRA) instead. */
  loraRank?: number;
  /** What the difference is multiplied by, times 1 / rank; default 16. */
  loraAlpha?: number;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  /** Lepton's `worker.js` on the page's own origin, for pages whose policy forbids `blob:` workers. */
  workerUrl?: string | URL;
}

/**
 * An ONNX model, or its beginning, as a layer with the weights of the file:
 * `sequential([await loadLayer('classifier.onnx', { output: 'features', trainable: false }), layers.dense({ units: 3 })])`.
 * Axes are as the model has them. Normalisations keep the statistics of the file.
 * @throws as `load`; INVALID_ARGUMENT for an output that the model has not; UNSUPPORTED_MODEL for control flow
 */
export async function loadLayer(source: ModelSource, options: LoadLayerOptions = {}): Promise<Layer> {
  const { output, onProgress, signal, workerUrl, cache, integrity, externalData, ...own } = options;
  const call = { onProgress, signal, workerUrl };
  const place = readOptions(
    'loadLayer()',
    { ...sourceOptions, ...callOptions },
    { cache, integrity, externalData, ...call },
  );
  const model = shared.modelFilesOf(source, place, 'loadLayer()');
  const request = { model, trainerUrl: trainerUrl(), ...(output !== undefined && { output }) };
  const { graph, inputs, weights } = await shared
    .defaultClient(workerUrl)
    .abortable(signal, 'Loading the layer', (worker, call) =>
      worker.openLayer(call, request, onProgress && shared.proxy(onProgress)),
    );
  const [first] = inputs;
  const layer = new Layer('OnnxModel', { ...(first && { inputShape: first.shape }), ...own, graph } as LayerOptions);
  layer.weights = weights;
  return layer;
}
