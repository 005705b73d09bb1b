// Metrics as nodes: each gives the counts and sums of one batch, a vector that is added up over the batches of an epoch;
// base/metric-totals.ts makes the metric of the totals. Losses are metrics too.

import { type ownMetricOptions, readNamed } from '../base/compile-options';
import { int64s, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { LowerBuilder } from '../ir/opdef';
import { Formula } from '../ops/gradient';
import { classLabels, floatLabels, isClass, lossOf, meanOfSamples } from './losses';
import { reshaped } from './tensor';
import type { Named } from './types';

interface Given {
  readonly f: Formula;
  readonly name: string;
  readonly y: string;
  readonly x: string;
  /** float32[batch] */
  readonly weight: string;
  // biome-ignore lint/suspicious/noExplicitAny: options of every metric
  readonly config: Record<string, any>;
}

type Metric = (g: Given) => string;

/** [sum of weight · value, sum of weight] of values by sample. */
function weighted({ f, weight }: Given, perSample: string): string {
  return vector(f, [total(f, f.mul(perSample, weight)), total(f, weight)]);
}

function total(f: Formula, value: string): string {
  const flat = reshaped(f.b, value, [sizeOf(f.b.type(value).dims)]);
  return f.node('ReduceSum', [flat, f.b.constant(int64s([0]))], { keepdims: 1 });
}

/** Sums over the first axis of [rows, columns]. */
const overRows = (f: Formula, value: string) =>
  f.node('ReduceSum', [value, f.b.constant(int64s([0]))], { keepdims: 0 });

const vector = (f: Formula, parts: readonly string[]) =>
  parts.length === 1 ? (parts[0] as string) : f.node('Concat', parts, { axis: 0 });

const toFloat = (f: Formula, condition: string) => f.node('Cast', [condition], { to: 1 });
const columnsOf = ({ f, x }: Given) => f.b.type(x).dims.at(-1) as number;

/** Numbers of classes, whatever the labels are: numbers already, or one-hot. */
function trueClasses({ f, y, x, name }: Given): string {
  const [labels, output] = [f.b.type(y).dims, f.b.type(x).dims];
  if (labels.length < output.length || labels.at(-1) === 1) return classLabels(f, y, x, name);
  return largest(f, floatLabels(f, y, x, name));
}

/** The number of the largest element along the last axis, int32. */
function largest(f: Formula, value: string): string {
  return f.node('Cast', [f.node('ArgMax', [value], { axis: -1, keepdims: 0 })], { to: 6 });
}

function binaryMatches({ f, y, x, name, config }: Given): string {
  const above = toFloat(f, f.of('Greater', x, config.threshold ?? 0.5));
  return toFloat(f, f.of('Equal', above, floatLabels(f, y, x, name)));
}

function categoricalMatches(g: Given): string {
  return toFloat(g.f, g.f.node('Equal', [largest(g.f, g.x), trueClasses(g)]));
}

/** Labels and decisions as 0 and 1, [rows, columns], and the weight of each row. */
function decisions(g: Given): { truth: string; said: string; rows: string } {
  const { f, x, y, name, config } = g;
  const columns = columnsOf(g);
  const count = sizeOf(f.b.type(x).dims) / columns;
  const sparse = columns > 1 && f.b.type(y).dims.at(-1) !== columns;
  const truth = sparse ? toFloat(f, isClass(f, trueClasses(g), x)) : floatLabels(f, y, x, name);
  // One class of several is the largest; one thing that is or is not lies beyond the threshold.
  const said = sparse ? isClass(f, largest(f, x), x) : f.of('Greater', x, config.threshold);
  return {
    truth: reshaped(f.b, truth, [count, columns]),
    said: reshaped(f.b, toFloat(f, said), [count, columns]),
    rows: rowWeights(g, count),
  };
}

/** The samples' weights as [rows, 1], where a sample may have several rows. */
function rowWeights({ f, weight }: Given, count: number): string {
  const batch = f.b.type(weight).dims[0] as number;
  const column = reshaped(f.b, weight, [batch, 1]);
  const wide = f.node('Expand', [column, f.b.constant(int64s([batch, count / batch]))]);
  return reshaped(f.b, count === batch ? column : wide, [count, 1]);
}

/** True positives, false positives and false negatives, by class or of all together. */
function positives(g: Given): string {
  const { f, config } = g;
  const { truth, said, rows } = decisions(g);
  const both = f.mul(f.mul(truth, said), rows);
  const sums = [both, f.sub(f.mul(said, rows), both), f.sub(f.mul(truth, rows), both)];
  return vector(
    f,
    sums.map((value) => (config.average === 'macro' ? overRows(f, value) : total(f, value))),
  );
}

const perSample =
  (op: (f: Formula, error: string) => string): Metric =>
  (g) =>
    weighted(g, meanOfSamples(g.f, op(g.f, g.f.sub(g.x, floatLabels(g.f, g.y, g.x, g.name)))));
const squared = perSample((f, error) => f.mul(error, error));

const binaryAccuracy: Metric = (g) => weighted(g, meanOfSamples(g.f, binaryMatches(g)));
const categoricalAccuracy: Metric = (g) => weighted(g, meanOfSamples(g.f, categoricalMatches(g)));

const metrics: Readonly<Record<keyof typeof ownMetricOptions, Metric>> = {
  accuracy: (g) => (columnsOf(g) === 1 ? binaryAccuracy : categoricalAccuracy)(g),
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy: categoricalAccuracy,
  topKCategoricalAccuracy(g) {
    const { f, x, config } = g;
    const last = f.b.constant(int64s([-1]));
    const own = f.node('ReduceSum', [f.keep(isClass(f, trueClasses(g), x), x), last], { keepdims: 1 });
    const above = f.node('ReduceSum', [toFloat(f, f.of('Greater', x, own)), last], { keepdims: 0 });
    return weighted(g, meanOfSamples(f, toFloat(f, f.of('Less', above, config.k))));
  },
  precision: positives,
  recall: positives,
  f1: positives,
  /** True and false positives above each threshold, then all positives and negatives. */
  auc(g) {
    const { f, x, y, name, config } = g;
    const count = sizeOf(f.b.type(x).dims);
    const n = config.numThresholds as number;
    const at = Array.from({ length: n }, (_, i) => i / (n - 1));
    [at[0], at[n - 1]] = [-1e-7, 1 + 1e-7];
    const above = f.node('Greater', [reshaped(f.b, x, [count, 1]), f.b.constant(ndarray('float32', [1, n], at))]);
    const truth = reshaped(f.b, floatLabels(f, y, x, name), [1, count]);
    const weight = reshaped(f.b, rowWeights(g, count), [1, count]);
    const [yes, no] = [f.mul(truth, weight), f.mul(f.sub(1, truth), weight)] as const;
    const counts = (w: string) => reshaped(f.b, f.node('MatMul', [w, toFloat(f, above)]), [n]);
    return vector(f, [counts(yes), counts(no), total(f, yes), total(f, no)]);
  },
  meanSquaredError: squared,
  rootMeanSquaredError: squared,
  meanAbsoluteError: perSample((f, error) => f.of('Abs', error)),
  /** Rows are true classes, columns what was said. */
  confusionMatrix(g) {
    const { f, x, y, name, config } = g;
    const columns = columnsOf(g);
    const binary = columns === 1;
    const classes = Math.max(2, columns);
    const count = sizeOf(f.b.type(x).dims) / columns;
    const toClass = (v: string) => reshaped(f.b, f.node('Cast', [v], { to: 6 }), [count]);
    const truth = binary ? floatLabels(f, y, x, name) : trueClasses(g);
    const said = binary ? f.of('Greater', x, config.threshold) : largest(f, x);
    const wide = f.b.constant(ndarray('float32', [count, classes]));
    const oneHot = (v: string) => toFloat(f, isClass(f, toClass(v), wide));
    const rows = f.mul(oneHot(truth), rowWeights(g, count));
    const turned = f.node('Transpose', [rows], { perm: [1, 0] });
    return reshaped(f.b, f.node('MatMul', [turned, oneHot(said)]), [classes * classes]);
  },
  /** By column the sums of y, y² and the squared error; then the sum of weights. */
  r2(g) {
    const { f, x, name } = g;
    const columns = columnsOf(g);
    const count = sizeOf(f.b.type(x).dims) / columns;
    const flat = (v: string) => reshaped(f.b, v, [count, columns]);
    const [y, p] = [flat(floatLabels(f, g.y, x, name)), flat(x)];
    const weight = rowWeights(g, count);
    const error = f.sub(y, p);
    const sums = [y, f.mul(y, y), f.mul(error, error)].map((v) => overRows(f, f.mul(v, weight)));
    return vector(f, [...sums, total(f, weight)]);
  },
};

/**
 * @param sampleWeight float32[batch]; default all 1
 * @returns float32[n]
 * @throws INVALID_ARGUMENT where there is no such metric, or the labels do not have the shape that it needs
 */
export function totalsOf(metric: Named, b: LowerBuilder, yTrue: string, yPred: string, sampleWeight?: string): string {
  const { name } = metric;
  const config = readNamed('metric', metric);
  const f = new Formula(b, 'float32');
  const batch = b.type(yPred).dims[0] as number;
  const weight = sampleWeight ?? b.constant(ndarray('float32', [batch], new Float32Array(batch).fill(1)));
  const given = { f, name, y: yTrue, x: yPred, weight, config };
  if (Object.hasOwn(metrics, name)) return metrics[name as keyof typeof ownMetricOptions](given);
  return weighted(given, lossOf(metric, b, yTrue, yPred));
}
