// compress(): makes a model smaller, and says what that costs.

import type { PowerPreference } from '../base/adapter';
import { LeptonError } from '../base/errors';
import { readOptions } from '../base/options';
import type { CompressOptions as Compression, CompressProgress, CompressReport } from '../compress/types';
import type { Part } from '../data';
import type { CompressRequest } from '../worker/compress-protocol';
import type { WireTensor } from '../worker/protocol';
import type { ModelSource, SourceOptions } from './model-source';
import { isTensor, memoryOf, toWire } from './nn/batches';
import { callOptions, sourceOptions } from './options';
import { shared } from './shared';
import { trainerUrl } from './trainer-url';

/** What both models are run on, to be compared. */
export interface Calibration {
  /** The samples along the first axis: a tensor for the model's only input, or tensors by the names of the inputs. */
  inputs: Part;
  /** The class of each sample, which the output's largest element should be at. */
  labels?: ArrayLike<number | bigint>;
  /** The output that the labels are of; default the first. */
  output?: string;
}

export interface CompressOptions extends Compression, SourceOptions {
  calibration?: Calibration;
  onProgress?: (progress: CompressProgress) => void;
  signal?: AbortSignal;
  powerPreference?: PowerPreference;
  /** Lepton's `worker.js` on the page's own origin, for pages whose policy forbids `blob:` workers. */
  workerUrl?: string | URL;
}

export interface CompressedModel {
  /** The model as an ONNX file, for `load` and every other runtime. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly report: CompressReport;
  /** The report as a page of its own: one file that fetches nothing. */
  readonly html: string;
}

/**
 * Prunes and quantises an ONNX model: `compress('model.onnx', { prune: 0.9, quantize: 'int8' })`. With `calibration` both
 * models run on the data, and the report says how far they are apart, what accuracy is lost, and what time is won.
 * @throws LeptonError: INVALID_ARGUMENT for options or data that do not fit the model, UNSUPPORTED_MODEL where no
 *   layer of it can be compressed, ABORTED, and as `load`
 */
export async function compress(source: ModelSource, options: CompressOptions): Promise<CompressedModel> {
  if (typeof options !== 'object' || options === null) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      'compress() needs options: { prune: 0.9 }, { quantize: "int8" } or both.',
    );
  }
  const { cache, integrity, externalData, calibration, onProgress, signal, powerPreference, workerUrl, ...own } =
    options;
  const call = { onProgress, signal, powerPreference, workerUrl };
  const place = readOptions(
    'compress()',
    { ...sourceOptions, ...callOptions },
    { cache, integrity, externalData, ...call },
  );
  const given = calibration && wireOf(calibration);
  const request: CompressRequest = {
    model: shared.modelFilesOf(source, place, 'compress()'),
    trainerUrl: trainerUrl(),
    options: own,
    ...(given && { calibration: given }),
    ...(powerPreference && { powerPreference }),
  };
  const tensors = given ? (isWire(given.inputs) ? [given.inputs] : Object.values(given.inputs)) : [];
  const moved = shared.transfer(request, memoryOf(tensors));
  return shared
    .defaultClient(workerUrl)
    .abortable(signal, 'Compressing the model', (worker, call) =>
      worker.compress(call, moved, onProgress && shared.proxy(onProgress)),
    );
}

function wireOf({ inputs, labels, output }: Calibration): NonNullable<CompressRequest['calibration']> {
  const rest = { ...(labels && { labels: Array.from(labels, Number) }), ...(output !== undefined && { output }) };
  if (isTensor(inputs)) return { ...rest, inputs: toWire(inputs, 'calibration.inputs') };
  const wires = Object.entries(inputs).map(([name, tensor]) => [name, toWire(tensor, `calibration.inputs.${name}`)]);
  return { ...rest, inputs: Object.fromEntries(wires) };
}

function isWire(inputs: WireTensor | Readonly<Record<string, WireTensor>>): inputs is WireTensor {
  return inputs.bytes instanceof Uint8Array;
}
