// The worker's side of the protocol, and the composition root: here store, reader, passes, planner and
// GPU meet. Loads and runs of different models overlap; the runs of one model queue in order.

import type { PowerPreference } from '../base/adapter';
import { abortError, LeptonError, throwIfAborted } from '../base/errors';
import type { TensorInfo } from '../base/model-info';
import type { WeightStore } from '../store';
import type { Compiler } from './compiler';
import type { Devices } from './devices';
import { blameEmpty, checkFeeds } from './feeds';
import { GpuEngine } from './gpu-engine';
import { GpuTensors } from './gpu-tensors';
import type { Engine } from './model';
import { ModelFiles } from './model-files';
import { openModel } from './open-model';
import type { PlanCache } from './plan-cache';
import type {
  LoadedModel,
  LoadReport,
  LoadRequest,
  Profile,
  Progress,
  RunRequest,
  StartRequest,
  WireFeed,
  WireGpuTensor,
  WireTensor,
} from './protocol';
import { IdleTuning, type Tunable } from './tuning-idle';

interface Model {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly engine: Engine;
  readonly files: ModelFiles;
  readonly plans: PlanCache | undefined;
  /** Settles when all runs asked for so far are done. */
  queue: Promise<unknown>;
  /** What to tune in idle time once there was a first run, for how many milliseconds. */
  readonly tuning: { readonly tunable: Tunable; readonly budget: number } | undefined;
  wasRun: boolean;
}

/** Milliseconds that may be spent on choosing kernels in idle time, and their share of what the load took. */
const leastTuning = 300;
const tuningShare = 0.5;

export class Session {
  private readonly models = new Map<number, Model>();
  private readonly tensors = new GpuTensors();
  private nextModel = 1;
  private readonly idle = new IdleTuning();

  constructor(
    private readonly devices: Devices,
    private readonly store: WeightStore,
    private readonly compilerFrom: (url: string) => Promise<Compiler>,
  ) {}

  /** Gets ready what a load will need, as far as that is known without its model. */
  async start({ compilerUrl, powerPreference }: StartRequest): Promise<void> {
    // A second visit takes what it needs from the store, and mostly needs no compiler. Who waits for this may hold up
    // the load, and with it the model; so nobody waits for the compiler, which the load asks for again.
    const compiler = async () => {
      if (await this.store.isEmpty()) await this.compilerFrom(compilerUrl);
    };
    void compiler().catch(() => {});
    await this.devices.get(powerPreference);
  }

  load(request: LoadRequest, signal: AbortSignal, onProgress: (p: Progress) => void): Promise<LoadedModel> {
    return this.idle.during(() => this.loadNow(request, signal, onProgress));
  }

  private async loadNow(
    request: LoadRequest,
    signal: AbortSignal,
    onProgress: (p: Progress) => void,
  ): Promise<LoadedModel> {
    // A load that fails must also stop what it started: downloads, uploads.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const files = new ModelFiles(this.store, request, both, onProgress);
    let engine: Engine | undefined;
    let tunable: Tunable | undefined;
    try {
      const start = performance.now();
      const since = () => performance.now() - start;
      const timings = { download: 0, read: 0, plan: 0, compile: 0, upload: 0, total: 0 };
      // Opening a GPU, fetching the compiler and reaching the model take about as long: none waits for another.
      const gpu = request.backend === 'cpu' ? undefined : this.devices.get(request.powerPreference);
      gpu?.catch(() => {});
      const { compilerFrom } = this;
      const { blueprint, plans } = await openModel(files, { request, compilerFrom, signal: both });
      timings.read = since();
      onProgress({ stage: 'read', loaded: 1, total: 1, origin: files.origin });
      const arrived = files.complete().then(() => {
        timings.download = since();
      });
      arrived.catch((error) => stop.abort(error));
      const { inputs, outputs } = blueprint;
      if (request.backend === 'cpu') {
        const { compiler, graph } = await blueprint.read();
        engine = compiler.cpuEngine(graph, (name) => files.source(name), this.tensors);
      } else {
        const shared = await gpu;
        const gpuEngine = new GpuEngine({
          blueprint,
          plans,
          files: (name) => files.source(name),
          devices: this.devices,
          tensors: this.tensors,
          precision: request.precision,
          allowPrecisionLoss: request.allowPrecisionLoss,
          strict: request.strict,
          tune: request.tune,
          quick: request.tune !== 'full',
          hurried: !request.cache,
          ...(request.powerPreference && { powerPreference: request.powerPreference }),
        });
        engine = gpuEngine;
        // On a CPU that pretends to be a GPU, compiling and timing kernels takes seconds, and from the page.
        if (request.tune === 'auto' && !shared?.device.profile.software) tunable = gpuEngine;
        if (inputs.every((input) => input.shape.every((d) => typeof d === 'number'))) {
          await gpuEngine.prepare(new Map(inputs.map((input) => [input.name, input.shape as readonly number[]])), {
            signal: both,
            onPlanned: () => {
              timings.plan = since();
            },
            onTune: (done, total) => onProgress({ stage: 'tune', loaded: done, total, origin: files.origin }),
            onCompile: (done, total) => {
              timings.compile = since();
              onProgress({ stage: 'compile', loaded: done, total, origin: files.origin });
            },
            onUpload: (loaded, total) => {
              timings.upload = since();
              onProgress({ stage: 'upload', loaded, total, origin: files.origin });
            },
          });
        }
      }
      await arrived;
      throwIfAborted(signal, 'Loading the model');
      timings.total = since();
      const id = this.nextModel++;
      const budget = Math.max(leastTuning, tuningShare * timings.total);
      const tuning = tunable && { tunable, budget };
      const report = await this.report(request, files, engine, timings);
      this.models.set(id, { inputs, outputs, engine, files, plans, queue: Promise.resolve(), tuning, wasRun: false });
      return { id, inputs, outputs, report };
    } catch (error) {
      stop.abort(error);
      engine?.dispose();
      files.close();
      // The download's own failure explains an upload that was stopped because of it.
      throw signal.aborted
        ? abortError(signal, 'Loading the model')
        : stop.signal.reason instanceof LeptonError
          ? stop.signal.reason
          : error;
    }
  }

