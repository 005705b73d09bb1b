// Runs a model's bytes without a worker, in Node or in a page: on a GPU, or on the cpu backend.

import { decode, encode, type NDArray } from '../../src/base/ndarray';
import type { Graph } from '../../src/ir/graph';
import { blueprintOf } from '../../src/worker/blueprint';
import { compiler } from '../../src/worker/compiler';
import { Devices } from '../../src/worker/devices';
import { checkFeeds } from '../../src/worker/feeds';
import { GpuEngine, type GpuEngineOptions } from '../../src/worker/gpu-engine';
import { GpuTensors } from '../../src/worker/gpu-tensors';
import type { Engine } from '../../src/worker/model';
import type { Profile, WireTensor } from '../../src/worker/protocol';
import { MemorySource } from './memory-source';

type Arrays = Readonly<Record<string, NDArray>>;

export class OpenModel<E extends Engine = Engine> {
  constructor(
    readonly graph: Graph,
    readonly engine: E,
    /** The model's bytes; counts what is read of them. */
    readonly source: MemorySource,
    private readonly close: () => Promise<void>,
  ) {}

  /** @returns the model's outputs by name */
  async run(inputs: Arrays, signal = new AbortController().signal): Promise<Record<string, NDArray>> {
    const { outputs } = this.graph;
    const results = await this.engine.run(this.feeds(inputs), { outputs, onGpu: () => false, signal });
    return Object.fromEntries(
      outputs.map((name) => {
        const { type, dims, bytes } = results.get(name) as WireTensor;
        return [name, decode(type, dims, bytes)];
      }),
    );
  }

  profile(inputs: Arrays): Promise<Profile> {
    return this.engine.profile(this.feeds(inputs), new AbortController().signal);
  }

  async dispose(): Promise<void> {
    this.engine.dispose();
    await this.close();
  }

  private feeds(inputs: Arrays): ReturnType<typeof checkFeeds> {
    const infos = this.graph.inputs.map((name) => {
      const { dtype, dims } = this.graph.values.get(name) ?? { dtype: 'float32' as const };
      return { name, type: dtype, shape: dims ?? [] };
    });
    const feeds = Object.entries(inputs).map(([name, array]): [string, WireTensor] => {
      return [name, { type: array.dtype, dims: array.dims, bytes: encode(array) }];
    });
    return checkFeeds(infos, Object.fromEntries(feeds));
  }
}

export async function openOnGpu(
  gpu: GPU,
  model: Uint8Array<ArrayBuffer>,
  options: Partial<GpuEngineOptions> = {},
): Promise<OpenModel<GpuEngine>> {
  const { graph, source } = await read(model);
  const devices = new Devices(gpu);
  const engine = new GpuEngine({
    blueprint: blueprintOf({ compiler, graph }, []),
    files: () => source,
    devices,
    tensors: new GpuTensors(),
    precision: 'auto',
    allowPrecisionLoss: false,
    strict: false,
    tune: 'off',
    quick: false,
    ...options,
  });
  return new OpenModel(graph, engine, source, async () => (await devices.get()).device.handle.destroy());
}

export async function openOnHost(model: Uint8Array<ArrayBuffer>): Promise<OpenModel> {
  const { graph, source } = await read(model);
  return new OpenModel(
    graph,
    compiler.cpuEngine(graph, () => source, new GpuTensors()),
    source,
    async () => {},
  );
}

async function read(model: Uint8Array<ArrayBuffer>) {
  const source = new MemorySource(model);
  const { signal } = new AbortController();
  const { graph } = await compiler.read(source, signal);
  return { graph: await compiler.lookAtConstants(graph, () => source, signal), source };
}
