// A model's plans in the store, beside its file: what a second visit takes instead of the compiler, the model's
// graph and the planner. Invariant: what was stored by another build of Lepton, for another adapter, with other options
// or external data is not found, and what is damaged is as good as absent.

import type { AdapterProfile } from '../base/adapter';
import type { ByteSource } from '../base/bytes';
import type { PackedWeight } from '../gpu/weights';
import type { Plan } from '../plan/plan';
import type { Derived } from '../store';
import type { ModelSummary } from './blueprint';
import type { Precision } from './next-stage';
import { fromBytes, toBytes } from './plain-data';
import type { Evaluated } from './stage';

/** A plan for all of a run, and what the run has to know beside it. */
export interface CachedPlan {
  readonly plan: Plan;
  /** For the first run, where it is another. */
  readonly quick?: Plan | undefined;
  /** The plan's packed weights, where they are stored. */
  readonly packed?: StoredWeights | undefined;
  /** Whether its kernels were chosen by measuring, as far as they ever are. */
  readonly measured: boolean;
  /** Outputs that are to be read back in any case. */
  readonly read: readonly string[];
  /** Nodes that planning has run on the host. */
  readonly evaluated: readonly Evaluated[];
}

/** Packed weights in a record of their own, which no plan mentions but the one they were made by. */
export interface StoredWeights {
  /** Tells the record from those of other plans for the same, and of other tabs. */
  readonly id: string;
  readonly places: readonly PackedWeight[];
}

export interface PlanCacheOptions extends Precision {
  /** How kernels were chosen: each way has plans of its own. */
  readonly tune: 'off' | 'auto' | 'full';
  /** What tells the model's files from others of the same names. */
  readonly files: readonly string[];
}

/** After so many milliseconds without another plan to store, those at hand are: a first run goes before. */
const delay = 150;

const summaryKey = 'model';

export class PlanCache {
  private readonly waiting = new Map<string, CachedPlan>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  /** @param summarised whether the model's summary is in the store, and with it a plan */
  constructor(
    private readonly derived: Derived,
    private readonly model: ModelSummary,
    private readonly options: PlanCacheOptions,
    private summarised: boolean,
  ) {}

  async find(adapter: AdapterProfile, key: string): Promise<CachedPlan | undefined> {
    if (!this.summarised) return undefined;
    return read<CachedPlan>(this.derived, this.keyOf(adapter, key));
  }

  /** Opens packed weights; undefined where they are not there any more. */
  weights({ id }: StoredWeights): Promise<ByteSource | undefined> {
    return this.derived.source(weightsKey(id));
  }

  /** Stores packed weights, to be mentioned in the plan when they are there. */
  async keepWeights(
    places: readonly PackedWeight[],
    bytes: Pick<ByteSource, 'read'> & { readonly size: number },
  ): Promise<StoredWeights | undefined> {
    const id = crypto.randomUUID();
    const stored = !this.closed && (await this.derived.put(weightsKey(id), bytes));
    return stored ? { id, places } : undefined;
  }

  /** Removes a plan that turned out to be of no use. */
  async forget(adapter: AdapterProfile, key: string): Promise<void> {
    const place = this.keyOf(adapter, key);
    this.waiting.delete(place);
    const plan = await read<CachedPlan>(this.derived, place);
    await this.derived.remove(place);
    if (plan?.packed) await this.derived.remove(weightsKey(plan.packed.id));
  }

  /** Stores the plan in idle time, in the place of an earlier one for the same. */
  keep(adapter: AdapterProfile, key: string, plan: CachedPlan): void {
    if (this.closed) return;
    this.waiting.set(this.keyOf(adapter, key), plan);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), delay);
  }

  /** Stores what is waiting; nothing is kept after that. */
  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
  }

  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    const plans = [...this.waiting];
    this.waiting.clear();
    for (const [key, plan] of plans) {
      const before = await read<CachedPlan>(this.derived, key);
      // A summary without plans would only put off what the next load must do. It goes with the newest one, since the
      // oldest records are the first to go.
      if (!(await put(this.derived, key, plan)) || !(await keepSummary(this.derived, this.model))) continue;
      this.summarised = true;
      if (before?.packed && before.packed.id !== plan.packed?.id)
        await this.derived.remove(weightsKey(before.packed.id));
    }
  }

  private keyOf(adapter: AdapterProfile, key: string): string {
    const { precision, allowPrecisionLoss, tune, files } = this.options;
    return JSON.stringify(['plan', adapter, precision, allowPrecisionLoss, tune, files, key]);
  }
}

function weightsKey(id: string): string {
  return JSON.stringify(['weights', id]);
}

export function findSummary(derived: Derived): Promise<ModelSummary | undefined> {
  return read<ModelSummary>(derived, summaryKey);
}

function keepSummary(derived: Derived, { inputs, outputs, files, hostSteps }: ModelSummary): Promise<boolean> {
  return put(derived, summaryKey, { inputs, outputs, files, hostSteps });
}

async function read<T>(derived: Derived, key: string): Promise<T | undefined> {
  const bytes = await derived.get(key);
  return bytes && (fromBytes(bytes) as T);
}

function put(derived: Derived, key: string, value: unknown): Promise<boolean> {
  const bytes = toBytes(value);
  return derived.put(key, { size: bytes.byteLength, read: async (at, length) => bytes.slice(at, at + length) });
}
