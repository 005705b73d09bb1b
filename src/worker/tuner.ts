// Chooses kernels by measuring them on one adapter. What it finds out holds for all models there, goes into the
// store, and is there at the next visit. Invariant: one search at a time, whichever models ask.

import type { AdapterProfile } from '../base/adapter';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { AdapterRates, Choice, Tuning } from '../base/tuning';
import type { Device } from '../gpu/device';
import { probe } from '../gpu/probe';
import type { TuningStore } from '../store/tuning';
import { bestFew } from '../tune/best-few';
import { Workbench } from './tuning-bench';
import type { Contestant, Problem } from './tuning-problems';

/** How thoroughly to measure. */
export interface Effort {
  /** Candidates of a problem. */
  readonly candidates: number;
  /** Problems that take less of the model's time than this are left to the estimate. */
  readonly share: number;
}

export const efforts = {
  auto: { candidates: 4, share: 0.02 },
  full: { candidates: 8, share: 0.002 },
} as const satisfies Record<string, Effort>;

export interface MeasureOptions {
  readonly effort: Effort;
  /** Milliseconds that it may take; what is begun is finished. */
  readonly budget: number;
  readonly signal: AbortSignal;
  /** Problems done, of all that are to be measured. */
  readonly onProgress?: (done: number, total: number) => void;
}

export class Tuner {
  private rates: AdapterRates | undefined;
  private readonly choices = new Map<string, Choice>();
  private readonly adapter: string;
  private turn: Promise<unknown>;
  /** Settles when what the store knows is known here; nothing is measured before. */
  readonly informed: Promise<void>;

  /**
   * @param store keeps what is found out; absent, it is forgotten with the device
   * @param known what the store knows of all adapters
   */
  constructor(
    private readonly device: Device,
    private readonly store?: Pick<TuningStore, 'add'>,
    known?: Promise<ReadonlyMap<string, Tuning>>,
  ) {
    this.adapter = adapterKey(device.profile);
    this.informed = this.learn(known);
    this.turn = this.informed;
  }

  /** What is known by now; later findings do not appear in it. */
  get tuning(): Tuning {
    return { rates: this.rates, choices: new Map(this.choices) };
  }

  /** What the adapter can do, measured unless it was; undefined where that fails for want of memory. */
  measureRates(): Promise<AdapterRates | undefined> {
    return this.inTurn(() => this.ratesNow());
  }

  /**
   * Measures the problems that take most of the time, until the budget is used up.
   * @throws ABORTED; what was decided before stays
   */
  measure(problems: readonly Problem[], options: MeasureOptions): Promise<void> {
    return this.inTurn(() => this.measureNow(problems, options));
  }

  private async measureNow(problems: readonly Problem[], options: MeasureOptions): Promise<void> {
    const { effort, budget, signal, onProgress } = options;
    const end = performance.now() + budget;
    throwIfAborted(signal, 'Tuning');
    // The estimates for a CPU do not hang on its speed.
    if (!this.device.profile.software) await this.ratesNow();
    const open = heaviest(problems, effort.share).filter(({ signature }) => !this.choices.has(signature));
    const found = new Map<string, Choice>();
    const workbench = new Workbench(this.device);
    try {
      for (const [done, problem] of open.entries()) {
        throwIfAborted(signal, 'Tuning');
        const left = end - performance.now();
        if (left <= 0) return;
        onProgress?.(done, open.length);
        const contestants = problem.shortlist(effort.candidates);
        const choice = await winnerOf(contestants, workbench, { budget: left, signal });
        if (choice) {
          found.set(problem.signature, choice);
          this.choices.set(problem.signature, choice);
        }
      }
      onProgress?.(open.length, open.length);
    } finally {
      workbench.dispose();
      if (found.size > 0) void this.store?.add(this.adapter, { rates: undefined, choices: found });
    }
  }

  private async learn(known: Promise<ReadonlyMap<string, Tuning>> | undefined): Promise<void> {
    const found = (await known)?.get(this.adapter);
    this.rates = found?.rates;
    for (const [problem, choice] of found?.choices ?? []) this.choices.set(problem, choice);
  }

  private async ratesNow(): Promise<AdapterRates | undefined> {
    if (this.rates) return this.rates;
    try {
      this.rates = await probe(this.device);
    } catch (error) {
      if (!(error instanceof LeptonError) || this.device.lost) throw error;
      return undefined;
    }
    void this.store?.add(this.adapter, { rates: this.rates, choices: new Map() });
    return this.rates;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => {});
    return mine;
  }
}

async function winnerOf(
  contestants: readonly Contestant[],
  workbench: Workbench,
  { budget, signal }: Pick<MeasureOptions, 'budget' | 'signal'>,
): Promise<Choice | undefined> {
  if (contestants.length < 2) return undefined;
  const trials = await bestFew(contestants, workbench, { budget, signal, now: () => performance.now() });
  throwIfAborted(signal, 'Tuning');
  const [winner] = trials;
  if (!winner || !(winner.time > 0)) return undefined;
  const { kernel, tunables, isSparse } = winner.candidate;
  const rival = trials.find(({ candidate }) => candidate.isSparse !== isSparse);
  const { time } = winner;
  return { kernel, tunables, time, ...(rival && { rival: { kernel: rival.candidate.text, time: rival.time } }) };
}

function heaviest(problems: readonly Problem[], share: number): Problem[] {
  const total = problems.reduce((sum, { seconds }) => sum + seconds, 0);
  return problems.filter(({ seconds }) => seconds >= share * total).sort((a, b) => b.seconds - a.seconds);
}

/** What makes one adapter as fast as another: the record is not for a driver without the same features. */
function adapterKey({ vendor, architecture, description, features, software }: AdapterProfile): string {
  return JSON.stringify([vendor, architecture, description, software, [...features].sort()]);
}
