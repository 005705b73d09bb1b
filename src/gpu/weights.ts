// Weights on one device, shared by the plans of one model: plans for other input shapes, and for the stages
// of a run, mostly read the same constants, packed the same way. What a buffer will hold is known before it
// is filled, from where its bytes come from and which dispatches write it, and that is what it is known by.

import type { ByteSource } from '../base/bytes';
import type { Plan, PlanStep, PlanUpload } from '../plan/plan';

/** Where the contents of a plan's buffer lie in a file of packed weights. */
export interface PackedWeight {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What the init steps of a plan made on an earlier visit. */
export interface PackedWeights {
  readonly places: readonly PackedWeight[];
  readonly file: ByteSource;
}

/** What uploads call the file of packed weights. */
export const packedFile = 'lepton:packed';

/** What an executable must do to have its weights. */
export interface WeightWork {
  /** By index of the plan's buffers: buffers that are filled already. */
  readonly shared: ReadonlyMap<number, GPUBuffer>;
  /** Buffers of role `weight` or `init` that must be made and filled. */
  readonly missing: ReadonlySet<number>;
  readonly uploads: Plan['uploads'];
  readonly init: Plan['init'];
}

/** Descriptions remembered; all are forgotten at once, after which what is held is no longer found. */
const mostDescriptions = 1 << 14;
/** Larger constants inside a plan are not compared: they are computed for one set of shapes. */
const comparedBytes = 64 << 10;

export class Weights {
  /** Descriptions of contents: equal ones have equal numbers. */
  private readonly numbers = new Map<string, number>();
  private nextNumber = 0;
  private readonly byContent = new Map<number, GPUBuffer>();
  private readonly users = new Map<GPUBuffer, { content: number; count: number }>();
  /** Held without users, the longest idle first: shapes that take turns may pack weights differently. */
  private readonly idle = new Set<GPUBuffer>();

  /**
   * Takes what is there, and says what is left to do. Every `take` needs its `release`.
   * @param packed need no init steps
   */
  take(plan: Plan, packed: readonly PackedWeight[] = []): WeightWork {
    const contents = this.contentsOf(plan);
    const shared = new Map<number, GPUBuffer>();
    const missing = new Set<number>();
    plan.buffers.forEach(({ role }, i) => {
      if (role !== 'weight') return;
      const buffer = this.byContent.get(contents[i] as number);
      if (buffer) shared.set(i, buffer);
      else missing.add(i);
    });
    const ready = packed.filter(({ buffer }) => missing.has(buffer));
    const given = new Set(ready.map(({ buffer }) => buffer));
    const needed = new Set<PlanStep>();
    for (let before = -1; before !== needed.size; ) {
      before = needed.size;
      for (const step of [...plan.init].reverse()) {
        const touched = buffersOf(plan, step);
        if (
          needed.has(step) ||
          !touched.some(({ buffer, written }) => written && missing.has(buffer) && !given.has(buffer))
        )
          continue;
        needed.add(step);
        for (const { buffer, written } of touched) {
          // What others read must not be written again, not even with what it holds.
          if (written) shared.delete(buffer);
          if (!shared.has(buffer)) missing.add(buffer);
        }
      }
    }
    for (const buffer of shared.values()) {
      (this.users.get(buffer) as { count: number }).count++;
      this.idle.delete(buffer);
    }
    return {
      shared,
      missing,
      init: plan.init.filter((step) => needed.has(step)),
      uploads: [...plan.uploads.filter((u) => missing.has(u.buffer)), ...ready.map(uploadOf)],
    };
  }

  /** Offers buffers that were filled to other plans; the giver is their first user. */
  give(plan: Plan, { missing }: WeightWork, buffers: readonly (GPUBuffer | undefined)[]): void {
    const contents = this.contentsOf(plan);
    for (const i of missing) {
      const [content, buffer] = [contents[i], buffers[i]];
      if (plan.buffers[i]?.role !== 'weight' || content === undefined || !buffer || this.byContent.has(content))
        continue;
      this.byContent.set(content, buffer);
      this.users.set(buffer, { content, count: 1 });
    }
  }

