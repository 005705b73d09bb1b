// What options losses, metrics and optimisers have, by their names: the page checks them when a model is compiled, the
// worker reads them when it makes a step. Defaults are Keras 3's.

import { choice, flag, invalid, type Named, number, type Options, optional, readOptions, whole } from './options';

const share: readonly [number, number] = [0, 1];
const positive: readonly [number, number] = [0, Infinity];

const fromLogits = { fromLogits: flag(false) };
const smoothed = { ...fromLogits, labelSmoothing: number(0, share) };

export const lossOptions = {
  meanSquaredError: {},
  meanAbsoluteError: {},
  meanAbsolutePercentageError: {},
  meanSquaredLogarithmicError: {},
  huber: { delta: number(1, positive) },
  logCosh: {},
  binaryCrossentropy: smoothed,
  categoricalCrossentropy: smoothed,
  sparseCategoricalCrossentropy: fromLogits,
  hinge: {},
  squaredHinge: {},
  categoricalHinge: {},
  kullbackLeiblerDivergence: {},
  poisson: {},
  cosineSimilarity: {},
} satisfies Record<string, Options>;

const threshold = { threshold: number(0.5) };
const average = { ...threshold, average: choice(['micro', 'macro'], 'micro') };

/** Those of metrics that are no losses. */
export const ownMetricOptions = {
  accuracy: {},
  binaryAccuracy: threshold,
  categoricalAccuracy: {},
  sparseCategoricalAccuracy: {},
  topKCategoricalAccuracy: { k: whole(1, 5) },
  precision: average,
  recall: average,
  f1: average,
  auc: { numThresholds: whole(3, 200) },
  meanSquaredError: {},
  rootMeanSquaredError: {},
  meanAbsoluteError: {},
  confusionMatrix: threshold,
  r2: {},
} satisfies Record<string, Options>;

export const metricOptions = { ...lossOptions, ...ownMetricOptions };

const epsilon = { epsilon: number(1e-7, positive) };
const moments = { beta1: number(0.9, share), beta2: number(0.999, share), ...epsilon };
/** What all have. The learning rate is the first: each step comes with its own. */
const common = (learningRate: number) => ({
  learningRate: number(learningRate, positive),
  clipValue: optional(number(undefined, positive)),
  clipNorm: optional(number(undefined, positive)),
  globalClipnorm: optional(number(undefined, positive)),
});

export const optimizerOptions = {
  sgd: { ...common(0.01), momentum: number(0, share), nesterov: flag(false) },
  rmsprop: {
    ...common(0.001),
    ...{ rho: number(0.9, share), momentum: number(0, share), ...epsilon, centered: flag(false) },
  },
  adagrad: { ...common(0.001), initialAccumulatorValue: number(0.1, positive), ...epsilon },
  adam: { ...common(0.001), ...moments },
  adamw: { ...common(0.001), ...moments, weightDecay: number(0.004, positive) },
  lamb: { ...common(0.001), ...moments, weightDecay: number(0, positive) },
} satisfies Record<string, Options>;

const kinds = { loss: lossOptions, metric: metricOptions, optimiser: optimizerOptions };

/**
 * The options with their defaults.
 * @throws INVALID_ARGUMENT where there is none of that name, or an option is not one of its
 */
// biome-ignore lint/suspicious/noExplicitAny: options of every type
export function readNamed(kind: keyof typeof kinds, { name, config }: Named): Readonly<Record<string, any>> {
  const known: Readonly<Record<string, Options>> = kinds[kind];
  const options = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!options) invalid(`There is no ${kind} "${name}"; there are ${Object.keys(known).join(', ')}.`, { name });
  return readOptions(`The ${kind} "${name}"`, options, config);
}
