// Runs a model on the GPU: a plan and its executable for every combination of input shapes, made on first
// use. A lost device is replaced, its plans are rebuilt from the model's files, and the run is tried again.

import type { ByteSource } from '../base/bytes';
import { toDevice } from '../base/device-form';
import type { DType } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { Device } from '../gpu/device';
import { Executable } from '../gpu/executable';
import { type Feed, Runner } from '../gpu/runner';
import type { Graph } from '../ir/graph';
import type { Plan, PlanTensor } from '../plan/plan';
import type { Compiler } from './compiler';
import type { Devices, SharedDevice } from './devices';
import type { CheckedFeed, CheckedFeeds } from './feeds';
import type { GpuTensor, GpuTensors } from './gpu-tensors';
import type { Engine, RunOptions, RunResult } from './model';
import type { LoadReport, LoadRequest, Profile, WireTensor } from './protocol';

export interface GpuEngineOptions {
  readonly graph: Graph;
  readonly compiler: Compiler;
  readonly files: (name: string) => ByteSource;
  readonly devices: Devices;
  readonly tensors: GpuTensors;
  readonly precision: LoadRequest['precision'];
  readonly powerPreference?: GPUPowerPreference;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  readonly onUpload?: (loaded: number, total: number) => void;
  readonly onCompile?: (done: number, total: number) => void;
  readonly onPlanned?: (plan: Plan) => void;
}

interface Prepared {
  readonly shared: SharedDevice;
  readonly runner: Runner;
}

/** Shapes whose executables are kept; the least recently used goes first. */
const keptShapes = 4;
const profileRuns = 5;

export class GpuEngine implements Engine {
  private readonly prepared = new Map<string, Prepared>();
  private readonly border: ReadonlyMap<string, DType>;
  memory: LoadReport['memory'];

  constructor(private readonly options: GpuEngineOptions) {
    this.border = new Map([...options.graph.values.values()].map((v) => [v.name, v.dtype]));
  }

  /** Plans, compiles and uploads for one set of input shapes, or finds that done. */
  async prepare(sizes: ReadonlyMap<string, number>, options: PrepareOptions): Promise<void> {
    await this.withDevice(sizes, options, async () => {});
  }

  private async preparedFor(sizes: ReadonlyMap<string, number>, options: PrepareOptions): Promise<Prepared> {
    const { graph, compiler, devices, precision, powerPreference } = this.options;
    const shared = await devices.get(powerPreference);
    const key = [...sizes].map(([name, size]) => `${name}=${size}`).join(' ');
    const known = this.prepared.get(key);
    this.prepared.delete(key);
    if (known && !known.shared.device.lost) {
      this.prepared.set(key, known);
      return known;
    }
    known?.runner.dispose();
    const { device } = shared;
    if (precision === 'float16' && !device.profile.features.includes('shader-f16')) {
      throw new LeptonError(
        'UNSUPPORTED_OPERATION',
        'This GPU has no shader-f16, which { precision: "float16" } needs. Use "auto".',
      );
    }
    throwIfAborted(options.signal, 'Loading the model');
    const plan = compiler.plan(graph, { adapter: device.profile, sizes, precision, border: this.border });
    options.onPlanned?.(plan);
    while (this.prepared.size >= keptShapes) this.dropOldest();
    const executable = await this.create(device, plan, options);
    const prepared = { shared, runner: new Runner(executable) };
    this.memory = plan.memory;
    this.prepared.set(key, prepared);
    return prepared;
  }

  /** Every shape holds its own copy of the weights: where memory is short, the idle ones go. */
  private async create(device: Device, plan: Plan, options: PrepareOptions): Promise<Executable> {
    try {
      return await Executable.create(device, plan, this.options.files, options);
    } catch (error) {
      const short = error instanceof LeptonError && error.code === 'OUT_OF_MEMORY';
      if (!short || this.prepared.size === 0) throw error;
      while (this.prepared.size > 0) this.dropOldest();
      return Executable.create(device, plan, this.options.files, options);
    }
  }

  private dropOldest(): void {
    const [oldest, { runner }] = this.prepared.entries().next().value as [string, Prepared];
    this.prepared.delete(oldest);
    runner.dispose();
  }

