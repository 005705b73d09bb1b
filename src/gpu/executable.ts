// A Plan made real on one device: buffers, pipelines and bind groups are made once, a run encodes one
// command buffer and submits it once. Nothing here knows graphs or operators.

import type { ByteSource } from '../base/bytes';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { BufferRole, Plan, PlanTensor } from '../plan/plan';
import type { Device } from './device';
import { mapForReading } from './map';
import { compilePipelines } from './pipelines';
import { Replay, type ReplayParts } from './replay';
import { scoped } from './scopes';
import { upload } from './upload';
import { type PackedWeight, type PackedWeights, packedBy, packedFile, Weights, type WeightWork } from './weights';

export interface CreateOptions {
  /** Weights to share with the model's other plans on the device. */
  readonly weights?: Weights;
  /** Buffers of the plan's variables, by name. They stay the caller's. */
  readonly variables?: ReadonlyMap<string, GPUBuffer>;
  /** Of this plan, from an earlier visit. */
  readonly packed?: PackedWeights | undefined;
  readonly signal?: AbortSignal;
  readonly onUpload?: (loaded: number, total: number) => void;
  readonly onCompile?: (done: number, total: number) => void;
}

export class Executable {
  private readonly replay: Replay;

  private constructor(
    readonly device: Device,
    readonly plan: Plan,
    /** Undefined for what only the init phase needed. */
    private readonly buffers: (GPUBuffer | undefined)[],
    private readonly weights: Weights,
    private readonly uniforms: GPUBuffer,
    /** Undefined for what no step needs that is left to do. */
    private readonly pipelines: readonly (GPUComputePipeline | undefined)[],
  ) {
    const external = plan.buffers.flatMap((b, i) => (b.role === 'input' || b.role === 'output' ? [i] : []));
    this.replay = new Replay(this.parts, plan.steps, external);
  }

  /** Allocates, compiles and uploads, all at once. @throws OUT_OF_MEMORY, GPU_ERROR, ABORTED */
  static async create(
    device: Device,
    plan: Plan,
    fileOf: (name: string) => ByteSource,
    options: CreateOptions = {},
  ): Promise<Executable> {
    const { handle } = device;
    throwIfAborted(options.signal, `Preparing "${plan.name}"`);
    const created: GPUBuffer[] = [];
    const weights = options.weights ?? new Weights();
    const { packed } = options;
    const work = weights.take(plan, packed?.places);
    const sourceOf = (name: string) => (packed && name === packedFile ? packed.file : fileOf(name));
    const stop = new AbortController();
    let uploading: Promise<void> | undefined;
    try {
      // Compiling takes longest, so it begins first.
      const compiling = compilePipelines(handle, plan.pipelines, [...work.init, ...plan.steps], options.onCompile);
      compiling.catch(() => {});
      const { buffers, uniforms } = await allocate(handle, plan, work, { created, variables: options.variables });
      uploading = upload(handle, work.uploads, (i) => buffers[i] as GPUBuffer, sourceOf, {
        signal: options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal,
        ...(options.onUpload && { onProgress: options.onUpload }),
      });
      const [pipelines] = await Promise.all([compiling, uploading]);
      throwIfAborted(options.signal, `Preparing "${plan.name}"`);
      const executable = new Executable(device, plan, buffers, weights, uniforms, pipelines);
      if (work.init.length > 0) await executable.initialise(work.init);
      weights.give(plan, work, buffers);
      executable.packed = packedBy(plan, work.init);
      return executable;
    } catch (error) {
      // What is still being uploaded must not meet destroyed buffers.
      stop.abort();
      await uploading?.catch(() => {});
      weights.release(work.shared.values());
      for (const buffer of created) buffer.destroy();
      throw error;
    }
  }

  /** The executable's own buffer of an input, for writing into before `encode`. */
  inputBuffer(input: PlanTensor): GPUBuffer {
    return this.buffers[input.buffer] as GPUBuffer;
  }

  outputBuffer(output: PlanTensor): GPUBuffer {
    return this.buffers[output.buffer] as GPUBuffer;
  }

  /**
   * Encodes the run's steps. `replaced` gives buffers to use instead of the plan's own inputs or outputs.
   * With `timing`, every step is a pass of its own that writes two timestamps.
   */
  encode(encoder: GPUCommandEncoder, replaced: ReadonlyMap<number, GPUBuffer>, timing?: GPUQuerySet): void {
    this.replay.encode(encoder, replaced, timing);
  }

