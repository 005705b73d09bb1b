// How a model is compiled, as callers write it and as the worker takes it.

import { LeptonError } from '../../base/errors';
import type { CompileSpec, Config, Named } from '../../nn/types';

/** By name, with the defaults, or with options: `{ name: 'sgd', learningRate: 0.1, momentum: 0.9 }`. */
export type NameOrOptions<N extends string> = N | ({ name: N } & Record<string, number | boolean | string | undefined>);

export type OptimizerName = 'sgd' | 'rmsprop' | 'adagrad' | 'adam' | 'adamw' | 'lamb';

export type LossName =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber'
  | 'logCosh'
  | 'binaryCrossentropy'
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'hinge'
  | 'squaredHinge'
  | 'categoricalHinge'
  | 'kullbackLeiblerDivergence'
  | 'poisson'
  | 'cosineSimilarity';

export type MetricName =
  | 'accuracy'
  | 'binaryAccuracy'
  | 'categoricalAccuracy'
  | 'sparseCategoricalAccuracy'
  | 'topKCategoricalAccuracy'
  | 'precision'
  | 'recall'
  | 'f1'
  | 'auc'
  | 'meanSquaredError'
  | 'rootMeanSquaredError'
  | 'meanAbsoluteError'
  | 'r2'
  | 'confusionMatrix';

export interface CompileOptions {
  /** Default 'adam'. */
  optimizer?: NameOrOptions<OptimizerName>;
  /** One for all outputs of the model, or one for each. */
  loss: NameOrOptions<LossName> | readonly NameOrOptions<LossName>[];
  /** How much each output's loss counts; default 1. */
  lossWeights?: readonly number[];
  /** For the only output, or a list for each. */
  metrics?: readonly NameOrOptions<MetricName>[] | readonly (readonly NameOrOptions<MetricName>[])[];
  /** Batches whose gradients are averaged before the weights change, as if they were one batch; default 1. */
  gradientAccumulationSteps?: number;
  /**
   * Saves memory for time: the forward pass falls into so many parts (from 2), which are computed again when the backward
   * pass gets there, instead of keeping what all of them gave. About the square root of the number of layers saves most.
   */
  recompute?: number;
}

/** Keras's defaults. */
const learningRates: Readonly<Record<string, number>> = { sgd: 0.01 };
const commonLearningRate = 0.001;

/** @throws INVALID_ARGUMENT where there is not one loss for each output */
export function compileSpecOf(options: CompileOptions, outputs: number): { spec: CompileSpec; learningRate: number } {
  const { optimizer = 'adam', loss, lossWeights, metrics = [], gradientAccumulationSteps = 1, recompute } = options;
  const { learningRate, ...own } = namedOf(optimizer).config ?? {};
  const { name } = namedOf(optimizer);
  if (learningRate !== undefined && !(typeof learningRate === 'number' && learningRate >= 0)) {
    throw invalid(`has learningRate = ${JSON.stringify(learningRate)}; expected a number from 0`);
  }
  if (loss === undefined) throw invalid('needs a loss');
  const losses = Array.isArray(loss) ? loss : Array.from({ length: outputs }, () => loss);
  const lists = metrics.some(Array.isArray) || outputs > 1 ? metrics : [metrics];
  if (losses.length !== outputs) throw invalid(`has ${losses.length} losses for ${outputs} outputs`);
  if (!Number.isSafeInteger(gradientAccumulationSteps) || gradientAccumulationSteps < 1) {
    throw invalid(`has gradientAccumulationSteps = ${gradientAccumulationSteps}; expected a whole number from 1`);
  }
  if (recompute !== undefined && !(Number.isSafeInteger(recompute) && recompute > 1)) {
    throw invalid(`has recompute = ${recompute}; expected a whole number from 2`);
  }
  if (lossWeights && lossWeights.length !== outputs) {
    throw invalid(`has ${lossWeights.length} lossWeights for ${outputs} outputs`);
  }
  if (lists.length > 0 && lists.length !== outputs)
    throw invalid(`has metrics for ${lists.length} of ${outputs} outputs`);
  return {
    spec: {
      optimizer: { name, config: own },
      losses: losses.map(namedOf),
      lossWeights: lossWeights ?? losses.map(() => 1),
      ...(recompute !== undefined && { recompute }),
      ...(gradientAccumulationSteps > 1 && { gradientAccumulationSteps }),
      metrics: losses.map((_, i) => ((lists[i] ?? []) as readonly NameOrOptions<MetricName>[]).map(namedOf)),
    },
    learningRate: typeof learningRate === 'number' ? learningRate : (learningRates[name] ?? commonLearningRate),
  };
}

function namedOf(given: NameOrOptions<string>): Named {
  if (typeof given === 'string') return { name: given };
  const { name, ...options } = given;
  if (typeof name !== 'string') throw invalid(`has ${JSON.stringify(given)} where a name or { name, … } was expected`);
  const set = Object.entries(options).filter(
    (entry): entry is [string, number | boolean | string] => entry[1] !== undefined,
  );
  return set.length > 0 ? { name, config: Object.fromEntries(set) as Config } : { name };
}

function invalid(what: string): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `compile() ${what}.`);
}
