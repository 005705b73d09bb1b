// Opens a GPU: adapter → device with every limit and optional feature that Lepton can use, and the plain
// AdapterProfile that planning reads. Works in a worker, on a page, and in Node with Dawn.

import type { AdapterLimits, AdapterProfile } from '../base/adapter';
import { defaultLimits } from '../base/adapter';
import { LeptonError } from '../base/errors';

export interface Device {
  readonly handle: GPUDevice;
  readonly profile: AdapterProfile;
  /** Why the device is gone; undefined while it works. */
  lost: GPUDeviceLostInfo | undefined;
  /** The first error nobody was waiting for; cleared when it is reported. */
  uncaptured: string | undefined;
}

const usefulFeatures: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
/** Extensions of WGSL that need no asking for: https://www.w3.org/TR/WGSL/#language-extensions-sec */
const usefulExtensions = ['packed_4x8_integer_dot_product'];

const withoutGpu =
  ', or load the model with { backend: "cpu" } (correct, but slow), if it is to run: training needs a GPU.';

/**
 * @throws NO_WEBGPU where the browser has none, NO_ADAPTER where it offers none
 */
export async function openDevice(gpu: GPU | undefined, powerPreference?: GPUPowerPreference): Promise<Device> {
  if (!gpu) {
    throw new LeptonError(
      'NO_WEBGPU',
      'This browser has no WebGPU, or the page is not served over https or from localhost. ' +
        `Use a current Chrome, Edge, Safari or Firefox${withoutGpu}`,
    );
  }
  // A new adapter each time: one that has given a device may not give another after it is lost.
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : undefined);
  if (!adapter) {
    throw new LeptonError(
      'NO_ADAPTER',
      'WebGPU is present, but offers no adapter: the GPU may be blocked, or its driver too old. ' +
        `Check about:gpu or chrome://gpu${withoutGpu}`,
    );
  }
  const limits = wantedLimits(adapter);
  const features = usefulFeatures.filter((f) => adapter.features.has(f));
  const extensions = usefulExtensions.filter((e) => gpu.wgslLanguageFeatures?.has(e));
  const handle = await adapter.requestDevice({
    label: 'Lepton.device',
    requiredFeatures: features,
    requiredLimits: limits as unknown as Record<string, number>,
  });
  const device: Device = {
    handle,
    profile: profileOf(adapter.info, [...features, ...extensions], limits),
    lost: undefined,
    uncaptured: undefined,
  };
  void handle.lost.then((info) => {
    device.lost = info;
  });
  handle.onuncapturederror = (event) => {
    device.uncaptured ??= event.error.message;
  };
  return device;
}

function wantedLimits(adapter: GPUAdapter): AdapterLimits {
  const limits = { ...defaultLimits } as Record<keyof AdapterLimits, number>;
  for (const name of Object.keys(limits) as (keyof AdapterLimits)[]) limits[name] = adapter.limits[name];
  return limits;
}

function profileOf(info: GPUAdapterInfo, features: readonly string[], limits: AdapterLimits): AdapterProfile {
  const { vendor, architecture, description } = info;
  return {
    vendor,
    architecture,
    description,
    features,
    limits,
    // wgpu names no architecture, but describes llvmpipe; Dawn reports SwiftShader as an architecture.
    software: /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(
      `${architecture} ${description} ${info.device}`,
    ),
  };
}
