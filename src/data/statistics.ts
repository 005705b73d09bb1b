// What a data set's features are like, and transforms made of it. A feature is an index of the last dimension: a column of a
// table, a channel of pictures. Missing values are NaN and count for nothing but `missing`. Statistics are plain data: they are
// saved with a model, so that what it is asked is prepared as what it learned from was.

import { isFloat } from '../base/dtype';
import { LeptonError } from '../base/errors';
import type { TensorLike } from '../base/tensor-like';
import { mapBatch } from './tensors';
import type { Batch, Rows } from './types';

/** One entry a feature. */
export interface FeatureStatistics {
  readonly mean: readonly number[];
  /** Root of the mean squared distance from the mean. */
  readonly deviation: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly missing: readonly number[];
}

/** By tensor: 'xs', or 'xs.age' where there are several. Only of what a model is fed. */
export type Statistics = Readonly<Record<string, FeatureStatistics>>;

/** 'standard' makes mean 0 and deviation 1, 'minMax' the range 0 to 1. */
export type NormaliseKind = 'standard' | 'minMax';
/** A constant, or statistics whose means are taken. */
export type MissingValues = number | Statistics;

interface Sums {
  /** Near the mean, so that squares of large values do not drown their differences. */
  readonly shift: Float64Array;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  readonly count: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly missing: Float64Array;
}

export async function statisticsOf(batches: AsyncIterable<Batch>): Promise<Statistics> {
  const sums = new Map<string, Sums>();
  for await (const batch of batches) {
    mapBatch(batch, (tensor, name) => {
      if (name.startsWith('xs')) {
        if (!sums.has(name)) sums.set(name, emptySums(featuresOf(tensor)));
        addTo(sums.get(name) as Sums, tensor);
      }
      return tensor;
    });
  }
  if (sums.size === 0) throw new LeptonError('INVALID_DATA', 'There are no samples to make statistics of.');
  return Object.fromEntries([...sums].map(([name, own]) => [name, finish(own)]));
}

/** [n] is n samples of one feature. */
function featuresOf({ dims }: TensorLike): number {
  return dims.length > 1 ? (dims.at(-1) as number) : 1;
}

function emptySums(features: number): Sums {
  const array = (value: number) => new Float64Array(features).fill(value);
  return {
    ...{ shift: array(Number.NaN), sum: array(0), squares: array(0), count: array(0), missing: array(0) },
    ...{ min: array(Number.POSITIVE_INFINITY), max: array(Number.NEGATIVE_INFINITY) },
  };
}

function addTo({ shift, sum, squares, count, min, max, missing }: Sums, tensor: TensorLike): void {
  const { data } = tensor;
  const features = featuresOf(tensor);
  for (let f = 0; f < features; f++) {
    let [ownSum, ownSquares, ownCount, low, high] = [0, 0, 0, min[f] as number, max[f] as number];
    let own = shift[f] as number;
    let lost = 0;
    for (let i = f; i < data.length; i += features) {
      const value = Number(data[i]);
      if (Number.isNaN(value)) {
        lost++;
        continue;
      }
      if (Number.isNaN(own)) own = value;
      const d = value - own;
      ownSum += d;
      ownSquares += d * d;
      ownCount++;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    shift[f] = own;
    sum[f] = (sum[f] as number) + ownSum;
    squares[f] = (squares[f] as number) + ownSquares;
    count[f] = (count[f] as number) + ownCount;
    missing[f] = (missing[f] as number) + lost;
    min[f] = low;
    max[f] = high;
  }
}

/** A feature that no sample has is 0 throughout. */
function finish({ shift, sum, squares, count, min, max, missing }: Sums): FeatureStatistics {
  const features = [...count.keys()];
  const known = (value: (f: number) => number) => features.map((f) => (count[f] === 0 ? 0 : value(f)));
  const offset = (f: number) => (sum[f] as number) / (count[f] as number);
  return {
    mean: known((f) => (shift[f] as number) + offset(f)),
    deviation: known((f) => Math.sqrt(Math.max(0, (squares[f] as number) / (count[f] as number) - offset(f) ** 2))),
    min: known((f) => min[f] as number),
    max: known((f) => max[f] as number),
    missing: [...missing],
  };
}

/** A feature that is the same in all samples becomes 0. */
export function normaliseRows(rows: Rows, statistics: Statistics, kind: NormaliseKind): Rows {
  return changing(rows, statistics, ({ mean, deviation, min, max }) => {
    const from = kind === 'standard' ? mean : min;
    const span = kind === 'standard' ? deviation : max.map((high, f) => high - (min[f] as number));
    const factor = span.map((s) => (s > 0 ? 1 / s : 0));
    return (value, f) => (value - (from[f] as number)) * (factor[f] as number);
  });
}

export function fillRows(rows: Rows, by: MissingValues): Rows {
  if (typeof by !== 'number') {
    return changing(
      rows,
      by,
      ({ mean }) =>
        (value, f) =>
          Number.isNaN(value) ? (mean[f] as number) : value,
    );
  }
  return {
    ...rows,
    async read(...request) {
      return mapBatch(await rows.read(...request), (tensor, name) =>
        name.startsWith('xs') && isFloat(tensor.type)
          ? float32(tensor, (value) => (Number.isNaN(value) ? by : value))
          : tensor,
      );
    },
  };
}

type Change = (value: number, feature: number) => number;

/** Every element of the tensors that have statistics changed, as float32. */
function changing(rows: Rows, statistics: Statistics, changeBy: (own: FeatureStatistics) => Change): Rows {
  const changes = new Map(Object.entries(statistics).map(([name, own]) => [name, changeBy(own)]));
  return {
    ...rows,
    async read(...request) {
      return mapBatch(await rows.read(...request), (tensor, name) => {
        const change = changes.get(name);
        if (!change) return tensor;
        const expected = statistics[name]?.mean.length;
        if (featuresOf(tensor) !== expected) {
          throw new LeptonError(
            'INVALID_ARGUMENT',
            `The statistics of ${name} are of ${expected} features, but the samples have ${featuresOf(tensor)}.`,
          );
        }
        return float32(tensor, change);
      });
    },
  };
}

function float32(tensor: TensorLike, change: Change): TensorLike {
  const { data, dims } = tensor;
  const features = featuresOf(tensor);
  const out = new Float32Array(data.length);
  for (let i = 0, f = 0; i < out.length; i++) {
    out[i] = change(Number(data[i]), f);
    if (++f === features) f = 0;
  }
  return { type: 'float32', dims, data: out };
}

/** By sample: whether a tensor of it holds a NaN. */
export function hasMissing(batch: Batch): boolean[] {
  const out: boolean[] = [];
  mapBatch(batch, (tensor) => {
    const count = tensor.dims[0] as number;
    const length = tensor.data.length / count;
    for (let i = 0; i < count; i++) {
      out[i] ??= false;
      if (!isFloat(tensor.type)) continue;
      for (let k = i * length; k < (i + 1) * length && !out[i]; k++) out[i] = Number.isNaN(tensor.data[k]);
    }
    return tensor;
  });
  return out;
}
