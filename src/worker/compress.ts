// Compresses a model for the page: its files are opened as for running it, and both models run on the page's GPU.

import { decode } from '../base/ndarray';
import type { CalibrationArrays, CompressProgress } from '../compress/types';
import type { WeightStore } from '../store';
import type { Compiler } from './compiler';
import type { CompressedModel, CompressRequest } from './compress-protocol';
import type { Devices } from './devices';
import { ModelFiles } from './model-files';
import type { WireTensor } from './protocol';
import { runModels } from './run-models';
import type { TrainerPlaces, TrainingPart } from './training-part';

export interface CompressingParts {
  readonly store: WeightStore;
  readonly devices: Devices;
  readonly compilerFrom: (url: string) => Promise<Compiler>;
  readonly trainerFrom: (places: TrainerPlaces) => Promise<TrainingPart>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CompressProgress) => void;
}

export async function compress(
  { model: request, trainerUrl, options, calibration, powerPreference }: CompressRequest,
  { store, devices, compilerFrom, trainerFrom, signal, onProgress }: CompressingParts,
): Promise<CompressedModel> {
  const files = new ModelFiles(store, request, signal, ({ stage, loaded, total }) => {
    if (stage === 'download') onProgress({ stage, loaded, total });
  });
  try {
    const { compilerUrl } = request;
    const loading = trainerFrom({ compilerUrl, trainerUrl });
    loading.catch(() => {});
    const source = await files.openModel(() => {});
    const compiler = await compilerFrom(compilerUrl);
    const { graph, files: external } = await compiler.read(source, signal);
    await files.openExternal(external);
    await files.complete();
    const { compressGraph, reportHtml } = await loading;
    const data = calibration && arraysOf(calibration, graph.inputs);
    const using = { compiler, devices, signal, ...(powerPreference && { powerPreference }) };
    const { bytes, report } = await compressGraph({
      ...{ graph, options, signal, onProgress },
      fileOf: (name) => files.source(name),
      bytes: files.bytes,
      ...(data && { calibration: { data, runner: await runModels(using) } }),
    });
    return { bytes, report, html: reportHtml(report, nameOf(request.source)) };
  } finally {
    files.close();
  }
}

function nameOf(source: CompressRequest['model']['source']): string {
  if (!('url' in source)) return source.name;
  return decodeURIComponent(new URL(source.url).pathname.split('/').at(-1) || source.url);
}

function arraysOf(
  { inputs, ...rest }: NonNullable<CompressRequest['calibration']>,
  names: readonly string[],
): CalibrationArrays {
  const array = ({ type, dims, bytes }: WireTensor) => decode(type, dims, bytes);
  if (isTensor(inputs)) return { ...rest, inputs: { [names[0] as string]: array(inputs) } };
  return { ...rest, inputs: Object.fromEntries(Object.entries(inputs).map(([name, wire]) => [name, array(wire)])) };
}

function isTensor(inputs: NonNullable<CompressRequest['calibration']>['inputs']): inputs is WireTensor {
  return inputs.bytes instanceof Uint8Array;
}
