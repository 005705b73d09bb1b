// A loaded model, as the page holds it.

import type { Remote } from 'comlink';
import { LeptonError } from '../base/errors';
import type { TensorInfo } from '../base/model-info';
import { flag, optional, readOptions } from '../base/options';
import type { LoadedModel, LoadReport, Profile, WireFeed, WireGpuTensor, WireTensor } from '../worker/protocol';
import type { WorkerApi } from '../worker/worker-api';
import { ImageInput } from './image';
import { names, signal } from './options';
import { Tensor } from './tensor';
import { type WorkerClient, withTransfer } from './worker-client';

export type Feeds = Readonly<Record<string, Tensor | ImageInput>>;

export interface RunOptions {
  /** Names of the outputs to compute; default: all. */
  outputs?: readonly string[];
  /** Outputs that stay on the GPU: 'gpu' for all, or their names. Default: none. */
  location?: 'cpu' | 'gpu' | readonly string[];
  /** Gives the wait up; the model stays usable. */
  signal?: AbortSignal;
  /** Move the inputs' memory to the worker instead of copying it: their `data` cannot be used again. */
  transfer?: boolean;
}

const runOptions = {
  outputs: names,
  location: optional((value, fail) =>
    value === 'cpu' || value === 'gpu'
      ? value
      : names(value, () => fail('"cpu", "gpu" or a list of the outputs to stay on the GPU')),
  ),
  signal,
  transfer: flag(false),
};
const profileOptions = { signal };

export class Model {
  /** Names, types and shapes of what `run` takes; a string in a shape is a size that each run decides. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** How the load went: where the bytes came from, how long each stage took, on what adapter. */
  readonly report: LoadReport;
  readonly #client: WorkerClient;
  readonly #id: number;
  #disposed = false;
  /** Settles when all requests asked for so far have been sent. */
  #earlier: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(client: WorkerClient, loaded: LoadedModel) {
    this.#client = client;
    this.#id = loaded.id;
    this.inputs = loaded.inputs;
    this.outputs = loaded.outputs;
    this.report = loaded.report;
  }

  /**
   * Runs the model once. Runs asked for while one is under way queue in order.
   * @throws INVALID_INPUT, INVALID_ARGUMENT, ABORTED, DISPOSED, DEVICE_LOST, GPU_ERROR, OUT_OF_MEMORY
   */
  async run(feeds: Feeds, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    this.#alive();
    const { location = 'cpu', outputs, signal, transfer } = readOptions('run()', runOptions, options);
    const onGpu = location === 'gpu' ? ('all' as const) : location === 'cpu' ? [] : location;
    const results = await this.#send(feeds, transfer, (wire) => {
      const request = withTransfer({ model: this.#id, feeds: wire, ...(outputs && { outputs }), onGpu });
      return this.#client.abortable(signal, 'The run', (worker, call) => worker.run(call, request), discardTensors);
    });
    return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, Tensor.fromWire(t, this.#client)]));
  }

  /**
   * Runs the model several times with timestamps and says where the time goes, node by node: which kernel ran, how it
   * was chosen, how fast it was, and how that compares with what the adapter was measured to do.
   */
  async profile(feeds: Feeds, options: Pick<RunOptions, 'signal'> = {}): Promise<Profile> {
    this.#alive();
    const { signal } = readOptions('profile()', profileOptions, options);
    return this.#send(feeds, false, (wire) => {
      const request = withTransfer({ model: this.#id, feeds: wire, onGpu: [] });
      return this.#client.abortable(signal, 'Profiling', (worker, call) => worker.profile(call, request));
    });
  }

  /** Frees the model's memory once its runs are done. GPU tensors it made stay until they are disposed of. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#client.call((worker, id) => worker.disposeModel(id), this.#id);
  }

  /** Sends requests in the order they were asked for, although pictures take a while to get ready. */
  async #send<T>(feeds: Feeds, give: boolean, send: (wire: Record<string, WireFeed>) => Promise<T>): Promise<T> {
    if (typeof feeds !== 'object' || feeds === null || feeds instanceof Tensor || feeds instanceof ImageInput) {
      throw new LeptonError('INVALID_INPUT', 'run() takes an object of inputs by name, such as { x: tensor }.');
    }
    const releases = Object.values(feeds).flatMap((feed) => (feed instanceof Tensor ? [feed.hold()] : []));
    const wire = this.#wireFeeds(feeds, give);
    const turn = Promise.all([wire, this.#earlier.catch(() => {})]);
    this.#earlier = turn;
    try {
      const [ready] = await turn;
      return await send(ready);
    } finally {
      for (const release of releases) release();
    }
  }

  async #wireFeeds(feeds: Feeds, give: boolean): Promise<Record<string, WireFeed>> {
    const entries = await Promise.all(
      Object.entries(feeds).map(async ([name, feed]): Promise<[string, WireFeed]> => {
        if (feed instanceof ImageInput) return [name, await feed.toWire(name)];
        if (!(feed instanceof Tensor)) {
          throw new LeptonError('INVALID_INPUT', `Input "${name}" must be a Tensor or an image(…).`, {
            details: { name },
          });
        }
        const gpu = feed.gpuId(this.#client);
        return [name, gpu === undefined ? Tensor.toWire(feed, give) : { type: feed.type, dims: feed.dims, gpu }];
      }),
    );
    return Object.fromEntries(entries);
  }

  #alive(): void {
    if (this.#disposed) throw new LeptonError('DISPOSED', 'This model was disposed of; load it again.');
  }
}

/** Frees what an aborted run left on the GPU. */
function discardTensors(worker: Remote<WorkerApi>, results: Record<string, WireTensor | WireGpuTensor>): void {
  for (const result of Object.values(results)) if ('gpu' in result) void worker.disposeTensor(result.gpu);
}
