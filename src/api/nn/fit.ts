// The loop over epochs and batches. The page sends batches ahead of the reports it has got, so that the GPU never waits
// for it; a report comes some batches later.

import { abortError, LeptonError } from '../../base/errors';
import { type Batch, Batches } from '../../data';
import type { CompileSpec } from '../../nn/types';
import type { BatchReport } from '../../worker/training-protocol';
import type { Callback, Trained } from './callbacks';
import { numbersOf, type Results, Totals } from './totals';

/** What the loop needs of the model. */
export interface Loop {
  readonly model: Trained;
  readonly compile: CompileSpec;
  readonly outputs: readonly string[];
  send(kind: 'train' | 'evaluate', batch: Batch): { readonly samples: number; readonly report: Promise<BatchReport> };
}

export interface FitPlan {
  readonly batches: AsyncIterable<Batch>;
  readonly validation: AsyncIterable<Batch> | undefined;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly stepsPerEpoch: number;
  readonly callbacks: readonly Callback[];
  readonly signal: AbortSignal | undefined;
}

/** By name, one number an epoch. */
export interface History {
  /** Epochs done, from 0. */
  readonly epoch: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/** Batches sent whose reports have not come. */
const mostAhead = 3;

export async function fitLoop(loop: Loop, plan: FitPlan): Promise<History> {
  const { model } = loop;
  const { callbacks, epochs, initialEpoch, validation, signal } = plan;
  const epoch: number[] = [];
  const history: Record<string, number[]> = {};
  const tell = async (call: (callback: Callback) => void | Promise<void>) => {
    for (const callback of callbacks) await call(callback);
  };
  const data = new Epochs(plan);
  model.stopTraining = false;
  await tell((c) => c.onTrainBegin?.(model));
  try {
    for (let at = initialEpoch; at < epochs && !model.stopTraining; at++) {
      await tell((c) => c.onEpochBegin?.(at, model));
      const totals = await trainEpoch(loop, plan, data.of(at), tell);
      if (!totals) break;
      const logs = numbersOf(totals);
      if (validation && !model.stopTraining) {
        Object.assign(logs, numbersOf(await evaluateLoop(loop, iterate(validation, 0, signal), signal), 'val_'));
      }
      epoch.push(at);
      for (const [name, value] of Object.entries(logs)) {
        history[name] ??= [];
        history[name].push(value);
      }
      await tell((c) => c.onEpochEnd?.(at, logs, model));
    }
  } catch (error) {
    // What callbacks cannot do any more either is no news.
    await tell((c) => c.onTrainEnd?.(model, error)).catch(() => {});
    throw error;
  } finally {
    await data.close();
  }
  await tell((c) => c.onTrainEnd?.(model));
  return { epoch, history };
}

/** The batches of each epoch. */
class Epochs {
  private going: AsyncIterator<Batch> | undefined;

  constructor(private readonly plan: FitPlan) {}

  /** With `stepsPerEpoch`, data that does not end goes on where the epoch before stopped. */
  of(epoch: number): AsyncIterable<Batch> {
    const { batches, stepsPerEpoch, signal } = this.plan;
    if (stepsPerEpoch === Number.POSITIVE_INFINITY) return iterate(batches, epoch, signal);
    if (batches instanceof Batches) {
      const place = batches.size === Number.POSITIVE_INFINITY ? { from: epoch * stepsPerEpoch } : { epoch };
      return batches.iterate({ ...place, ...(signal && { signal }) });
    }
    // Without `return`: leaving the loop over an epoch would end it.
    return { [Symbol.asyncIterator]: () => ({ next: () => this.next(batches) }) };
  }

  async close(): Promise<void> {
    await this.going?.return?.();
  }

  private async next(batches: AsyncIterable<Batch>): Promise<IteratorResult<Batch>> {
    this.going ??= batches[Symbol.asyncIterator]();
    const got = await this.going.next();
    if (got.done) this.going = undefined;
    return got;
  }
}

/** Undefined where training was stopped before the first batch. */
async function trainEpoch(
  loop: Loop,
  { stepsPerEpoch, signal }: FitPlan,
  batches: AsyncIterable<Batch>,
  tell: (call: (callback: Callback) => void | Promise<void>) => Promise<void>,
): Promise<Results | undefined> {
  const { model } = loop;
  const totals = new Totals(loop.compile, loop.outputs);
  const ahead = new Ahead();
  let index = 0;
  try {
    for await (const batch of batches) {
      if (model.stopTraining) break;
      const mine = index++;
      await tell((c) => c.onBatchBegin?.(mine, model));
      refuseAborted(signal);
      const { samples, report } = loop.send('train', batch);
      await ahead.add(
        report.then((got) => {
          const logs = numbersOf(totals.add(got, samples));
          return tell((c) => c.onBatchEnd?.(mine, logs, model));
        }),
      );
      // Here, so that nobody waits for a batch that is not used.
      if (index >= stepsPerEpoch) break;
    }
    await ahead.all();
  } finally {
    await ahead.settled();
  }
  refuseAborted(signal);
  if (index === 0) {
    if (model.stopTraining) return undefined;
    throw new LeptonError('INVALID_INPUT', 'There is nothing to train on: the data gave no batch. Is it empty?');
  }
  return totals.results();
}

export async function evaluateLoop(
  loop: Loop,
  batches: AsyncIterable<Batch>,
  signal: AbortSignal | undefined,
): Promise<Results> {
  const totals = new Totals(loop.compile, loop.outputs);
  const ahead = new Ahead();
  let any = false;
  for await (const batch of batches) {
    refuseAborted(signal);
    any = true;
    const { samples, report } = loop.send('evaluate', batch);
    await ahead.add(report.then((got) => void totals.add(got, samples)));
  }
  await ahead.all();
  if (!any)
    throw new LeptonError('INVALID_INPUT', 'There is nothing to evaluate: the data gave no batch. Is it empty?');
  return totals.results();
}

/** Lepton's own data sets are told which epoch it is; others begin anew in each. */
export function iterate(
  batches: AsyncIterable<Batch>,
  epoch: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Batch> {
  return batches instanceof Batches ? batches.iterate({ epoch, ...(signal && { signal }) }) : batches;
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal, 'Training');
}

/** Promises waited for in their order, a few behind. */
class Ahead {
  private readonly pending: Promise<void>[] = [];

  async add(promise: Promise<void>): Promise<void> {
    // It is waited for later: until then nobody would see it fail.
    promise.catch(() => {});
    this.pending.push(promise);
    if (this.pending.length >= mostAhead) await this.pending.shift();
  }

  async all(): Promise<void> {
    while (this.pending.length > 0) await this.pending.shift();
  }

  /** Whatever becomes of them: callbacks hear nothing after the end. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.pending.splice(0));
  }
}
