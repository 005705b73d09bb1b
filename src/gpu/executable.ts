// A Plan made real on one device: buffers, pipelines and bind groups are made once, a run encodes one
// command buffer and submits it once. Nothing here knows graphs or operators.

import type { ByteSource } from '../base/bytes';
import { throwIfAborted } from '../base/errors';
import type { BufferRole, Plan, PlanStep, PlanTensor } from '../plan/plan';
import type { Device } from './device';
import { compilePipelines } from './pipelines';
import { scoped } from './scopes';
import { upload } from './upload';
import { Weights, type WeightWork } from './weights';

export interface CreateOptions {
  /** Weights to share with the model's other plans on the device. */
  readonly weights?: Weights;
  readonly signal?: AbortSignal;
  readonly onUpload?: (loaded: number, total: number) => void;
  readonly onCompile?: (done: number, total: number) => void;
}

type Bindings = Map<string, GPUBindGroup>;
/** Bind groups for buffers that callers brought; more than this many and the oldest goes. */
const rememberedBindings = 8;

export class Executable {
  private readonly bindGroups: (GPUBindGroup | Bindings | undefined)[] = [];
  private readonly external = new Set<number>();
  private readonly ids = new WeakMap<GPUBuffer, number>();
  private nextId = 0;

  private constructor(
    readonly device: Device,
    readonly plan: Plan,
    /** Undefined for what only the init phase needed. */
    private readonly buffers: (GPUBuffer | undefined)[],
    private readonly weights: Weights,
    private readonly uniforms: GPUBuffer,
    private readonly pipelines: readonly GPUComputePipeline[],
  ) {
    plan.buffers.forEach((b, i) => {
      if (b.role === 'input' || b.role === 'output') this.external.add(i);
    });
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
    const work = weights.take(plan);
    const stop = new AbortController();
    let uploading: Promise<void> | undefined;
    try {
      const { buffers, uniforms } = await allocate(handle, plan, work, created);
      uploading = upload(handle, work.uploads, (i) => buffers[i] as GPUBuffer, fileOf, {
        signal: options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal,
        ...(options.onUpload && { onProgress: options.onUpload }),
      });
      const [pipelines] = await Promise.all([compilePipelines(handle, plan, options.onCompile), uploading]);
      throwIfAborted(options.signal, `Preparing "${plan.name}"`);
      const executable = new Executable(device, plan, buffers, weights, uniforms, pipelines);
      await executable.initialise(work.init);
      weights.give(plan, work, buffers);
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
    this.encodeSteps(encoder, this.plan.steps, 0, replaced, timing);
  }

  dispose(): void {
    const { buffers } = this.plan;
    const [weights, others] = [true, false].map((isWeight) =>
      this.buffers.flatMap((buffer, i) => (buffer && (buffers[i]?.role === 'weight') === isWeight ? [buffer] : [])),
    );
    for (const buffer of others ?? []) buffer.destroy();
    this.weights.release(weights ?? []);
    this.uniforms.destroy();
  }

  private async initialise(init: Plan['init']): Promise<void> {
    const { handle } = this.device;
    await scoped(handle, `preparing "${this.plan.name}"`, 0, () => {
      const encoder = handle.createCommandEncoder({ label: `${this.plan.name}.init` });
      this.encodeSteps(encoder, init, this.plan.steps.length, new Map());
      handle.queue.submit([encoder.finish()]);
    });
    this.plan.buffers.forEach((b, i) => {
      // The queue keeps what it still reads alive.
      if (b.role === 'init') this.buffers[i]?.destroy();
    });
  }

  private encodeSteps(
    encoder: GPUCommandEncoder,
    steps: readonly PlanStep[],
    firstBindGroup: number,
    replaced: ReadonlyMap<number, GPUBuffer>,
    timing?: GPUQuerySet,
  ): void {
    let pass: GPUComputePassEncoder | undefined;
    steps.forEach((step, i) => {
      if (step.kind === 'copy') {
        pass?.end();
        pass = undefined;
        encoder.copyBufferToBuffer(this.pick(step.from, replaced), 0, this.pick(step.to, replaced), 0, step.bytes);
        return;
      }
      if (timing) {
        pass?.end();
        pass = encoder.beginComputePass({
          timestampWrites: { querySet: timing, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
        });
      }
      pass ??= encoder.beginComputePass();
      pass.setPipeline(this.pipelines[step.pipeline] as GPUComputePipeline);
      pass.setBindGroup(0, this.bindGroup(step, firstBindGroup + i, replaced));
      pass.dispatchWorkgroups(...step.workgroups);
    });
    pass?.end();
  }

  private pick(index: number, replaced: ReadonlyMap<number, GPUBuffer>): GPUBuffer {
    return replaced.get(index) ?? (this.buffers[index] as GPUBuffer);
  }

  private bindGroup(
    step: PlanStep & { kind: 'dispatch' },
    index: number,
    replaced: ReadonlyMap<number, GPUBuffer>,
  ): GPUBindGroup {
    const known = this.bindGroups[index];
    if (known && !(known instanceof Map)) return known;
    const outside = step.buffers.filter((b) => this.external.has(b));
    if (outside.length === 0) {
      const group = this.makeBindGroup(step, replaced);
      this.bindGroups[index] = group;
      return group;
    }
    const variants: Bindings = known ?? new Map();
    this.bindGroups[index] = variants;
    const key = outside.map((b) => this.idOf(this.pick(b, replaced))).join(' ');
    let group = variants.get(key);
    if (!group) {
      if (variants.size >= rememberedBindings) variants.delete(variants.keys().next().value as string);
      group = this.makeBindGroup(step, replaced);
      variants.set(key, group);
    }
    return group;
  }

  private makeBindGroup(step: PlanStep & { kind: 'dispatch' }, replaced: ReadonlyMap<number, GPUBuffer>): GPUBindGroup {
    const pipeline = this.plan.pipelines[step.pipeline] as Plan['pipelines'][number];
    let next = 0;
    const entries = pipeline.bindings.map(({ binding, access }): GPUBindGroupEntry => {
      if (access === 'uniform') {
        return {
          binding,
          resource: { buffer: this.uniforms, offset: step.uniform?.offset ?? 0, size: step.uniform?.bytes ?? 16 },
        };
      }
      return { binding, resource: { buffer: this.pick(step.buffers[next++] as number, replaced) } };
    });
    const layout = (this.pipelines[step.pipeline] as GPUComputePipeline).getBindGroupLayout(0);
    return this.device.handle.createBindGroup({ label: `${pipeline.label}.bindings`, layout, entries });
  }

  private idOf(buffer: GPUBuffer): number {
    let id = this.ids.get(buffer);
    if (id === undefined) {
      id = this.nextId++;
      this.ids.set(buffer, id);
    }
    return id;
  }
}

/** Makes all buffers but those that are shared, and those that only filling the shared ones would have needed. */
function allocate(handle: GPUDevice, plan: Plan, { shared, missing }: WeightWork, created: GPUBuffer[]) {
  const make = (size: number, usage: number, label: string) => {
    const buffer = handle.createBuffer({ size, usage, label: `${plan.name}.${label}` });
    created.push(buffer);
    return buffer;
  };
  const isOurs = (role: BufferRole, i: number) => (role === 'weight' || role === 'init' ? missing.has(i) : true);
  const total = plan.buffers.reduce((sum, b, i) => sum + (isOurs(b.role, i) ? b.bytes : 0), 0);
  return scoped(handle, `"${plan.name}"`, total, () => {
    const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffers = plan.buffers.map((b, i) => (isOurs(b.role, i) ? make(b.bytes, storage, b.label) : shared.get(i)));
    const uniformBytes = Math.max(16, plan.uniforms.byteLength);
    const uniforms = make(uniformBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'uniforms');
    if (plan.uniforms.byteLength > 0) handle.queue.writeBuffer(uniforms, 0, plan.uniforms);
    return { buffers, uniforms };
  });
}
