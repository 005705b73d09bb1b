// Gives every value of a plan its place. Data movement that is a matter of place goes: where a node only puts whole
// stretches of memory side by side (a Concat of contiguous parts) or takes one out (a Slice of contiguous elements), the
// small value becomes a stretch of the large one, and the node's steps are dropped.
// In: memories and steps that refer to them by index; out: the buffers of the plan, and the steps that refer to them.

import { assignArenas, bindingAlignment, type Lifetime, peakLive } from './memory';
import type { BufferRole, PlanBuffer, PlanPipeline, PlanStep } from './plan';

/** What wants a place: a value, or scratch memory of a kernel. */
export interface Memory {
  role: BufferRole;
  readonly bytes: number;
  readonly label: string;
}

/** Steps that do nothing but move whole stretches between one memory and others. */
export interface Move {
  readonly firstStep: number;
  readonly steps: number;
  readonly whole: number;
  /** Whether the parts make up the whole, or are taken from it. */
  readonly joins: boolean;
  readonly parts: readonly { readonly memory: number; readonly offset: number }[];
}

interface Uses {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Whether it may read in the buffer that it writes, if need be. */
  readonly beside: boolean;
}

export interface Places {
  readonly buffers: readonly PlanBuffer[];
  /** Memory → buffer. */
  readonly indexOf: readonly number[];
  /** Steps that are not needed. */
  readonly dropped: ReadonlySet<number>;
  readonly slotBytes: number;
  readonly peakLiveBytes: number;
}

/** What is to be placed; steps refer to memories by index. */
export interface Unplaced {
  readonly memories: readonly Memory[];
  readonly steps: readonly PlanStep[];
  readonly pipelines: readonly PlanPipeline[];
  readonly moves: readonly Move[];
  /** By pipeline, whether a dispatch may read in the buffer that it writes (plan/beside.ts). */
  readonly besides: readonly boolean[];
}

/** A plan that takes no more than this, in terms of the bytes alive at once, need not be made smaller, nor a tiny one. */
const closeEnough = 1.15;
const tiny = 16_384;

/** Larger buffers are hard to get, whatever the limits say; a value that is larger has one of its own. */
const mostShared = 2 ** 28;

/**
 * A step that reads and writes at least so much each, in terms of the most bytes alive at once, may read in the buffer that
 * it writes: none of them where that is not needed, then more and more. Those that may not take a second buffer as large.
 */
const besideFrom = [Number.POSITIVE_INFINITY, 0.15, 0.05, 0];

/**
 * Moves are carried out by placing, unless that keeps so much memory in one piece that there is better done without:
 * those of large tensors first.
 */
export function placeMemories(unplaced: Unplaced): Places {
  const { memories, moves } = unplaced;
  const sizeOf = ({ whole }: Move) => (memories[whole] as Memory).bytes;
  const largest = Math.max(0, ...moves.map(sizeOf));
  const choices = [1, 1 / 2, 1 / 4, 1 / 8, 0].map((part) => moves.filter((m) => sizeOf(m) <= part * largest));
  const distinct = choices.filter((some, i) => some.length !== choices[i - 1]?.length);
  let best: Places | undefined;
  for (const share of besideFrom) {
    for (const some of distinct) {
      const places = placeAll({ ...unplaced, moves: some }, share);
      if (!best || places.slotBytes < best.slotBytes) best = places;
      if (places.slotBytes <= Math.max(tiny, closeEnough * places.peakLiveBytes)) return best;
    }
  }
  return best as Places;
}

function placeAll(unplaced: Unplaced, share: number): Places {
  const { memories, steps, moves } = unplaced;
  const uses = steps.map((step) => usesOf(step, unplaced));
  const stretches = new Stretches(memories, uses);
  for (const move of moves) stretches.take(move);
  const { dropped } = stretches;

  const own = lifetimesOf(uses, dropped, (m) => m);
  const shared = lifetimesOf(uses, dropped, (m) => stretches.rootOf(m));
  const roots = memories.flatMap((m, i) => (m.role === 'slot' && shared.has(i) ? [i] : []));
  const lifetimes = roots.map((i) => ({ ...(shared.get(i) as Life), bytes: (memories[i] as Memory).bytes }));
  const kept = uses.filter((_, step) => !dropped.has(step));
  const least = share * peakLive(lifetimes);
  const bytesOf = (list: readonly number[]) => list.reduce((sum, m) => sum + slotBytesOf(memories[m] as Memory), 0);
  const strict = kept.filter(({ reads, writes, beside }) => {
    const slots = [...reads, ...writes].filter((m) => memories[m]?.role === 'slot').map((m) => stretches.rootOf(m));
    // No stretch of a buffer may be bound twice where one of the bindings is writable.
    const once = new Set(slots).size === slots.length;
    return !beside || !once || Math.min(bytesOf(reads), bytesOf(writes)) < least;
  });
  const rather = apartness(roots, kept, stretches);
  const apart = apartness(roots, strict, stretches);
  const places = assignArenas(lifetimes, { apart, rather, most: mostShared });

  const buffers: PlanBuffer[] = places.arenaBytes.map((bytes, k) => ({ role: 'slot', bytes, label: `arena${k}` }));
  const indexOf = new Array<number>(memories.length);
  const placeOf = new Map(roots.map((root, k) => [root, k]));
  memories.forEach(({ role, bytes, label }, i) => {
    const k = placeOf.get(stretches.rootOf(i));
    if (role !== 'slot') indexOf[i] = buffers.push({ role, bytes, label }) - 1;
    else if (k !== undefined) {
      const offset = (places.offsetOf[k] as number) + stretches.offsetOf(i);
      const within = { buffer: places.arenaOf[k] as number, offset };
      indexOf[i] = buffers.push({ role, bytes, label, within }) - 1;
    }
  });
  const slotBytes = places.arenaBytes.reduce((a, b) => a + b, 0);
  const live = [...own].flatMap(([m, life]) => stretches.leaf(m, life, shared));
  return { buffers, indexOf, dropped, slotBytes, peakLiveBytes: peakLive(live) };
}

