// Times the benchmark's cases on Lepton alone, without a browser: for machines that have a GPU and Node, and
// for looking at kernels one by one. A case's time is the wall time of a run; a kernel's comes from timestamps.

import { encode } from '../../../src/base/ndarray';
import type { AdapterRates } from '../../../src/base/tuning';
import type { Device } from '../../../src/gpu/device';
import { Devices } from '../../../src/worker/devices';
import { checkFeeds } from '../../../src/worker/feeds';
import { GpuTensors } from '../../../src/worker/gpu-tensors';
import type { NodeProfile, WireFeed } from '../../../src/worker/protocol';
import { type OpenModel, openOnGpu } from '../../support/engines';
import type { BenchCase } from '../cases';
import { median } from '../statistics';

export interface KernelResult {
  readonly name: string;
  readonly group: BenchCase['group'];
  /** Milliseconds: median and fastest of the rounds. */
  readonly median: number;
  readonly fastest: number;
  /** Milliseconds until the first answer, compiling included. */
  readonly first: number;
  /** Of the kernel that takes longest. */
  readonly kernel: string;
  readonly gpuTime: number | undefined;
  readonly gflops: number | undefined;
  readonly gbytes: number | undefined;
  /** Share of what the roofline allows: the larger of the two times that the peaks ask for, over the GPU's time. */
  readonly roofline: number | undefined;
}

export async function measureCase(gpu: GPU, c: BenchCase, peaks: AdapterRates, rounds: number): Promise<KernelResult> {
  const [devices, tensors] = [new Devices(gpu), new GpuTensors()];
  const bytes = await c.model();
  const start = performance.now();
  const model = await openOnGpu(gpu, bytes, { devices, tensors });
  try {
    const { device } = await devices.get();
    const feeds = await placeFeeds(c, model, device, tensors);
    const outputs = c.resident ? ['probe'] : model.graph.outputs;
    const signal = new AbortController().signal;
    const run = () => model.engine.run(feeds, { outputs, onGpu: () => false, signal });
    await run();
    const first = performance.now() - start;
    await model.engine.settle();
    await run();
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      await run();
      times.push(performance.now() - begun);
    }
    const profile = await model.engine.profile(feeds, signal);
    return {
      name: c.name,
      group: c.group,
      median: median(times),
      fastest: Math.min(...times),
      first,
      ...rates(c, slowest(profile.nodes), profile.gpuTime, median(times), peaks),
    };
  } finally {
    await model.dispose();
  }
}

async function placeFeeds(c: BenchCase, model: OpenModel, device: Device, tensors: GpuTensors) {
  const feeds: Record<string, WireFeed> = {};
  for (const [name, array] of Object.entries(c.feeds())) {
    const tensor = { type: array.dtype, dims: array.dims, bytes: encode(array) };
    feeds[name] = c.resident ? await tensors.upload(device, tensor) : tensor;
  }
  const infos = model.graph.inputs.map((name) => {
    const { dtype, dims } = model.graph.values.get(name) ?? { dtype: 'float32' as const };
    return { name, type: dtype, shape: dims ?? [] };
  });
  return checkFeeds(infos, feeds);
}

function rates(
  c: BenchCase,
  node: NodeProfile | undefined,
  gpuTime: number | undefined,
  wall: number,
  peaks: AdapterRates,
) {
  const seconds = (gpuTime ?? wall) / 1000;
  const bound = Math.max((c.flops ?? 0) / peaks.flops, (c.bytes ?? 0) / peaks.bandwidth);
  return {
    kernel: node?.kernel ?? '',
    gpuTime,
    gflops: c.flops === undefined ? undefined : c.flops / seconds / 1e9,
    gbytes: c.bytes === undefined ? undefined : c.bytes / seconds / 1e9,
    roofline: bound > 0 ? bound / seconds : undefined,
  };
}

function slowest(nodes: readonly NodeProfile[]): NodeProfile | undefined {
  return [...nodes].sort((a, b) => (b.gpuTime ?? 0) - (a.gpuTime ?? 0))[0];
}
