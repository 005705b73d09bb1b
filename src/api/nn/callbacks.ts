// What happens beside training: watching it, stopping it, changing its pace, keeping what it reached. As in Keras, except
// that a callback may be any object with some of these methods, and that promises are waited for.

import { LeptonError } from '../../base/errors';
import {
  type Config,
  choice,
  flag,
  number,
  type OptionsOf,
  optional,
  readOptions,
  refuseOthers,
  text,
} from '../../base/options';
import type { PruneOptions, PruneReport } from '../../compress/types';

const positive: readonly [number, number] = [0, Infinity];

/** Loss and metrics by name, those of validation with 'val_' in front. */
export type Logs = Readonly<Record<string, number>>;

/** What a callback may do to the model that is being trained. */
export interface Trained {
  learningRate: number;
  /** Set to end training after the batch at hand. */
  stopTraining: boolean;
  getWeights(): Promise<Record<string, WeightTensor>>;
  setWeights(weights: Readonly<Record<string, WeightTensor>>): Promise<void>;
  save(url: string): Promise<unknown>;
  prune(options: number | Omit<PruneOptions, 'criterion'>): Promise<PruneReport>;
}

export interface WeightTensor {
  readonly type: 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export interface Callback {
  onTrainBegin?(model: Trained): void | Promise<void>;
  onEpochBegin?(epoch: number, model: Trained): void | Promise<void>;
  /** Training waits for the promise: this is where it can be paused. */
  onBatchBegin?(batch: number, model: Trained): void | Promise<void>;
  /** A batch's own loss and metrics. The GPU is some batches ahead by then. */
  onBatchEnd?(batch: number, logs: Logs, model: Trained): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs, model: Trained): void | Promise<void>;
  /** @param error what ended training, where that is an error: an abort is one */
  onTrainEnd?(model: Trained, error?: unknown): void | Promise<void>;
}

export interface MonitorOptions {
  /** Name in the logs; default 'val_loss'. */
  monitor?: string;
  /** Whether less or more is better; default by the name: 'max' for accuracies, precision, recall, F1 and AUC. */
  mode?: 'min' | 'max';
  /** Changes smaller than this are none; default 0. */
  minDelta?: number;
}

const monitorOptions = {
  monitor: text('val_loss'),
  mode: optional(choice(['min', 'max'])),
  minDelta: number(0, positive),
};

/** Follows one number of the logs. */
class Monitor {
  best: number;
  private readonly sign: 1 | -1;
  private readonly name: string;
  private readonly minDelta: number;

  constructor(
    private readonly who: string,
    { monitor, mode, minDelta }: OptionsOf<typeof monitorOptions>,
  ) {
    this.name = monitor;
    this.minDelta = minDelta;
    const isMore = mode ? mode === 'max' : /acc|precision|recall|f1|auc|r2/i.test(monitor);
    this.sign = isMore ? 1 : -1;
    this.best = -this.sign * Number.POSITIVE_INFINITY;
  }

  /** Whether this epoch is the best so far. */
  improves(logs: Logs): boolean {
    const value = logs[this.name];
    if (value === undefined) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `${this.who} watches "${this.name}", but the logs have ${Object.keys(logs).join(', ')}. ` +
          'Numbers that begin with "val_" need validationSplit or validationData.',
        { details: { monitor: this.name } },
      );
    }
    if (!(this.sign * (value - this.best) > this.minDelta)) return false;
    this.best = value;
    return true;
  }
}

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training ends; default 0: as 1, with the first. */
  patience?: number;
  /** Take the weights of the best epoch when training ends, but not where an error or an abort ends it; default false. */
  restoreBestWeights?: boolean;
}

const stoppingOptions = { ...monitorOptions, patience: number(0, positive), restoreBestWeights: flag(false) };

/** Ends training when a number of the logs no longer improves. @throws INVALID_ARGUMENT for wrong options, as all of these */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const given = readOptions('earlyStopping()', stoppingOptions, options as Config);
  const { patience, restoreBestWeights } = given;
  let monitor = new Monitor('earlyStopping', given);
  let waited = 0;
  let best: Record<string, WeightTensor> | undefined;
  return {
    onTrainBegin() {
      monitor = new Monitor('earlyStopping', given);
      waited = 0;
      best = undefined;
    },
    async onEpochEnd(_epoch, logs, model) {
      if (monitor.improves(logs)) {
        waited = 0;
        if (restoreBestWeights) best = await model.getWeights();
      } else if (++waited >= patience) {
        model.stopTraining = true;
      }
    },
    async onTrainEnd(model, error) {
      if (best && error === undefined) await model.setWeights(best);
    },
  };
}

export interface ModelCheckpointOptions extends MonitorOptions {
  /** 'indexeddb://name'. */
  url: string;
  /** Only when it is the best epoch so far; default false: after every epoch. */
  saveBestOnly?: boolean;
}

const checkpointOptions = { ...monitorOptions, url: text(), saveBestOnly: flag(false) };

/** Saves the model with the optimiser's state after epochs. A tab that is closed in the middle leaves the one before. */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  const given = readOptions('modelCheckpoint()', checkpointOptions, options as unknown as Config);
  const monitor = new Monitor('modelCheckpoint', given);
  return {
    async onEpochEnd(_epoch, logs, model) {
      if (!given.saveBestOnly || monitor.improves(logs)) await model.save(given.url);
    },
  };
}

