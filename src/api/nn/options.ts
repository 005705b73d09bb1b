// How a model is compiled, as callers write it and as the worker takes it.

import { type lossOptions, type metricOptions, type optimizerOptions, readNamed } from '../../base/compile-options';
import { LeptonError } from '../../base/errors';
import { number, readOptions, refuseOthers, whole } from '../../base/options';
import type { CompileSpec, Config, LossScaling, Named } from '../../nn/types';

/** By name, with the defaults, or with options: `{ name: 'sgd', learningRate: 0.1, momentum: 0.9 }`. */
export type NameOrOptions<N extends string> = N | ({ name: N } & Record<string, number | boolean | string | undefined>);

export type OptimizerName = keyof typeof optimizerOptions;
export type LossName = keyof typeof lossOptions;
/** Losses are metrics too. */
export type MetricName = keyof typeof metricOptions;

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
  /**
   * Products and convolutions compute in float16, as in Keras' policy 'mixed_float16'; weights stay float32. The loss is
   * multiplied by a scale, so that small gradients are not lost: it begins with `initialScale` (default 32768), halves where a
   * gradient is not finite (that step is skipped), and doubles after `dynamicGrowthSteps` (default 2000) without. Needs a GPU
   * with 'shader-f16', or training fails with UNSUPPORTED_OPERATION.
   */
  mixedPrecision?: boolean | { initialScale?: number; dynamicGrowthSteps?: number };
}

const names: readonly (keyof CompileOptions)[] = [
  'optimizer',
  'loss',
  'lossWeights',
  'metrics',
  'gradientAccumulationSteps',
  'recompute',
  'mixedPrecision',
];
const scalingOptions = { initialScale: number(32768, [1, 2 ** 126]), dynamicGrowthSteps: whole(1, 2000) };

/** @throws INVALID_ARGUMENT for what there is not, or is not as it must be, by name */
export function compileSpecOf(options: CompileOptions, outputs: number): { spec: CompileSpec; learningRate: number } {
  refuseOthers('compile()', names, options);
  const { optimizer = 'adam', loss, lossWeights, metrics = [], recompute, mixedPrecision = false } = options;
  const { gradientAccumulationSteps = 1 } = options;
  if (loss === undefined) throw invalid('needs a loss');
  if (!Array.isArray(metrics)) throw invalid(`has metrics = ${JSON.stringify(metrics)}; expected a list`);
  const losses = Array.isArray(loss) ? loss : Array.from({ length: outputs }, () => loss);
  const lists = metrics.some(Array.isArray) || outputs > 1 ? metrics : [metrics];
  if (losses.length !== outputs) throw invalid(`has ${losses.length} losses for ${outputs} outputs`);
  if (!Number.isSafeInteger(gradientAccumulationSteps) || gradientAccumulationSteps < 1) {
    throw invalid(`has gradientAccumulationSteps = ${gradientAccumulationSteps}; expected a whole number from 1`);
  }
  if (recompute !== undefined && !(Number.isSafeInteger(recompute) && recompute > 1)) {
    throw invalid(`has recompute = ${recompute}; expected a whole number from 2`);
  }
  if (lossWeights && !(lossWeights.length === outputs && lossWeights.every(Number.isFinite))) {
    throw invalid(`has lossWeights = [${lossWeights.join(', ')}]; expected a number for each of ${outputs} outputs`);
  }
  if (lists.length > 0 && lists.length !== outputs)
    throw invalid(`has metrics for ${lists.length} of ${outputs} outputs`);
  const { name, config = {} } = namedOf(optimizer);
  const { learningRate: _, ...own } = config;
  const read = (kind: 'loss' | 'metric') => (given: NameOrOptions<string>) => {
    const named = namedOf(given);
    readNamed(kind, named);
    return named;
  };
  return {
    spec: {
      optimizer: { name, config: own },
      losses: losses.map(read('loss')),
      lossWeights: lossWeights ?? losses.map(() => 1),
      ...(recompute !== undefined && { recompute }),
      ...(mixedPrecision !== false && { mixedPrecision: scalingOf(mixedPrecision) }),
      ...(gradientAccumulationSteps > 1 && { gradientAccumulationSteps }),
      metrics: losses.map((_, i) => ((lists[i] ?? []) as readonly NameOrOptions<MetricName>[]).map(read('metric'))),
    },
    learningRate: readNamed('optimiser', { name, config }).learningRate,
  };
}

function scalingOf(given: true | object): LossScaling {
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw invalid(`has mixedPrecision = ${JSON.stringify(given)}; expected true, false or { initialScale, … }`);
  }
  return readOptions('mixedPrecision of compile()', scalingOptions, given === true ? {} : (given as Config));
}

function namedOf(given: NameOrOptions<string>): Named {
  if (typeof given === 'string') return { name: given };
  const { name, ...options } = given ?? {};
  if (typeof name !== 'string') throw invalid(`has ${JSON.stringify(given)} where a name or { name, … } was expected`);
  const set = Object.entries(options).filter(
    (entry): entry is [string, number | boolean | string] => entry[1] !== undefined,
  );
  return set.length > 0 ? { name, config: Object.fromEntries(set) as Config } : { name };
}

function invalid(what: string): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `compile() ${what}.`);
}
