// WebGPU in Node, from the `webgpu` package (Dawn), for tests of code that only needs a GPUDevice. It runs
// on SwiftShader, found beside an installed Chromium, else on Mesa's llvmpipe; LEPTON_ADAPTER=hardware
// leaves the choice to the machine. Where there is no driver a suite is skipped, or fails where CI is set.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { findBrowser } from './find-browser';

export interface Dawn {
  /** What `navigator.gpu` is in a page. */
  readonly gpu: GPU;
  /** A device with all features and limits of the adapter, destroyed after the suite. */
  device(): Promise<GPUDevice>;
}

/** @param loading the package; commands, which Vite has stopped serving when they begin, bring it along */
export async function openDawn(loading = import('webgpu')): Promise<Dawn & { close(): void }> {
  const driver = process.env.LEPTON_ADAPTER === 'hardware' ? undefined : findDriver();
  if (driver) process.env.VK_ICD_FILENAMES = driver;
  const { create, globals } = await loading;
  Object.assign(globalThis, globals);
  const lookAsBefore = lookEveryMillisecond();
  const gpu = create(['backend=vulkan']);
  const devices: GPUDevice[] = [];
  return {
    gpu,
    async device() {
      const adapter = await gpu.requestAdapter();
      if (!adapter) throw new Error(`Dawn found no adapter${driver ? ` with the driver ${driver}` : ''}.`);
      const requiredFeatures = [...adapter.features] as GPUFeatureName[];
      const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: limitsOf(adapter) });
      devices.push(device);
      return device;
    },
    close() {
      for (const device of devices) device.destroy();
      lookAsBefore();
    },
  };
}

/**
 * Dawn asks Node's `setImmediate` for each next look at what is pending: waiting would keep a core busy that the driver needs
 * to compile on, and other tests. Returns what undoes it.
 */
function lookEveryMillisecond(): () => void {
  const { setImmediate } = globalThis;
  globalThis.setImmediate = ((look: () => void) => setTimeout(look, 1)) as unknown as typeof setImmediate;
  return () => {
    globalThis.setImmediate = setImmediate;
  };
}

function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') limits[name] = value;
  }
  return limits;
}

/** Declares a suite that runs in Node on Dawn. The handle given is open from the first hook or test on. */
export function describeDawn(name: string, suite: (dawn: Dawn) => void): void {
  if (process.env.LEPTON_ADAPTER !== 'hardware' && !findDriver() && !process.env.CI) {
    describe.skip(`${name} [no software Vulkan driver: install chromium or mesa-vulkan-drivers]`, () => suite(closed));
    return;
  }
  describe(name, () => {
    let opened: Awaited<ReturnType<typeof openDawn>> | undefined;
    beforeAll(async () => {
      opened = await openDawn();
    });
    afterAll(() => opened?.close());
    suite({
      get gpu() {
        return (opened ?? closed).gpu;
      },
      device: () => (opened ?? closed).device(),
    });
  });
}

const closed: Dawn = {
  get gpu(): GPU {
    throw new Error('Dawn is open within hooks and tests only.');
  },
  device: () => Promise.reject(new Error('Dawn is open within hooks and tests only.')),
};

/** The description file of a software Vulkan driver. */
export function findDriver(): string | undefined {
  const chromium = findBrowser('chromium');
  const folders = ['/usr/lib/chromium', '/opt/google/chrome', ...(chromium ? [dirname(realpathSync(chromium))] : [])];
  const swiftshader = folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((file) => existsSync(file));
  if (swiftshader) return swiftshader;
  const system = '/usr/share/vulkan/icd.d';
  const lavapipe = existsSync(system) && readdirSync(system).find((file) => file.startsWith('lvp_icd'));
  return lavapipe ? join(system, lavapipe) : undefined;
}
