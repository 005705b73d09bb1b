// What the session asks of a loaded model, whichever engine runs it.

import type { CheckedFeeds } from './feeds';
import type { GpuTensor } from './gpu-tensors';
import type { HostStep, LoadReport, Profile, WireTensor } from './protocol';

export interface RunOptions {
  readonly outputs: readonly string[];
  readonly onGpu: (output: string) => boolean;
  readonly signal: AbortSignal;
}

export type RunResult = ReadonlyMap<string, WireTensor | GpuTensor>;

export interface Engine {
  run(feeds: CheckedFeeds, options: RunOptions): Promise<RunResult>;
  profile(feeds: CheckedFeeds, signal: AbortSignal): Promise<Profile>;
  readonly memory: LoadReport['memory'];
  /** What runs on the host of a model that runs on the GPU, as far as is known by now. */
  readonly hostSteps: readonly HostStep[];
  /** Makes in the background what the runs so far were too urgent for. */
  settle?(): Promise<void>;
  dispose(): void;
}
