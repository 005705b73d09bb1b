// Tunes models while nobody waits for anything: some time after the last call of any model, one at a time, each
// within a budget. A call that comes in between ends the measurement under way; what was decided stays.

import type { Improvement } from './improvement';
import type { MeasureOptions } from './tuner';

/** What can be tuned: a model's engine. */
export interface Tunable {
  /** Measures, and gets better plans ready; undefined where there is nothing to measure. */
  improve(options: Pick<MeasureOptions, 'budget' | 'signal'>): Promise<Improvement | undefined>;
}

export interface IdleOptions {
  /** Milliseconds without a call that count as idle. */
  readonly quiet: number;
  readonly now: () => number;
}

export class IdleTuning {
  private busy = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private current: { readonly tunable: Tunable; readonly stop: AbortController } | undefined;
  /** Milliseconds left to each, the longest waiting first. */
  private readonly budgets = new Map<Tunable, number>();

  constructor(private readonly options: IdleOptions = { quiet: 100, now: () => performance.now() }) {}

  /** Does the work; nothing is measured meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.busy++;
    clearTimeout(this.timer);
    this.current?.stop.abort();
    try {
      return await work();
    } finally {
      this.busy--;
      this.wait();
    }
  }

  /** @param budget milliseconds that measuring may take in all */
  add(tunable: Tunable, budget: number): void {
    this.budgets.set(tunable, budget);
    this.wait();
  }

  remove(tunable: Tunable): void {
    this.budgets.delete(tunable);
    if (this.current?.tunable === tunable) this.current.stop.abort();
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (this.busy > 0 || this.budgets.size === 0) return;
    this.timer = setTimeout(() => void this.tune(), this.options.quiet);
  }

  private async tune(): Promise<void> {
    const [next] = this.budgets;
    if (!next || this.current) return;
    const [tunable, budget] = next;
    const { now } = this.options;
    const stop = new AbortController();
    this.current = { tunable, stop };
    const start = now();
    try {
      const improvement = await tunable.improve({ budget, signal: stop.signal });
      // The model may have been disposed of meanwhile.
      if (this.budgets.has(tunable)) improvement?.apply();
      else improvement?.drop();
      this.budgets.delete(tunable);
    } catch {
      // Where it was no abort, the adapter is in trouble: that is for the next run to meet and to report.
      // After an abort what was found out is still to be made use of, however little of the budget is left.
      const left = Math.max(1, budget - (now() - start));
      if (this.budgets.delete(tunable) && stop.signal.aborted) this.budgets.set(tunable, left);
    }
    this.current = undefined;
    this.wait();
  }
}
