// Optimisers as nodes that overwrite the weights, on the operators of ops/update.op.ts. LAMB is formulas over what it keeps,
// assigned. Their options are in base/compile-options.ts; the learning rate comes with every step.
// LAMB: https://arxiv.org/abs/1904.00962

import { type optimizerOptions, readNamed } from '../base/compile-options';
import { int64s } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { AttributeValue } from '../ir/graph';
import type { LowerBuilder } from '../ir/opdef';
import { Formula } from '../ops/gradient';
import { reshaped } from './tensor';
import type { Named } from './types';

export interface Slot {
  readonly name: string;
  readonly dims: readonly number[];
  /** What all its elements begin as. */
  readonly initial: number;
}

export interface WeightToUpdate {
  /** A variable: value of the builder, float32. */
  readonly name: string;
  readonly gradient: string;
  readonly learningRateMultiplier: number;
}

export interface Schedule {
  /** float32 scalars. */
  readonly learningRate: string;
  /** From 1. */
  readonly step: string;
  /** 0 leaves everything as it is. */
  readonly wanted: string;
}

type Config = Readonly<Record<string, number | boolean | undefined>>;

interface Optimizer {
  /** Names of what is kept of each weight. */
  readonly slots: (config: Config) => readonly string[];
  readonly initial?: (config: Config) => number;
  /** The operator of ops/update.op.ts; LAMB has none. */
  readonly op?: string;
  readonly attributes: (config: Config) => Record<string, AttributeValue>;
}

const ofMoments = ({ beta1, beta2, epsilon }: Config) => ({
  beta_1: beta1 as number,
  beta_2: beta2 as number,
  epsilon: epsilon as number,
});
const twoMoments = () => ['m', 'v'];

const optimizers: Readonly<Record<keyof typeof optimizerOptions, Optimizer>> = {
  sgd: {
    slots: ({ momentum }) => (momentum === 0 ? [] : ['momentum']),
    op: 'SGD',
    attributes: ({ momentum, nesterov }) => ({ momentum: momentum as number, nesterov: Number(nesterov) }),
  },
  rmsprop: {
    slots: ({ momentum, centered }) => [
      'square',
      ...(centered ? ['mean'] : []),
      ...(momentum === 0 ? [] : ['momentum']),
    ],
    op: 'RMSprop',
    attributes: ({ rho, momentum, epsilon, centered }) => ({
      rho: rho as number,
      momentum: momentum as number,
      epsilon: epsilon as number,
      centered: Number(centered),
    }),
  },
  adagrad: {
    slots: () => ['accumulator'],
    initial: ({ initialAccumulatorValue }) => initialAccumulatorValue as number,
    op: 'Adagrad',
    attributes: ({ epsilon }) => ({ epsilon: epsilon as number }),
  },
  adam: { slots: twoMoments, op: 'Adam', attributes: ofMoments },
  adamw: {
    slots: twoMoments,
    op: 'AdamW',
    attributes: (config) => ({ ...ofMoments(config), weight_decay: config.weightDecay as number }),
  },
  lamb: {
    slots: twoMoments,
    attributes: () => ({}),
  },
};

interface Read extends Optimizer {
  readonly config: Config;
}

function read(named: Named): Read {
  const config = readNamed('optimiser', named);
  return { ...optimizers[named.name as keyof typeof optimizerOptions], config };
}

/** What the optimiser keeps: to be declared as variables before `update`. @throws INVALID_ARGUMENT for a bad option */
export function slotsOf(
  named: Named,
  weights: readonly { readonly name: string; readonly dims: readonly number[] }[],
): Slot[] {
  const { slots, initial, config } = read(named);
  return weights.flatMap(({ name, dims }) =>
    slots(config).map((slot) => ({ name: `${name}/${slot}`, dims, initial: initial?.(config) ?? 0 })),
  );
}

/**
 * Adds the nodes of one update; the slots must be values of the builder, by the names that `slotsOf` gives.
 * @returns the results of the overwriting nodes
 */
