// Models that were saved, and what there is of them in the browser's database.

import { LeptonError } from '../../base/errors';
import type { CheckpointInfo } from '../../store/checkpoints';
import type { TrainerSource } from '../../worker/training-protocol';
import type { CacheOptions } from '../cache';
import { shared } from '../shared';
import { Network } from './network';
import { type BuildOptions, openTrainer } from './trainable';

/**
 * A model that `save` or `toSafetensors` has kept, with its weights and as it was being trained.
 * @param source 'indexeddb://name', the URL of a file, or its bytes
 * @throws INVALID_ARGUMENT where there is no checkpoint of that name; INVALID_MODEL, NETWORK
 */
export async function loadModel(
  source: string | URL | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>,
  options: BuildOptions = {},
): Promise<Network> {
  const live = await openTrainer(await sourceOf(source), options);
  const network = Network.fromSpec(live.created.spec);
  network.adopt(live);
  return network;
}

async function sourceOf(source: Parameters<typeof loadModel>[0]): Promise<TrainerSource> {
  if (source instanceof Blob) return { file: source };
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return { file: new Blob([source]) };
  const [, name] = /^indexeddb:\/\/(.+)$/.exec(String(source)) ?? [];
  if (name) return { checkpoint: name };
  try {
    const response = await fetch(new URL(source, document.baseURI));
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return { file: await response.blob() };
  } catch (cause) {
    throw new LeptonError('NETWORK', `The model could not be fetched from ${source}: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

export const checkpoints = {
  /** Models saved to 'indexeddb://…'. */
  list(options: CacheOptions = {}): Promise<CheckpointInfo[]> {
    return shared.defaultClient(options.workerUrl).call((worker) => worker.checkpoints(), undefined);
  },
  /** Forgets one; says whether there was one. */
  delete(name: string, options: CacheOptions = {}): Promise<boolean> {
    return shared.defaultClient(options.workerUrl).call((worker, n) => worker.deleteCheckpoint(n), name);
  },
};
