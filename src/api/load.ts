// load(): names a model, gives back something that runs.

import { proxy } from 'comlink';
import type { PowerPreference } from '../base/adapter';
import { choice, flag, readOptions } from '../base/options';
import type { LoadRequest, Progress } from '../worker/protocol';
import { Model } from './model';
import { type ModelSource, modelFilesOf, type SourceOptions } from './model-source';
import { callOptions, sourceOptions } from './options';
import { defaultClient } from './worker-client';

export interface LoadOptions extends SourceOptions {
  /** Called from time to time with what is being done and how far it is. */
  onProgress?: (progress: Progress) => void;
  /** Gives the load up. Downloaded chunks stay in the store, for the next try to go on from. */
  signal?: AbortSignal;
  powerPreference?: PowerPreference;
  /** 'float16' computes a float32 model in half precision (needs shader-f16). Default 'auto': the model's own. */
  precision?: 'auto' | 'float32' | 'float16';
  /** 'auto' and 'webgpu' run on the GPU or fail; 'cpu' is a slow, exact reference, taken only when named. */
  backend?: 'auto' | 'webgpu' | 'cpu';
  /** Compute float64 as float32, for which GPUs have no exact form. Default false: such a model is an error. */
  allowPrecisionLoss?: boolean;
  /**
   * Refuse to run a node with much to compute on the host: the run fails and names it. Default false; what runs
   * on the host, and why, is in `model.report.hostSteps` and in the profile.
   */
  strict?: boolean;
  /**
   * Whether kernels are chosen by measuring them on the visitor's adapter. 'auto' (default) begins by a cost model
   * and measures the kernels that take most of the time once the model has run and nothing is asked of Lepton for
   * 0.1 s, for about 0.3 s or half of what loading took; the runs after that use what won. A software adapter, where
   * this would take long, is left to the cost model. 'full' measures thoroughly on any adapter before the first run,
   * which may take many seconds; `onProgress` tells how far it is (stage 'tune'). 'off' chooses by the cost model
   * alone. What won is kept in IndexedDB, for all models; answers are the same up to rounding.
   */
  tune?: 'auto' | 'off' | 'full';
  /** Lepton's `worker.js` on the page's own origin, for pages whose policy forbids `blob:` workers. */
  workerUrl?: string | URL;
}

const loadOptions = {
  ...sourceOptions,
  ...callOptions,
  precision: choice(['auto', 'float32', 'float16'], 'auto'),
  backend: choice(['auto', 'webgpu', 'cpu'], 'auto'),
  allowPrecisionLoss: flag(false),
  strict: flag(false),
  tune: choice(['auto', 'off', 'full'], 'auto'),
};

/**
 * Loads an ONNX model.
 * @param source a URL (relative ones against the page), or the model's bytes
 * @throws LeptonError with a code: INVALID_MODEL, UNSUPPORTED_MODEL, NETWORK, NO_WEBGPU, NO_ADAPTER,
 *   INTEGRITY_MISMATCH, STORAGE_QUOTA, OUT_OF_MEMORY, WORKER_FAILED, INVALID_ARGUMENT, ABORTED …
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const given = readOptions('load()', loadOptions, options);
  const { onProgress, signal, powerPreference, backend, precision, allowPrecisionLoss, strict, tune } = given;
  const request: LoadRequest = {
    ...modelFilesOf(source, given, 'load()'),
    ...{ backend, precision, allowPrecisionLoss, strict, tune },
    ...(powerPreference && { powerPreference }),
  };
  const client = defaultClient(options.workerUrl);
  const loaded = await client.abortable(
    signal,
    'Loading the model',
    (worker, call) => worker.load(call, request, onProgress && proxy(onProgress)),
    (worker, { id }) => void worker.disposeModel(id),
  );
  return new Model(client, loaded);
}