  run(feeds: CheckedFeeds, options: RunOptions): Promise<RunResult> {
    return this.withDevice(feeds.sizes, options, async ({ shared, runner }) => {
      const fetches = options.outputs.map((name) => ({
        name,
        location: options.onGpu(name) ? ('gpu' as const) : ('cpu' as const),
      }));
      const results = await runner.run(this.feedsOf(feeds, shared, runner), fetches);
      const { outputs } = runner.executable.plan;
      return new Map([...results].map(([name, result]) => [name, toResult(result, outputs, name, shared.device)]));
    });
  }

  profile(feeds: CheckedFeeds, signal: AbortSignal): Promise<Profile> {
    return this.withDevice(feeds.sizes, { signal }, async ({ shared, runner }) => {
      const { plan } = runner.executable;
      const fetches = plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const }));
      const walls: number[] = [];
      const runs: number[][] = [];
      for (let i = 0; i < profileRuns; i++) {
        throwIfAborted(signal, 'Profiling');
        const start = performance.now();
        await runner.run(this.feedsOf(feeds, shared, runner), fetches);
        walls.push(performance.now() - start);
        const steps = await runner.time();
        if (steps) runs.push(steps);
      }
      const times = runs.length > 0 ? nodeTimes(plan, runs) : undefined;
      return {
        nodes: plan.nodes.map((node, i) => ({ ...node, gpuTime: times?.[i] })),
        gpuTime: times?.reduce((a, b) => a + b, 0),
        wallTime: median(walls),
      };
    });
  }

  dispose(): void {
    for (const { runner } of this.prepared.values()) runner.dispose();
    this.prepared.clear();
  }

  private async withDevice<T>(
    sizes: ReadonlyMap<string, number>,
    options: PrepareOptions,
    work: (prepared: Prepared) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const { device } = await this.options.devices.get(this.options.powerPreference);
      try {
        return await work(await this.preparedFor(sizes, options));
      } catch (error) {
        if (!(await wasLost(device))) throw error;
        if (attempt === 0) continue;
        const why = device.lost?.message || 'no reason given';
        throw new LeptonError('DEVICE_LOST', `The GPU device was lost twice in a row: ${why}.`, { cause: error });
      }
    }
  }

  private feedsOf(feeds: CheckedFeeds, shared: SharedDevice, runner: Runner): Map<string, Feed> {
    const { inputs } = runner.executable.plan;
    return new Map(
      inputs.map((input) => [input.name, this.feedOf(input, feeds.feeds.get(input.name) as CheckedFeed, shared)]),
    );
  }

  private feedOf(input: PlanTensor, { feed, dims }: CheckedFeed, { device, images }: SharedDevice): Feed {
    if ('bytes' in feed) return { kind: 'bytes', bytes: toDevice(feed.type, input.device, feed.bytes, input.name) };
    if ('gpu' in feed) {
      const { buffer, device: owner, tensor } = this.options.tensors.get(feed.gpu);
      if (owner !== device || tensor.device !== input.device) {
        const why =
          owner === device
            ? `holds ${tensor.device} elements, but the model computes in ${input.device}`
            : 'lives on another GPU device';
        throw new LeptonError(
          'INVALID_INPUT',
          `The GPU tensor fed as "${input.name}" ${why}. Read it and feed the result.`,
        );
      }
      return { kind: 'buffer', buffer };
    }
    const { bitmap, options } = feed;
    const size: [number, number] =
      options.layout === 'NCHW' ? [dims[2] as number, dims[3] as number] : [dims[1] as number, dims[2] as number];
    const dtype = input.device === 'float16' ? 'float16' : 'float32';
    return {
      kind: 'write',
      write: (encoder, target) => images.encode(encoder, { ...options, bitmap, size }, target, dtype),
    };
  }
}

function toResult(
  result: Uint8Array<ArrayBuffer> | GPUBuffer,
  outputs: readonly PlanTensor[],
  name: string,
  device: Device,
): WireTensor | GpuTensor {
  const tensor = outputs.find((o) => o.name === name) as PlanTensor;
  return result instanceof Uint8Array
    ? { type: tensor.dtype, dims: tensor.dims, bytes: result }
    : { device, buffer: result, tensor };
}

/** A loss is reported some time after the calls that fail because of it. */
async function wasLost(device: Device): Promise<boolean> {
  if (!device.lost) await Promise.race([device.handle.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
  return device.lost !== undefined;
}

function nodeTimes(plan: Plan, runs: readonly number[][]): number[] {
  const times = new Array<number>(plan.nodes.length).fill(0);
  plan.steps.forEach((step, i) => {
    times[step.node] = (times[step.node] as number) + median(runs.map((run) => run[i] as number));
  });
  return times;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
