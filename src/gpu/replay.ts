// The steps of a plan with everything looked up, so that running them again is three calls a dispatch and
// nothing allocated: pipelines and bind groups stand in lists, and only what a caller's buffer touches is
// bound anew, where the buffer is not the one of the run before.

import type { PlanBuffer, PlanPipeline, PlanStep } from '../plan/plan';

/** What the steps refer to by index. */
export interface ReplayParts {
  readonly device: GPUDevice;
  readonly specs: readonly PlanPipeline[];
  /** Undefined for those that no step has. */
  readonly pipelines: readonly (GPUComputePipeline | undefined)[];
  readonly buffers: readonly (GPUBuffer | undefined)[];
  /** Which of the buffers are stretches of others. */
  readonly places: readonly PlanBuffer[];
  readonly uniforms: GPUBuffer;
}

type DispatchStep = PlanStep & { kind: 'dispatch' };

/** Where a caller may bring a buffer of its own, and which steps that concerns. */
interface Opening {
  readonly buffer: number;
  readonly steps: readonly number[];
  bound: GPUBuffer;
}

/** Bind groups for buffers that callers brought; more than this many for a step and the oldest goes. */
const rememberedBindings = 8;

export class Replay {
  private readonly groups: (GPUBindGroup | undefined)[];
  private readonly openings: readonly Opening[];
  /** By step: the groups made for combinations of outside buffers. */
  private readonly variants = new Map<number, Map<string, GPUBindGroup>>();
  private readonly ids = new WeakMap<GPUBuffer, number>();
  private nextId = 0;

  /** @param external indexes of buffers that `encode` may be told to replace */
  constructor(
    private readonly parts: ReplayParts,
    private readonly steps: readonly PlanStep[],
    external: readonly number[] = [],
  ) {
    this.openings = external.map((buffer) => ({
      buffer,
      steps: steps.flatMap((step, i) => (step.kind === 'dispatch' && step.buffers.includes(buffer) ? [i] : [])),
      bound: parts.buffers[buffer] as GPUBuffer,
    }));
    this.groups = steps.map((step) => (step.kind === 'dispatch' ? this.makeGroup(step) : undefined));
  }

  /**
   * Encodes all steps. With `timing`, every dispatch is a pass of its own that writes two timestamps.
   * @param replaced buffers to use instead of the plan's own inputs or outputs
   */
  encode(encoder: GPUCommandEncoder, replaced: ReadonlyMap<number, GPUBuffer>, timing?: GPUQuerySet): void {
    this.bind(replaced);
    const { steps, groups } = this;
    const { pipelines } = this.parts;
    let pass: GPUComputePassEncoder | undefined;
    let set = -1;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as PlanStep;
      if (step.kind === 'copy') {
        pass?.end();
        pass = undefined;
        const [from, to] = [this.pick(step.from, replaced), this.pick(step.to, replaced)];
        encoder.copyBufferToBuffer(from, this.offsetOf(step.from), to, this.offsetOf(step.to), step.bytes);
        continue;
      }
      if (timing) {
        pass?.end();
        pass = encoder.beginComputePass({
          timestampWrites: { querySet: timing, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
        });
        set = -1;
      } else if (!pass) {
        pass = encoder.beginComputePass();
        set = -1;
      }
      if (step.pipeline !== set) {
        set = step.pipeline;
        pass.setPipeline(pipelines[set] as GPUComputePipeline);
      }
      pass.setBindGroup(0, groups[i] as GPUBindGroup);
      const { workgroups } = step;
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    pass?.end();
  }

  /** Encodes the dispatches alone, on the buffers last bound, into a pass that is open: for timing them. */
  dispatch(pass: GPUComputePassEncoder): void {
    this.steps.forEach((step, i) => {
      if (step.kind === 'copy') return;
      pass.setPipeline(this.parts.pipelines[step.pipeline] as GPUComputePipeline);
      pass.setBindGroup(0, this.groups[i] as GPUBindGroup);
      pass.dispatchWorkgroups(...step.workgroups);
    });
  }

  private pick(index: number, replaced: ReadonlyMap<number, GPUBuffer>): GPUBuffer {
    return replaced.get(index) ?? (this.parts.buffers[index] as GPUBuffer);
  }

  /** Brings the bind groups up to date with the buffers in use; mostly they are those of the run before. */
  private bind(replaced: ReadonlyMap<number, GPUBuffer>): void {
    let stale: Set<number> | undefined;
    for (const opening of this.openings) {
      const buffer = this.pick(opening.buffer, replaced);
      if (buffer === opening.bound) continue;
      opening.bound = buffer;
      stale ??= new Set();
      for (const step of opening.steps) stale.add(step);
    }
    stale?.forEach((step) => {
      this.groups[step] = this.variantOf(step);
    });
  }

  private variantOf(index: number): GPUBindGroup {
    const step = this.steps[index] as DispatchStep;
    const key = step.buffers.map((b) => this.idOf(this.bufferOf(b))).join(' ');
    const variants = this.variants.get(index) ?? new Map<string, GPUBindGroup>();
    this.variants.set(index, variants);
    let group = variants.get(key);
    if (!group) {
      if (variants.size >= rememberedBindings) variants.delete(variants.keys().next().value as string);
      group = this.makeGroup(step);
      variants.set(key, group);
    }
    return group;
  }

  private makeGroup(step: DispatchStep): GPUBindGroup {
    const { device, specs, pipelines, uniforms } = this.parts;
    const { label, bindings } = specs[step.pipeline] as PlanPipeline;
    let next = 0;
    const entries = bindings.map(({ binding, access }): GPUBindGroupEntry => {
      if (access === 'uniform') {
        const { offset = 0, bytes = 16 } = step.uniform ?? {};
        return { binding, resource: { buffer: uniforms, offset, size: bytes } };
      }
      return { binding, resource: this.resourceOf(step.buffers[next++] as number) };
    });
    const layout = (pipelines[step.pipeline] as GPUComputePipeline).getBindGroupLayout(0);
    return device.createBindGroup({ label: `${label}.bindings`, layout, entries });
  }

  private resourceOf(index: number): GPUBufferBinding {
    const buffer = this.bufferOf(index);
    const { within, bytes } = this.parts.places[index] as PlanBuffer;
    return within ? { buffer, offset: within.offset, size: bytes } : { buffer };
  }

  private offsetOf(index: number): number {
    return this.parts.places[index]?.within?.offset ?? 0;
  }

  private bufferOf(index: number): GPUBuffer {
    return this.openings.find((o) => o.buffer === index)?.bound ?? (this.parts.buffers[index] as GPUBuffer);
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