interface Life {
  readonly from: number;
  readonly to: number;
}

/** Memories that are stretches of others. */
class Stretches {
  readonly dropped = new Set<number>();
  private readonly within = new Map<number, { memory: number; offset: number }>();
  /** Those whose bytes are all in stretches that others have written. */
  private readonly joined = new Set<number>();

  constructor(
    private readonly memories: readonly Memory[],
    private readonly uses: readonly Uses[],
  ) {}

  rootOf(memory: number): number {
    let at = memory;
    for (let next = this.within.get(at); next; next = this.within.get(at)) at = next.memory;
    return at;
  }

  offsetOf(memory: number): number {
    let offset = 0;
    for (let next = this.within.get(memory); next; next = this.within.get(next.memory)) offset += next.offset;
    return offset;
  }

  /** Makes the parts stretches of the whole, where kernels can be given them so. */
  take({ firstStep, steps, whole, joins, parts }: Move): void {
    const isSlot = (m: number) => this.memories[m]?.role === 'slot';
    const names = new Set(parts.map((p) => p.memory));
    if (!isSlot(whole) || names.size !== parts.length) return;
    const fits = parts.every(({ memory, offset }, i) => {
      const next = parts[i + 1]?.offset ?? Number.POSITIVE_INFINITY;
      const end = offset + (this.memories[memory] as Memory).bytes;
      const inside = end <= Math.min(next, (this.memories[whole] as Memory).bytes);
      return isSlot(memory) && !this.within.has(memory) && offset % bindingAlignment === 0 && inside;
    });
    const group = new Set([...names, whole].map((m) => this.rootOf(m)));
    const own = (step: number) => step >= firstStep && step < firstStep + steps;
    // A dispatch must not read one part while it writes another.
    const mixed = this.uses.some(({ reads, writes }, step) => {
      const touches = (m: number) => group.has(this.rootOf(m));
      return !own(step) && !this.dropped.has(step) && reads.some(touches) && writes.some(touches);
    });
    if (!fits || mixed) return;
    for (const { memory, offset } of parts) this.within.set(memory, { memory: whole, offset });
    for (let step = firstStep; step < firstStep + steps; step++) this.dropped.add(step);
    if (joins) this.joined.add(whole);
  }

  /** A memory's own bytes and the steps for which they must be kept: a part as long as the whole that it makes up. */
  leaf(memory: number, life: Life, shared: ReadonlyMap<number, Life>): Lifetime[] {
    const { role, bytes } = this.memories[memory] as Memory;
    const parent = this.within.get(memory)?.memory;
    const isView = parent !== undefined && !this.joined.has(parent);
    if (role !== 'slot' || this.joined.has(memory) || isView) return [];
    return [{ bytes, from: life.from, to: (shared.get(this.rootOf(memory)) as Life).to }];
  }
}

function slotBytesOf({ role, bytes }: Memory): number {
  return role === 'slot' ? bytes : 0;
}

/** What a step reads and writes. */
function usesOf(step: PlanStep, { pipelines, besides }: Unplaced): Uses {
  if (step.kind === 'copy') return { reads: [step.from], writes: [step.to], beside: false };
  const storage = (pipelines[step.pipeline] as PlanPipeline).bindings.filter((b) => b.access !== 'uniform');
  const withAccess = (access: string) => step.buffers.filter((_, i) => storage[i]?.access === access);
  const beside = besides[step.pipeline] === true;
  return { reads: withAccess('read'), writes: withAccess('read_write'), beside };
}

/** First and last step that touches each memory, or its root. */
function lifetimesOf(
  uses: readonly Uses[],
  dropped: ReadonlySet<number>,
  nameOf: (m: number) => number,
): Map<number, Life> {
  const lives = new Map<number, { from: number; to: number }>();
  uses.forEach(({ reads, writes }, step) => {
    if (dropped.has(step)) return;
    for (const m of [...reads, ...writes]) {
      const life = lives.get(nameOf(m));
      if (life) life.to = step;
      else lives.set(nameOf(m), { from: step, to: step });
    }
  });
  return lives;
}

/** For each root, by position, the others that one of the steps reads where it writes this one, or the other way round. */
function apartness(roots: readonly number[], uses: readonly Uses[], stretches: Stretches): Set<number>[] {
  const positions = new Map(roots.map((root, k) => [root, k]));
  const apart = roots.map(() => new Set<number>());
  const positionsOf = (memories: readonly number[]) =>
    memories.map((m) => positions.get(stretches.rootOf(m))).filter((k) => k !== undefined);
  for (const { reads, writes } of uses) {
    for (const a of positionsOf(reads)) {
      for (const b of positionsOf(writes)) {
        apart[a]?.add(b);
        apart[b]?.add(a);
      }
    }
  }
  return apart;
}
