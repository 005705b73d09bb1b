// What the store keeps of a model's plans on one device, and what an outcome is known by there. Invariant: a plan that
// is kept mentions no packed weights but those that it has made itself.

import type { AdapterProfile } from '../base/adapter';
import type { PackedWeights } from '../gpu/weights';
import type { Plan } from '../plan/plan';
import type { CachedPlan, PlanCache } from './plan-cache';
import type { GpuOutcome } from './stage';

/** Packed weights of more bytes are not stored: they come on top of the model itself. */
const mostPacked = 64 << 20;

type Known = Pick<CachedPlan, 'quick' | 'packed' | 'measured'> & { readonly key: string };

export class KeptPlans {
  private readonly known = new WeakMap<GpuOutcome, Known>();

  /** @param plans undefined where the model's files are not stored: nothing is kept then */
  constructor(
    private readonly plans: PlanCache | undefined,
    private readonly adapter: AdapterProfile,
  ) {}

  async find(key: string): Promise<CachedPlan | undefined> {
    return this.plans?.find(this.adapter, key);
  }

  /** The weights that a plan of an earlier visit has packed; undefined where they are gone. */
  async packedOf({ packed }: Pick<CachedPlan, 'packed'>): Promise<PackedWeights | undefined> {
    const file = packed && (await this.plans?.weights(packed));
    return file && { places: packed.places, file };
  }

  /** Takes note of what an outcome's plan is kept as, or will be. */
  note(outcome: GpuOutcome, known: Known): void {
    this.known.set(outcome, known);
  }

  /** As `packedOf`, of an outcome's plan. What is gone is packed anew, and kept anew. */
  async packedFor(outcome: GpuOutcome): Promise<PackedWeights | undefined> {
    const known = this.known.get(outcome);
    const packed = known && (await this.packedOf(known));
    if (!packed) this.losePacked(outcome);
    return packed;
  }

  losePacked(outcome: GpuOutcome): void {
    const known = this.known.get(outcome);
    if (known) this.known.set(outcome, { ...known, packed: undefined });
  }

  /** Stores the outcome's plan. */
  keep(outcome: GpuOutcome): void {
    const { runner, better, nodes } = outcome;
    this.store(outcome, better ?? { ...runner.executable.plan, nodes });
  }

  /** Stores what measuring has led to. @param isNew whether the outcome has another plan now, which packs anew */
  keepMeasured(outcome: GpuOutcome, isNew: boolean): void {
    const known = this.known.get(outcome);
    if (!known) return;
    this.known.set(outcome, { ...known, measured: true, ...(isNew && { packed: undefined }) });
    this.keep(outcome);
  }

  /** Stores a plan that measuring has led to, for the next load; the outcome goes on with its own, which is not kept. */
  keepForNext(outcome: GpuOutcome, plan: Plan): void {
    const known = this.known.get(outcome);
    if (!known) return;
    this.known.set(outcome, { ...known, measured: true, packed: undefined });
    this.store(outcome, plan);
    this.known.delete(outcome);
  }

  /** Stores the weights that the outcome's plan has packed, and mentions them in it. */
  async keepPacked(outcome: GpuOutcome): Promise<void> {
    const { runner, better } = outcome;
    const { executable } = runner;
    const { packed } = executable;
    const size = packed.reduce((sum, { bytes }) => sum + bytes, 0);
    const before = this.known.get(outcome);
    if (!before || before.packed || better || runner.disposed || size === 0 || size > mostPacked) return;
    const bytes = { size, read: (offset: number, length: number) => executable.readPacked(offset, length) };
    // Should the page go away in between, the plan stands there without them.
    const stored = await this.plans?.keepWeights(packed, bytes);
    const known = this.known.get(outcome);
    if (!stored || !known || outcome.runner !== runner) return;
    this.known.set(outcome, { ...known, packed: stored });
    this.keep(outcome);
  }

  /** The outcome's plan is of no use to a later visit. */
  forget(outcome: GpuOutcome): void {
    const known = this.known.get(outcome);
    this.known.delete(outcome);
    if (known) void this.forgetKey(known.key);
  }

  async forgetKey(key: string): Promise<void> {
    await this.plans?.forget(this.adapter, key);
  }

  private store(outcome: GpuOutcome, plan: Plan): void {
    const known = this.known.get(outcome);
    if (!known) return;
    const { key, ...rest } = known;
    const { read, evaluated } = outcome;
    const steps = evaluated.map(({ node: { name, op }, reason }) => ({ node: { name, op }, reason }));
    this.plans?.keep(this.adapter, key, { ...rest, plan, read, evaluated: steps });
  }
}
