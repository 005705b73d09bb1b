// start(): gets Lepton ready while the page does other things.

import type { PowerPreference } from '../base/adapter';
import { compilerUrl } from './compiler-url';
import { defaultClient } from './worker-client';

export interface StartOptions {
  /** As the `load` to come will name it. */
  powerPreference?: PowerPreference;
  /** As the `load` to come will name it. */
  workerUrl?: string | URL;
}

/**
 * Starts Lepton's worker, opens the GPU and, where no model is stored yet, gets the compiler: what the first `load`
 * would otherwise do. Worth calling as soon as the page knows that it will need a model, while it still fetches what
 * to feed it. Need not be awaited: a failure that matters is the load's, too.
 * @throws LeptonError with a code: NO_WEBGPU, NO_ADAPTER, WORKER_FAILED
 */
export function start(options: StartOptions = {}): Promise<void> {
  const { powerPreference, workerUrl } = options;
  const started = defaultClient(workerUrl).call((worker, request) => worker.start(request), {
    compilerUrl: compilerUrl(),
    ...(powerPreference && { powerPreference }),
  });
  started.catch(() => {});
  return started;
}