export function update(
  named: Named,
  b: LowerBuilder,
  { weights, learningRate, step, wanted }: { readonly weights: readonly WeightToUpdate[] } & Schedule,
): { outputs: string[] } {
  const { op, slots, attributes, config } = read(named);
  const f = new Formula(b, 'float32');
  const gradients = clip(f, weights, config);
  const rates = new Map<number, string>();
  const rateOf = (multiplier: number) => {
    const rate = rates.get(multiplier) ?? (multiplier === 1 ? learningRate : f.mul(learningRate, multiplier));
    rates.set(multiplier, rate);
    return rate;
  };
  const schedules = new Map<number, string>();
  const scheduleOf = (multiplier: number) => {
    const parts = [rateOf(multiplier), step, wanted].map((value) => reshaped(b, value, [1]));
    const schedule = schedules.get(multiplier) ?? f.node('Concat', parts, { axis: 0 });
    schedules.set(multiplier, schedule);
    return schedule;
  };
  const outputs = weights.flatMap(({ name, learningRateMultiplier }, i) => {
    const gradient = gradients[i] as string;
    const own = slots(config).map((slot) => `${name}/${slot}`);
    if (op === undefined) {
      const [m, v] = own as [string, string];
      const rate = rateOf(learningRateMultiplier);
      return lamb(f, { name, gradient, m, v, rate, step, wanted }, config);
    }
    const inputs = [name, ...own, gradient, scheduleOf(learningRateMultiplier)];
    return b.add(`lepton.${op}`, inputs, attributes(config), 1 + own.length);
  });
  return { outputs };
}

function norm(f: Formula, value: string): string {
  return f.of('Sqrt', squares(f, value));
}

/** The sum of the squares, a scalar. */
function squares(f: Formula, value: string): string {
  const flat = reshaped(f.b, value, [sizeOf(f.b.type(value).dims)]);
  return f.node('ReduceSumSquare', [flat, f.b.constant(int64s([0]))], { keepdims: 0 });
}

function clip(f: Formula, weights: readonly WeightToUpdate[], config: Config): string[] {
  const { clipValue, clipNorm, globalClipnorm } = config as Record<string, number | undefined>;
  let gradients = weights.map(({ gradient }) => gradient);
  const shrunk = (gradient: string, length: string, most: number) =>
    f.mul(gradient, f.div(most, f.of('Max', length, most)));
  if (clipValue !== undefined) gradients = gradients.map((g) => f.of('Clip', g, -clipValue, clipValue));
  if (clipNorm !== undefined) gradients = gradients.map((g) => shrunk(g, norm(f, g), clipNorm));
  if (globalClipnorm !== undefined && gradients.length > 0) {
    const all = f.of('Sqrt', f.of('Sum', ...gradients.map((g) => squares(f, g))));
    gradients = gradients.map((g) => shrunk(g, all, globalClipnorm));
  }
  return gradients;
}

interface LambTerms {
  readonly name: string;
  readonly gradient: string;
  readonly m: string;
  readonly v: string;
  readonly rate: string;
  readonly step: string;
  readonly wanted: string;
}

function lamb(f: Formula, { name, gradient, m, v, rate, step, wanted }: LambTerms, config: Config): string[] {
  const { beta1, beta2, epsilon, weightDecay } = config as Record<string, number>;
  const moving = (old: string, next: string, beta: number) => f.add(f.mul(old, beta), f.mul(next, 1 - beta));
  const mean = moving(m, gradient, beta1 as number);
  const square = moving(v, f.mul(gradient, gradient), beta2 as number);
  const unbiased = (value: string, beta: number) => f.div(value, f.sub(1, f.of('Pow', f.number(beta), step)));
  const root = f.of('Sqrt', unbiased(square, beta2 as number));
  const move = f.div(unbiased(mean, beta1 as number), f.add(root, epsilon as number));
  const decayed = (weightDecay as number) > 0 ? f.add(move, f.mul(name, weightDecay as number)) : move;
  const [length, reach] = [norm(f, name), norm(f, decayed)] as const;
  const both = f.of('Greater', f.mul(length, reach), 0);
  // The layer moves in proportion to its own length; 1 where either is nothing.
  const trust = f.of('Where', both, f.div(length, f.of('Max', reach, 1e-30)), 1);
  const next = f.sub(name, f.mul(f.mul(trust, rate), decayed));
  const really = f.of('Greater', wanted, 0);
  const assign = (variable: string, value: string) =>
    f.node('lepton.Assign', [variable, f.of('Where', really, value, variable)]);
  return [assign(name, next), assign(m, mean), assign(v, square)];
}
