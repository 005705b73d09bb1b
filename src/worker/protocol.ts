// What page and worker say to each other: types only. Every method answers with a `Reply`, because an
// exception would lose its code on the way; byte arrays and bitmaps cross by transfer.

import type { PowerPreference } from '../base/adapter';
import type { DType } from '../base/dtype';
import type { LeptonErrorCode } from '../base/errors';
import type { ImageOptions } from '../base/image-geometry';
import type { TensorInfo } from '../base/model-info';
import type { ChosenBy, Sparsity } from '../base/tuning';

export interface WireError {
  readonly code: LeptonErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/** Every long call carries a number, by which the page can abort it. */
export type CallId = number;

export interface LoadRequest {
  readonly source: { readonly url: string } | { readonly blob: Blob; readonly name: string };
  /** Files of external data by the name that the model calls them. */
  readonly externalData: Readonly<Record<string, { readonly url: string } | { readonly blob: Blob }>>;
  /** Where the library's compiler is. */
  readonly compilerUrl: string;
  readonly cache: boolean;
  readonly integrity?: string;
  readonly backend: 'auto' | 'webgpu' | 'cpu';
  readonly precision: 'auto' | 'float32' | 'float16';
  readonly allowPrecisionLoss: boolean;
  readonly strict: boolean;
  /** Whether kernels are chosen by measuring: never, in idle time after the first run, or before it. */
  readonly tune: 'off' | 'auto' | 'full';
  readonly powerPreference?: PowerPreference;
}

/** `loaded` and `total` are bytes while downloading and uploading, counts while compiling and tuning. */
export interface Progress {
  readonly stage: 'download' | 'read' | 'tune' | 'compile' | 'upload';
  readonly loaded: number;
  readonly total: number | undefined;
  readonly origin: Origin;
}

/** Where the model's bytes came from. */
export type Origin = 'network' | 'store' | 'memory';

/** A node that runs on the host although the model runs on the GPU. */
export interface HostStep {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

export interface LoadReport {
  readonly backend: 'webgpu' | 'cpu';
  readonly origin: Origin;
  /** Bytes of the model's files. */
  readonly bytes: number;
  /** Milliseconds; the stages overlap, so they add up to more than `total`. */
  readonly timings: Readonly<Record<'download' | 'read' | 'plan' | 'compile' | 'upload' | 'total', number>>;
  readonly adapter:
    | {
        readonly vendor: string;
        readonly architecture: string;
        readonly description: string;
        readonly software: boolean;
      }
    | undefined;
  /**
   * What runs on the host. Where shapes are not known before the first run more may follow: `profile()` lists
   * what a run has really done.
   */
  readonly hostSteps: readonly HostStep[];
  /** Bytes on the GPU; undefined before the shapes are known. */
  readonly memory:
    | { readonly weightBytes: number; readonly slotBytes: number; readonly peakLiveBytes: number }
    | undefined;
}

export interface LoadedModel {
  readonly id: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly report: LoadReport;
}

export interface WireTensor {
  readonly type: DType;
  readonly dims: readonly number[];
  /** Packed little-endian elements. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor that stays on the worker's GPU. */
export interface WireGpuTensor {
  readonly type: DType;
  readonly dims: readonly number[];
  readonly gpu: number;
}

export interface WireImage {
  readonly bitmap: ImageBitmap;
  readonly options: ImageOptions;
}

export type WireFeed = WireTensor | WireGpuTensor | WireImage;

export interface RunRequest {
  readonly model: number;
  readonly feeds: Readonly<Record<string, WireFeed>>;
  /** Names of the outputs wanted; all by default. */
  readonly outputs?: readonly string[];
  /** Outputs that stay on the GPU. */
  readonly onGpu: 'all' | readonly string[];
}

export interface NodeProfile {
  readonly name: string;
  readonly op: string;
  /** Kernel variant with its tunables; 'host' for a host step, 'reference' on the cpu backend. */
  readonly kernel: string;
  /** Milliseconds; undefined where the adapter has no timestamps. */
  readonly gpuTime: number | undefined;
  /** How the variant was chosen: by a cost model, or by measuring it on this adapter. Absent on the host. */
  readonly chosenBy?: ChosenBy;
  /** Of weights that are mostly zeros: how many are, and the dense or sparse kernel that was not chosen. */
  readonly sparsity?: Sparsity;
  /** Milliseconds on the host, and why there: for host steps. Those done while planning took none of the run. */
  readonly hostTime?: number;
  readonly reason?: string;
  /** Float operations that the kernel does, and bytes of what it reads and writes, each counted once. */
  readonly flops: number;
  readonly bytes: number;
  /** `flops` and `bytes` a second of GPU time; absent without timestamps. */
  readonly flopsPerSecond?: number;
  readonly bytesPerSecond?: number;
  /**
   * Of the speed that the adapter's measured arithmetic and copy bandwidth allow, whichever is the narrower, the
   * share that the kernel reaches. Caches can lift it above 1, and so can half precision.
   */
  readonly roofline?: number;
}

export interface Profile {
  readonly nodes: readonly NodeProfile[];
  /** What the adapter was measured to do, in float32; undefined where the GPU was not used. */
  readonly adapter: { readonly flopsPerSecond: number; readonly bytesPerSecond: number } | undefined;
  /** Milliseconds of all nodes together on the GPU; undefined without timestamps. */
  readonly gpuTime: number | undefined;
  /** Milliseconds from feeding to reading back, the mean of at least five runs. */
  readonly wallTime: number;
}

export interface CachedFile {
  readonly url: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
  readonly lastUsedAt: number;
}

export interface CacheUsage {
  readonly bytes: number;
  readonly files: number;
  /** What the browser allows the origin; undefined where it does not say. */
  readonly quota: number | undefined;
}

export interface StartRequest {
  readonly compilerUrl: string;
  readonly powerPreference?: PowerPreference;
}

/** What of the worker has to do with models to run, and with what is kept. */
export interface ModelApi {
  start(request: StartRequest): Promise<Reply<void>>;
  load(call: CallId, request: LoadRequest, onProgress?: (progress: Progress) => void): Promise<Reply<LoadedModel>>;
  run(call: CallId, request: RunRequest): Promise<Reply<Record<string, WireTensor | WireGpuTensor>>>;
  profile(call: CallId, request: RunRequest): Promise<Reply<Profile>>;
  disposeModel(model: number): Promise<Reply<void>>;
  upload(tensor: WireTensor, powerPreference?: PowerPreference): Promise<Reply<WireGpuTensor>>;
  read(gpu: number): Promise<Reply<WireTensor>>;
  disposeTensor(gpu: number): Promise<Reply<void>>;
  abort(call: CallId): Promise<void>;
  cacheList(): Promise<Reply<CachedFile[]>>;
  cacheDelete(url: string): Promise<Reply<boolean>>;
  cacheClear(): Promise<Reply<void>>;
  cacheUsage(): Promise<Reply<CacheUsage>>;
}
