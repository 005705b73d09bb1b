// Runs models and graphs that are in memory, for who compares them: on a GPU, or without one on the operators' references.

import type { PowerPreference } from '../base/adapter';
import type { ByteSource } from '../base/bytes';
import { memorySource } from '../base/memory-source';
import { decode, encode, type NDArray } from '../base/ndarray';
import type { OpenedRun, Runner } from '../compress/calibrate';
import type { Graph } from '../ir/graph';
import { blueprintOf } from './blueprint';
import type { Compiler } from './compiler';
import type { Devices } from './devices';
import { checkFeeds } from './feeds';
import { GpuEngine } from './gpu-engine';
import { GpuTensors } from './gpu-tensors';
import type { Engine } from './model';
import type { WireTensor } from './protocol';

export interface RunModelsOptions {
  readonly compiler: Compiler;
  /** Absent: on the host. */
  readonly devices?: Devices;
  readonly powerPreference?: PowerPreference;
  readonly signal: AbortSignal;
}

/** @throws NO_WEBGPU, NO_ADAPTER */
export async function runModels({ compiler, devices, powerPreference, signal }: RunModelsOptions): Promise<Runner> {
  const openGraph = async (graph: Graph, files: (name: string) => ByteSource): Promise<OpenedRun> => {
    const tensors = new GpuTensors();
    const blueprint = blueprintOf({ compiler, graph }, []);
    const engine: Engine = devices
      ? new GpuEngine({
          ...{ blueprint, files, devices, tensors },
          ...{ precision: 'auto', allowPrecisionLoss: false, strict: false, tune: 'off', quick: false },
          ...(powerPreference && { powerPreference }),
        })
      : compiler.cpuEngine(graph, files, tensors);
    return {
      async run(feeds) {
        const wires = Object.entries(feeds).map(([name, array]) => [name, wireOf(array)] as const);
        const checked = checkFeeds(blueprint.inputs, Object.fromEntries(wires));
        const results = await engine.run(checked, { outputs: graph.outputs, onGpu: () => false, signal });
        const arrays = [...results].map(([name, result]) => {
          const { type, dims, bytes } = result as WireTensor;
          return [name, decode(type, dims, bytes)] as const;
        });
        return Object.fromEntries(arrays);
      },
      close: async () => engine.dispose(),
    };
  };
  return {
    device: devices ? await nameOf(devices, powerPreference) : 'CPU reference',
    openGraph,
    async open(model) {
      const source = memorySource(model);
      const { graph } = await compiler.read(source, signal);
      return openGraph(await compiler.lookAtConstants(graph, () => source, signal), () => source);
    },
  };
}

async function nameOf(devices: Devices, powerPreference: PowerPreference | undefined): Promise<string> {
  const { device } = await devices.get(powerPreference);
  const { vendor, architecture, description } = device.profile;
  return description || [vendor, architecture].filter(Boolean).join(' ') || 'WebGPU';
}

function wireOf(array: NDArray): WireTensor {
  return { type: array.dtype, dims: array.dims, bytes: encode(array) };
}