  /** Gives up weights. What nobody uses any more stays for a while, as long as it is less than what is in use. */
  release(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      const held = this.users.get(buffer);
      if (!held) buffer.destroy();
      else if (--held.count === 0) this.idle.add(buffer);
    }
    let used = 0;
    let unused = 0;
    for (const buffer of this.users.keys()) {
      if (this.idle.has(buffer)) unused += buffer.size;
      else used += buffer.size;
    }
    this.destroyIdle(unused - used);
  }

  /** Destroys what nobody uses, the longest idle first, until `bytes` are freed. Default: all of it. */
  destroyIdle(bytes = Number.POSITIVE_INFINITY): void {
    let left = bytes;
    for (const buffer of this.idle) {
      if (left <= 0) return;
      left -= buffer.size;
      this.idle.delete(buffer);
      const { content } = this.users.get(buffer) as { content: number };
      if (this.byContent.get(content) === buffer) this.byContent.delete(content);
      this.users.delete(buffer);
      buffer.destroy();
    }
  }

  /** For every buffer that the init phase fills, a number that stands for what it will hold. */
  private contentsOf(plan: Plan): (number | undefined)[] {
    const contents: (number | undefined)[] = plan.buffers.map(() => undefined);
    if (this.numbers.size > mostDescriptions) this.numbers.clear();
    for (const { buffer, from, to, source } of plan.uploads) {
      if (source instanceof Uint8Array && source.byteLength > comparedBytes) {
        contents[buffer] = this.nextNumber++;
        continue;
      }
      const what = source instanceof Uint8Array ? text(source) : JSON.stringify(source);
      contents[buffer] = this.number(`${from} ${to} ${what}`);
    }
    for (const step of plan.init) {
      const touched = buffersOf(plan, step);
      const before = touched.map(({ buffer }) => contents[buffer] ?? '-').join();
      const work = this.number(`${describe(plan, step)} on ${before}`);
      touched.forEach(({ buffer, written }, i) => {
        if (written) contents[buffer] = this.number(`${i} of ${work}`);
      });
    }
    return contents;
  }

  private number(description: string): number {
    const number = this.numbers.get(description) ?? this.nextNumber++;
    this.numbers.set(description, number);
    return number;
  }
}

function uploadOf({ buffer, offset, bytes }: PackedWeight): PlanUpload {
  const source = { file: packedFile, offset, length: bytes };
  return { buffer, tensor: `packed weights ${buffer}`, from: 'uint32', to: 'uint32', source };
}

/** The weights of a plan that these init steps make, rather than uploads alone. */
export function packedBy(plan: Plan, init: readonly PlanStep[]): PackedWeight[] {
  // Of a stretch of another buffer it is not known here what else lies there.
  if (plan.buffers.some(({ role, within }) => role === 'weight' && within)) return [];
  const written = init.flatMap((step) => buffersOf(plan, step).flatMap((b) => (b.written ? [b.buffer] : [])));
  let offset = 0;
  return [...new Set(written)].flatMap((buffer) => {
    const { role, bytes } = plan.buffers[buffer] as Plan['buffers'][number];
    if (role !== 'weight') return [];
    const place = { buffer, offset, bytes };
    offset += bytes;
    return [place];
  });
}

function buffersOf(plan: Plan, step: PlanStep): { buffer: number; written: boolean }[] {
  if (step.kind === 'copy')
    return [
      { buffer: step.from, written: false },
      { buffer: step.to, written: true },
    ];
  const storage = (plan.pipelines[step.pipeline] as Plan['pipelines'][number]).bindings.filter(
    (b) => b.access !== 'uniform',
  );
  return step.buffers.map((buffer, i) => ({ buffer, written: storage[i]?.access === 'read_write' }));
}

function describe(plan: Plan, step: PlanStep): string {
  if (step.kind === 'copy') return `copy ${step.bytes}`;
  const { wgsl, constants } = plan.pipelines[step.pipeline] as Plan['pipelines'][number];
  const { offset = 0, bytes = 0 } = step.uniform ?? {};
  const sizes = step.buffers.map((b) => plan.buffers[b]?.bytes);
  return `${step.workgroups} ${sizes} ${text(plan.uniforms.subarray(offset, offset + bytes))} ${JSON.stringify(constants)} ${wgsl}`;
}

function text(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => String.fromCharCode(b)).join('');
}