  async run(request: RunRequest, signal: AbortSignal): Promise<Record<string, WireTensor | WireGpuTensor>> {
    const model = this.model(request.model);
    const { onGpu } = request;
    const outputs = [...new Set(request.outputs ?? model.outputs.map((o) => o.name))];
    for (const name of [...outputs, ...(onGpu === 'all' ? [] : onGpu)]) requireOutput(model, name);
    const feeds = checkFeeds(model.inputs, request.feeds);
    const results = await this.inTurn(
      model,
      request.feeds,
      signal,
      'The run',
      () => model.engine.run(feeds, { outputs, onGpu: (name) => onGpu === 'all' || onGpu.includes(name), signal }),
      (unwanted) => {
        for (const result of unwanted.values()) if ('buffer' in result) result.buffer.destroy();
      },
    ).catch(blameEmpty(feeds));
    return Object.fromEntries([...results].map(([name, r]) => [name, 'bytes' in r ? r : this.tensors.add(r)]));
  }

  async profile(request: RunRequest, signal: AbortSignal): Promise<Profile> {
    const model = this.model(request.model);
    const feeds = checkFeeds(model.inputs, request.feeds);
    const work = () => model.engine.profile(feeds, signal);
    return this.inTurn(model, request.feeds, signal, 'Profiling', work).catch(blameEmpty(feeds));
  }

  async disposeModel(id: number): Promise<void> {
    const model = this.models.get(id);
    if (!model) return;
    this.models.delete(id);
    await model.queue;
    if (model.tuning) this.idle.remove(model.tuning.tunable);
    model.engine.dispose();
    // Plans that wait for idle time are stored now; nobody waits for it.
    void Promise.resolve(model.plans?.close()).then(() => model.files.close());
  }

  async upload(tensor: WireTensor, powerPreference?: PowerPreference): Promise<WireGpuTensor> {
    const { device } = await this.devices.get(powerPreference);
    return this.tensors.upload(device, tensor);
  }

  read(gpu: number): Promise<WireTensor> {
    return this.tensors.read(gpu);
  }

  disposeTensor(gpu: number): void {
    this.tensors.dispose(gpu);
  }

  /** Runs `work` after the model's earlier runs. An abort frees the caller at once, the GPU when it is done. */
  private async inTurn<T>(
    model: Model,
    feeds: Readonly<Record<string, WireFeed>>,
    signal: AbortSignal,
    what: string,
    work: () => Promise<T>,
    discard: (result: T) => void = () => {},
  ): Promise<T> {
    const mine = this.idle.during(async () => {
      await model.queue;
      throwIfAborted(signal, what);
      return work();
    });
    model.queue = mine
      .then(
        () => true,
        () => false,
      )
      .then((answered) => {
        const { tuning, wasRun } = model;
        model.wasRun ||= answered;
        void model.engine.settle?.().then(() => {
          if (tuning && answered && !wasRun) this.idle.add(tuning.tunable, tuning.budget);
        });
        for (const feed of Object.values(feeds)) if ('bitmap' in feed) feed.bitmap.close();
      });
    return Promise.race([
      mine,
      new Promise<never>((_, reject) => {
        const abort = () => {
          mine.then(discard, () => {});
          reject(abortError(signal, what));
        };
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
    ]);
  }

  private model(id: number): Model {
    const model = this.models.get(id);
    if (!model) throw new LeptonError('DISPOSED', 'This model was disposed of; load it again.');
    return model;
  }

  private async report(
    request: LoadRequest,
    files: ModelFiles,
    engine: Engine,
    timings: LoadReport['timings'],
  ): Promise<LoadReport> {
    const common = {
      origin: files.origin,
      bytes: files.bytes,
      timings,
      memory: engine.memory,
      hostSteps: engine.hostSteps,
    };
    if (request.backend === 'cpu') return { ...common, backend: 'cpu', adapter: undefined };
    const { device } = await this.devices.get(request.powerPreference);
    const { vendor, architecture, description, software } = device.profile;
    return { ...common, backend: 'webgpu', adapter: { vendor, architecture, description, software } };
  }
}

function requireOutput(model: Model, name: string): void {
  if (model.outputs.some((o) => o.name === name)) return;
  const names = model.outputs.map((o) => `"${o.name}"`).join(', ');
  throw new LeptonError('INVALID_ARGUMENT', `The model has no output "${name}"; its outputs are ${names}.`, {
    details: { name },
  });
}
