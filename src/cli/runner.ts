// What runs models in Node: WebGPU where the optional package `webgpu` (Dawn) finds an adapter, else the operators'
// references on the CPU, which are exact and slow.

import { LeptonError } from '../base/errors';
import type { Runner } from '../compress/calibrate';
import { compiler } from '../worker/compiler';
import { Devices } from '../worker/devices';
import { runModels } from '../worker/run-models';

export const engines = ['auto', 'webgpu', 'cpu'] as const;
export type EngineName = (typeof engines)[number];

export interface NodeRunner extends Runner {
  /** Lets go of the GPU, without which a process does not end. */
  close(): Promise<void>;
}

/** @throws NO_WEBGPU, NO_ADAPTER where 'webgpu' was asked for and is not there */
export async function openRunner(name: EngineName): Promise<NodeRunner> {
  const { signal } = new AbortController();
  const gpu = name === 'cpu' ? undefined : await findGpu(name === 'webgpu');
  if (!gpu) return { ...(await runModels({ compiler, signal })), close: async () => {} };
  const devices = new Devices(gpu);
  return {
    ...(await runModels({ compiler, devices, signal })),
    close: async () => (await devices.get()).device.handle.destroy(),
  };
}

async function findGpu(isWanted: boolean): Promise<GPU | undefined> {
  try {
    // Not bundled, and not among the dependencies: who has it, has a GPU in mind.
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    const gpu = create([]) as GPU;
    if (await gpu.requestAdapter()) return gpu;
  } catch (cause) {
    if (!isWanted) return undefined;
    throw new LeptonError('NO_WEBGPU', 'Node has no WebGPU: npm install webgpu, or pass --engine cpu.', { cause });
  }
  if (!isWanted) return undefined;
  throw new LeptonError('NO_ADAPTER', 'The package webgpu finds no adapter: pass --engine cpu.');
}