  private disposed = false;
  /** Weights that the init steps made here, as they would lie in a file. */
  packed: readonly PackedWeight[] = [];

  /**
   * Reads that file's bytes [offset, offset + length) back from the GPU; both are multiples of four.
   * @throws DISPOSED: what a destroyed buffer answers is zeros, which nobody must take for weights
   */
  async readPacked(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { handle } = this.device;
    if (this.disposed)
      throw new LeptonError('DISPOSED', `"${this.plan.name}" was disposed of while its weights were read.`);
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = handle.createBuffer({ label: `${this.plan.name}.packed`, size: length, usage });
    try {
      const encoder = handle.createCommandEncoder();
      for (const place of this.packed) {
        const from = Math.max(offset, place.offset);
        const to = Math.min(offset + length, place.offset + place.bytes);
        if (from >= to) continue;
        const buffer = this.buffers[place.buffer] as GPUBuffer;
        encoder.copyBufferToBuffer(buffer, from - place.offset, staging, from - offset, to - from);
      }
      handle.queue.submit([encoder.finish()]);
      return new Uint8Array(await mapForReading(handle, staging)).slice();
    } finally {
      staging.destroy();
    }
  }

  /** Encodes the run's dispatches into a pass that is open. */
  dispatch(pass: GPUComputePassEncoder): void {
    this.replay.dispatch(pass);
  }

  dispose(): void {
    this.disposed = true;
    const weights: GPUBuffer[] = [];
    this.buffers.forEach((buffer, i) => {
      const role = this.plan.buffers[i]?.role;
      if (buffer && role === 'weight') weights.push(buffer);
      else if (role !== 'variable') buffer?.destroy();
    });
    this.weights.release(weights);
    this.uniforms.destroy();
  }

  private async initialise(init: Plan['init']): Promise<void> {
    const { handle } = this.device;
    await scoped(handle, `preparing "${this.plan.name}"`, 0, () => {
      const encoder = handle.createCommandEncoder({ label: `${this.plan.name}.init` });
      new Replay(this.parts, init).encode(encoder, new Map());
      handle.queue.submit([encoder.finish()]);
    });
    this.plan.buffers.forEach((b, i) => {
      // The queue keeps what it still reads alive.
      if (b.role === 'init') this.buffers[i]?.destroy();
    });
  }

  private get parts(): ReplayParts {
    const { device, plan, pipelines, buffers, uniforms } = this;
    return { device: device.handle, specs: plan.pipelines, places: plan.buffers, pipelines, buffers, uniforms };
  }
}

/** Makes all buffers but those that are shared, and those that only filling the shared ones would have needed. */
function allocate(
  handle: GPUDevice,
  plan: Plan,
  { shared, missing }: WeightWork,
  { created, variables }: { created: GPUBuffer[]; variables: CreateOptions['variables'] },
) {
  const given = new Map(plan.variables.map(({ name, buffer }) => [buffer, variables?.get(name)]));
  const make = (size: number, usage: number, label: string) => {
    const buffer = handle.createBuffer({ size, usage, label: `${plan.name}.${label}` });
    created.push(buffer);
    return buffer;
  };
  const isOurs = (role: BufferRole, i: number) =>
    role === 'weight' || role === 'init' ? missing.has(i) : role !== 'variable';
  const total = plan.buffers.reduce((sum, b, i) => sum + (isOurs(b.role, i) && !b.within ? b.bytes : 0), 0);
  return scoped(handle, `"${plan.name}"`, total, () => {
    const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const owned = plan.buffers.map((b, i) => {
      if (b.within) return undefined;
      if (b.role === 'variable') return given.get(i);
      return isOurs(b.role, i) ? make(b.bytes, storage, b.label) : shared.get(i);
    });
    const buffers = plan.buffers.map((b, i) => (b.within ? owned[b.within.buffer] : owned[i]));
    const uniformBytes = Math.max(16, plan.uniforms.byteLength);
    const uniforms = make(uniformBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'uniforms');
    if (plan.uniforms.byteLength > 0) handle.queue.writeBuffer(uniforms, 0, plan.uniforms);
    return { buffers, uniforms };
  });
}
