// A dispatch that reads in the buffer that it writes, beside what it writes. WebGPU allows that where all its bindings of
// the buffer are writable and no two of them overlap: what is only read is then declared as if it were written too. A
// shader that decides on its barriers by what it reads would no longer compile: what is writable is not uniform.
// https://www.w3.org/TR/webgpu/#usage-scope-validation, https://www.w3.org/TR/WGSL/#uniformity

import type { Dispatch } from '../ir/kernel';
import type { PlanBuffer, PlanPipeline, PlanStep } from './plan';

/** With any spaces: a built Lepton has shaders without them. */
const readOnly = /@binding\((\d+)\)\s*var<\s*storage\s*,\s*read\s*>/g;

const needsUniformity = /Barrier\(|workgroupUniformLoad|subgroup|quadSwap|quadBroadcast/;

/** Whether the shader may be told that it writes what it only reads. */
export function mayReadBeside({ wgsl, uniformFlow = false }: Dispatch): boolean {
  return uniformFlow || !needsUniformity.test(wgsl);
}

/**
 * Gives steps the pipelines that they need: those that read in the buffer that they write get theirs in a form that may
 * write what it reads. Other steps of the same pipeline take that form too where they can: it is one less to compile.
 * @param steps refer to `pipelines`, and to `buffers` that have their places
 * @returns the steps, and the pipelines that they refer to then
 */
export function settlePipelines(
  steps: readonly PlanStep[],
  pipelines: readonly PlanPipeline[],
  buffers: readonly PlanBuffer[],
): { steps: PlanStep[]; pipelines: PlanPipeline[] } {
  const bindingsOf = (step: PlanDispatch) => {
    const storage = (pipelines[step.pipeline] as PlanPipeline).bindings.filter(({ access }) => access !== 'uniform');
    return storage.map(({ binding, access }, i): Bound => {
      const { within, bytes } = buffers[step.buffers[i] as number] as PlanBuffer;
      return { binding, writes: access === 'read_write', ...(within && { place: { ...within, bytes } }) };
    });
  };
  const common = new Map<number, Set<number>>();
  for (let before = -1, size = 0; size > before; ) {
    before = size;
    size = 0;
    for (const step of steps) {
      if (step.kind === 'copy') continue;
      const bound = bindingsOf(step);
      const known = common.get(step.pipeline) ?? new Set();
      // With what must be writable, what a step reads in the same buffer must be too.
      const needed = readBeside(bound, known);
      if (mayBeWritable(bound, new Set([...known, ...needed]))) for (const binding of needed) known.add(binding);
      common.set(step.pipeline, known);
      size += known.size;
    }
  }
  const inUse = new Map<string, { index: number; pipeline: PlanPipeline }>();
  const settled = steps.map((step): PlanStep => {
    if (step.kind === 'copy') return step;
    const bound = bindingsOf(step);
    const all = common.get(step.pipeline) as Set<number>;
    const writable = mayBeWritable(bound, all) ? all : new Set(readBeside(bound));
    const key = [step.pipeline, ...writable].join();
    const entry = inUse.get(key) ?? {
      index: inUse.size,
      pipeline: withWritable(pipelines[step.pipeline] as PlanPipeline, writable),
    };
    inUse.set(key, entry);
    return { ...step, pipeline: entry.index };
  });
  return { steps: settled, pipelines: [...inUse.values()].map((p) => p.pipeline) };
}

type PlanDispatch = PlanStep & { readonly kind: 'dispatch' };

interface Bound {
  readonly binding: number;
  readonly writes: boolean;
  /** Where it is a stretch of a buffer that others lie in too. */
  readonly place?: { readonly buffer: number; readonly offset: number; readonly bytes: number };
}

/** Bindings that are read in a buffer that is written, or of which a binding is one of the `writable`. */
function readBeside(bound: readonly Bound[], writable: ReadonlySet<number> = new Set()): number[] {
  const written = new Set(
    bound.flatMap(({ binding, writes, place }) => (place && (writes || writable.has(binding)) ? [place.buffer] : [])),
  );
  return bound.flatMap(({ binding, writes, place }) =>
    !writes && place && written.has(place.buffer) ? [binding] : [],
  );
}

/** Whether the step stays valid with these bindings writable: no other overlaps one, or only reads the same buffer. */
function mayBeWritable(bound: readonly Bound[], bindings: ReadonlySet<number>): boolean {
  return bound.every(({ binding, place }, i) => {
    if (!bindings.has(binding)) return true;
    return (
      place !== undefined &&
      bound.every((other, k) => {
        if (k === i || other.place?.buffer !== place.buffer) return true;
        const apart =
          other.place.offset >= place.offset + place.bytes || place.offset >= other.place.offset + other.place.bytes;
        return apart && (other.writes || bindings.has(other.binding));
      })
    );
  });
}

function withWritable(pipeline: PlanPipeline, bindings: ReadonlySet<number>): PlanPipeline {
  if (bindings.size === 0) return pipeline;
  return {
    ...pipeline,
    wgsl: pipeline.wgsl.replace(readOnly, (declaration, binding) =>
      bindings.has(Number(binding)) ? `@binding(${binding}) var<storage, read_write>` : declaration,
    ),
    bindings: pipeline.bindings.map((b) => (bindings.has(b.binding) ? { ...b, access: 'read_write' } : b)),
  };
}
