// What `fit` and `evaluate` are given, and the batches it becomes.

import { LeptonError } from '../../base/errors';
import { flag, number, type Option, optional, readOptions, whole } from '../../base/options';
import { type ArrayInput, type Batch, Dataset, fromArrays } from '../../data';
import type { WireTensor } from '../../worker/protocol';
import { anything, signal } from '../options';
import type { Callback } from './callbacks';
import type { Layer } from './layer';

/** Tensors, typed arrays or nested lists, the samples along the first dimension; by name where there are several. */
export type Data = ArrayInput | Readonly<Record<string, ArrayInput>>;

export interface FitOptions {
  /** Default 1. */
  epochs?: number;
  /** Epoch to begin with, for training that goes on; default 0. */
  initialEpoch?: number;
  /** Samples in a batch; default 32. Not for data that comes in batches. */
  batchSize?: number;
  /** Default true: another order in each epoch. Not for data that comes in batches. */
  shuffle?: boolean;
  /** Of the order; default: another each time. */
  seed?: number;
  /** The last part of the samples is validated with instead of trained on: a number below 1. Not with `validationData`. */
  validationSplit?: number;
  /** What each epoch ends with evaluating: `[x, y]`, or batches. */
  validationData?: readonly [Data, Data] | AsyncIterable<Batch>;
  /** By class number: how much its samples count in training. Labels must be class numbers, or vectors with a one. */
  classWeight?: Readonly<Record<number, number>>;
  /** How much each sample counts. */
  sampleWeight?: ArrayInput;
  /** Batches that make an epoch, for data without end. */
  stepsPerEpoch?: number;
  callbacks?: readonly Callback[];
  /** Ends training with an error; the weights stay as the last batch left them. */
  signal?: AbortSignal;
}

export interface EvaluateOptions {
  /** Default 32. Not for data that comes in batches. */
  batchSize?: number;
  signal?: AbortSignal;
}

/** Also without end, for what a callback or the data ends. */
const count =
  (least: number, fallback: number): Option<number> =>
  (value: unknown = fallback, fail) =>
    value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= least)
      ? (value as number)
      : fail(`a whole number from ${least}`);

const fitOptions = {
  epochs: count(0, 1),
  initialEpoch: whole(0, 0),
  batchSize: whole(1, 32),
  shuffle: flag(true),
  seed: optional(number()),
  validationSplit: number(0, [0, 1]),
  validationData: anything,
  classWeight: anything,
  sampleWeight: anything,
  stepsPerEpoch: count(1, Number.POSITIVE_INFINITY),
  callbacks: (value, fail) => (value === undefined || Array.isArray(value) ? value : fail('a list')),
  signal,
} satisfies Record<keyof FitOptions, Option<unknown>>;
const evaluateOptions = { batchSize: whole(1, 32), signal } satisfies Record<keyof EvaluateOptions, Option<unknown>>;

/** @throws INVALID_ARGUMENT for options that there are not, or that are not as they must be */
export const checkFit = (options: FitOptions) => void readOptions('fit()', fitOptions, options);

/** @throws INVALID_ARGUMENT for options that there are not, or that are not as they must be */
export const checkEvaluate = (who: string, options: EvaluateOptions) => void readOptions(who, evaluateOptions, options);

/** @throws INVALID_ARGUMENT where batches were to be split */
export function fitData(x: Data | AsyncIterable<Batch>, y: Data, options: FitOptions) {
  const { batchSize = 32, validationData, validationSplit, sampleWeight, shuffle = true, seed } = options;
  const given = validationData && (isBatches(validationData) ? validationData : batchesOf(validationData, batchSize));
  if (isBatches(x)) {
    if (validationSplit) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        'fit() cannot split batches: split the data set before batch(), and pass validationData.',
      );
    }
    return { train: x, validation: given };
  }
  const all = fromArrays({ xs: x, ys: y, ...(sampleWeight && { sampleWeight }) });
  const [train, rest] = validationSplit && !given ? all.split(1 - validationSplit) : [all, undefined];
  const ordered = shuffle ? train.shuffle(seed === undefined ? {} : { seed }) : train;
  return { train: ordered.batch({ size: batchSize }), validation: rest?.batch({ size: batchSize }) ?? given };
}

/** Layers for which the samples are the nodes of a graph, in the order of its matrix. */
const ordered = new Set(['SparseMatMul', 'GCNConv']);

/** @throws INVALID_ARGUMENT where samples would be put in another order than their layers have them in */
export function requireOrder(layers: readonly Layer[], { shuffle = true }: FitOptions): void {
  const layer = shuffle && layers.find(({ className }) => ordered.has(className));
  if (!layer) return;
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `${layer.name ?? layer.className} takes samples in the order of its matrix: pass shuffle: false to fit().`,
  );
}

function batchesOf([xs, ys]: readonly [Data, Data], size: number): AsyncIterable<Batch> {
  return fromArrays({ xs, ys }).batch({ size });
}

/** @throws INVALID_ARGUMENT for a data set that was not put into batches */
export function isBatches(data: unknown): data is AsyncIterable<Batch> {
  if (data instanceof Dataset) {
    throw new LeptonError('INVALID_ARGUMENT', 'The data set gives single samples: call batch({ size }) on it first.');
  }
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data;
}

/** Sample weights with those of the samples' classes multiplied in. */
export function classWeighted(
  { type, dims, bytes }: WireTensor,
  classWeight: Readonly<Record<number, number>>,
  sampleWeight: WireTensor | undefined,
): WireTensor {
  const labels = type === 'float32' ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer);
  const [samples = 0] = dims;
  const each = labels.length / Math.max(1, samples);
  const own = sampleWeight && new Float32Array(sampleWeight.bytes.buffer);
  const weights = Float32Array.from({ length: samples }, (_, i) => {
    const row = labels.subarray(i * each, (i + 1) * each);
    const label = each === 1 ? (row[0] as number) : row.indexOf(Math.max(...row));
    return (classWeight[label] ?? 1) * (own?.[i] ?? 1);
  });
  return { type: 'float32', dims: [samples], bytes: new Uint8Array(weights.buffer) };
}