/** Sets the learning rate of each epoch. @param schedule given the epoch, from 0, and the rate so far */
export function learningRateScheduler(schedule: (epoch: number, learningRate: number) => number): Callback {
  return {
    onEpochBegin(epoch, model) {
      model.learningRate = schedule(epoch, model.learningRate);
    },
  };
}

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by; default 0.1. */
  factor?: number;
  /** Epochs without improvement before it is; default 10. */
  patience?: number;
  /** Epochs to wait after it was; default 0. */
  cooldown?: number;
  /** Default 0. */
  minLearningRate?: number;
}

const plateauOptions = {
  ...monitorOptions,
  minDelta: number(1e-4, positive),
  factor: number(0.1, positive),
  patience: number(10, positive),
  cooldown: number(0, positive),
  minLearningRate: number(0, positive),
};

/** Lowers the learning rate when a number of the logs no longer improves. */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const given = readOptions('reduceLROnPlateau()', plateauOptions, options as Config);
  const { factor, patience, cooldown, minLearningRate } = given;
  const newMonitor = () => new Monitor('reduceLROnPlateau', given);
  let monitor = newMonitor();
  let waited = 0;
  let cooling = 0;
  return {
    onTrainBegin() {
      monitor = newMonitor();
      waited = 0;
      cooling = 0;
    },
    onEpochEnd(_epoch, logs, model) {
      if (cooling > 0) cooling--;
      if (monitor.improves(logs)) waited = 0;
      else if (cooling === 0 && ++waited >= patience) {
        model.learningRate = Math.max(minLearningRate, model.learningRate * factor);
        waited = 0;
        cooling = cooldown;
      }
    },
  };
}

export interface PruningOptions extends Omit<PruneOptions, 'sparsity' | 'criterion'> {
  /** Share of the weights that are zero at the end, below 1; or that share by the name of a layer or 'layer/weight'. */
  finalSparsity: number | Readonly<Record<string, number>>;
  /** The same at first, for all of them; default 0. */
  initialSparsity?: number;
  /** The batch, counted from the beginning of training, before which the first weights go; default 0. */
  beginStep?: number;
  /** The batch before which the last ones go: training should go on after it. */
  endStep: number;
  /** Batches from one time to the next; default 100. */
  frequency?: number;
}

export interface PruningCallback extends Callback {
  /** Of the last pruning: which weights have how many zeros, and why others stayed; undefined before the first. */
  readonly report: PruneReport | undefined;
}

const pruningNames: readonly (keyof PruningOptions)[] = [
  'finalSparsity',
  'initialSparsity',
  'beginStep',
  'endStep',
  'frequency',
  'structure',
  'scope',
];

/**
 * Prunes the model while it is trained: fast at first, when many weights are to spare, then ever slower
 * (https://arxiv.org/abs/1710.01878). Structures that fix the share, such as '2:4', need no schedule: call `model.prune`.
 * @throws INVALID_ARGUMENT for options that there are not, and shares and steps out of order
 */
export function pruning(options: PruningOptions): PruningCallback {
  refuseOthers('pruning()', pruningNames, options);
  const { finalSparsity, initialSparsity = 0, beginStep = 0, endStep, frequency = 100, ...structure } = options;
  const byName = typeof finalSparsity === 'object' && finalSparsity !== null;
  const finals = byName ? Object.values(finalSparsity) : [finalSparsity];
  const shares = [initialSparsity, ...finals];
  const steps = [beginStep, endStep, frequency];
  if (!(shares.every((s) => s >= 0 && s < 1) && steps.every(Number.isInteger) && beginStep >= 0 && frequency >= 1)) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      'pruning(): sparsities are from 0 to below 1, steps whole numbers from 0.',
    );
  }
  if (finals.length === 0) throw new LeptonError('INVALID_ARGUMENT', 'pruning(): finalSparsity names no layer.');
  if (finals.some((share) => initialSparsity > share) || beginStep > endStep) {
    throw new LeptonError('INVALID_ARGUMENT', 'pruning(): it begins with the lower sparsity, at the earlier step.');
  }
  let step = 0;
  let report: PruneReport | undefined;
  return {
    get report() {
      return report;
    },
    onTrainBegin() {
      step = 0;
    },
    async onBatchBegin(_batch, model) {
      const now = step++;
      const isDue = now === endStep || (now - beginStep) % frequency === 0;
      if (now < beginStep || now > endStep || !isDue) return;
      const left = endStep === beginStep ? 0 : 1 - (now - beginStep) / (endStep - beginStep);
      const shareOf = (final: number) => final + (initialSparsity - final) * left ** 3;
      if (!finals.some((final) => shareOf(final) > 0)) return;
      const sparsity = byName
        ? Object.fromEntries(Object.entries(finalSparsity).map(([name, final]) => [name, shareOf(final)]))
        : shareOf(finalSparsity);
      report = await model.prune({ ...structure, sparsity });
    },
  };
}

/** Hands out one line for every epoch: CSV, after a line of names, or JSON. */
export function logger(write: (line: string) => void, format: 'csv' | 'json' = 'csv'): Callback {
  let names: string[] | undefined;
  return {
    onEpochEnd(epoch, logs) {
      if (format === 'json') {
        write(JSON.stringify({ epoch, ...logs }));
        return;
      }
      if (!names) {
        names = Object.keys(logs);
        write(['epoch', ...names].join());
      }
      write([epoch, ...names.map((name) => logs[name] ?? '')].join());
    },
  };
}
