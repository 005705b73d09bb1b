// What planning needs to know of a GPU, as plain data: kernels choose by it, plans are cached by it.

export interface AdapterProfile {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Optional features the device was created with, such as 'shader-f16', 'subgroups', and extensions of its WGSL. */
  readonly features: readonly string[];
  readonly limits: AdapterLimits;
  /** A CPU that pretends to be a GPU: workgroup memory costs as much as storage there. */
  readonly software: boolean;
}

export interface AdapterLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** The limits every WebGPU device has: https://www.w3.org/TR/webgpu/#limits */
export const defaultLimits: AdapterLimits = {
  maxStorageBufferBindingSize: 134_217_728,
  maxBufferSize: 268_435_456,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
};

/** WebGPU's own GPUPowerPreference, which TypeScript knows only with newer libraries than a user may have. */
export type PowerPreference = 'low-power' | 'high-performance';
