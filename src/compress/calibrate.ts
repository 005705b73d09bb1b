// The compressed model beside the original on the same data: how far outputs and layers are apart, how many labels each
// finds, and how long each takes, run in turn. The engine that runs them is an argument.

import type { ByteSource } from '../base/bytes';
import { throwIfAborted } from '../base/errors';
import { median } from '../base/median';
import type { NDArray } from '../base/ndarray';
import type { Graph } from '../ir/graph';
import { batchesOf, checkLabel, labelledOutput } from './batches';
import type { CalibrationArrays, CalibrationReport, CompressProgress } from './types';

export interface OpenedRun {
  run(feeds: Readonly<Record<string, NDArray>>): Promise<Readonly<Record<string, NDArray>>>;
  close(): Promise<void>;
}

export interface Runner {
  /** What it runs on, as the report says it. */
  readonly device: string;
  /** A model as a file. */
  open(model: Uint8Array<ArrayBuffer>): Promise<OpenedRun>;
  /** A graph that need not be ONNX, with the files of its constants. */
  openGraph(graph: Graph, fileOf: (name: string) => ByteSource): Promise<OpenedRun>;
}

export interface CalibrateRequest {
  readonly original: Graph;
  readonly compressed: Graph;
  /** Values that both graphs have, to be compared beside their outputs. */
  readonly values: readonly string[];
  readonly data: CalibrationArrays;
  readonly runner: Runner;
  write(graph: Graph): Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  onProgress(progress: CompressProgress): void;
}

export interface Calibrated {
  readonly report: CalibrationReport;
  readonly errors: ReadonlyMap<string, OutputError>;
}

/** ‖y − y'‖ / ‖y‖; or, as there is none then, how many elements are not finite, but for those that are the same in both. */
export type OutputError = number | { readonly nonFinite: number };

/** Runs of each model that are timed, and milliseconds after which no more are. */
const timedRuns = { warm: 2, most: 25, milliseconds: 3000 };

/** @throws INVALID_ARGUMENT where the data does not fit the model */
export async function calibrate(request: CalibrateRequest): Promise<Calibrated> {
  const { original, compressed, values, data, runner, write, signal, onProgress } = request;
  const batches = batchesOf(original, data);
  const { samples, size, count } = batches;
  const labelled = labelledOutput(original, data, samples);
  const outputs = [...new Set([...original.outputs, ...values])];
  const distances = new Map(outputs.map((name) => [name, { apart: 0, whole: 0, nonFinite: 0 }]));
  const right = { before: 0, after: 0 };
  const probes = [original, compressed].map((graph) => write({ ...graph, outputs }));
  await withBoth(runner, probes, async (before, after) => {
    for (let i = 0; i < count; i++) {
      throwIfAborted(signal, 'Compressing the model');
      const feeds = batches.at(i);
      const [y, z] = [await before.run(feeds), await after.run(feeds)];
      for (const [name, distance] of distances) addDistance(distance, y[name] as NDArray, z[name] as NDArray);
      if (labelled) {
        right.before += rightOf(y[labelled.output] as NDArray, labelled.labels, i * size, size);
        right.after += rightOf(z[labelled.output] as NDArray, labelled.labels, i * size, size);
      }
      onProgress({ stage: 'calibrate', loaded: i + 1, total: count });
    }
  });
  const plain = [original, compressed].map(write);
  const time = await withBoth(runner, plain, (a, b) => timeBoth(a, b, batches.at(0), signal, onProgress));
  const errors = new Map(
    [...distances].map(([name, { apart, whole, nonFinite }]): [string, OutputError] => [
      name,
      nonFinite > 0 ? { nonFinite } : relative(apart, whole),
    ]),
  );
  const outputErrors: Record<string, number> = {};
  const nonFinite: Record<string, number> = {};
  for (const name of original.outputs) {
    const error = errors.get(name) as OutputError;
    if (typeof error === 'number') outputErrors[name] = error;
    else nonFinite[name] = error.nonFinite;
  }
  return {
    errors,
    report: {
      samples,
      outputErrors,
      ...(Object.keys(nonFinite).length > 0 && { nonFinite }),
      ...(labelled && { accuracy: { before: right.before / samples, after: right.after / samples } }),
      time: { ...time, samplesPerRun: size, device: runner.device },
    },
  };
}

/** √apart / √whole; where there is nothing to be relative to, 0 or 1. */
export function relative(apart: number, whole: number): number {
  if (whole === 0) return apart === 0 ? 0 : 1;
  return Math.sqrt(apart / whole);
}

async function withBoth<T>(
  runner: Runner,
  models: readonly Uint8Array<ArrayBuffer>[],
  work: (before: OpenedRun, after: OpenedRun) => Promise<T>,
): Promise<T> {
  const opened: OpenedRun[] = [];
  try {
    for (const model of models) opened.push(await runner.open(model));
    return await work(opened[0] as OpenedRun, opened[1] as OpenedRun);
  } finally {
    for (const run of opened) await run.close();
  }
}

async function timeBoth(
  before: OpenedRun,
  after: OpenedRun,
  feeds: Readonly<Record<string, NDArray>>,
  signal: AbortSignal,
  onProgress: CalibrateRequest['onProgress'],
): Promise<{ before: number; after: number; runs: number }> {
  const times: [number[], number[]] = [[], []];
  const start = performance.now();
  for (let i = -timedRuns.warm; i < timedRuns.most; i++) {
    throwIfAborted(signal, 'Compressing the model');
    for (const [at, model] of [before, after].entries()) {
      const since = performance.now();
      await model.run(feeds);
      if (i >= 0) times[at]?.push(performance.now() - since);
    }
    onProgress({ stage: 'time', loaded: Math.max(0, i + 1), total: timedRuns.most });
    if (i >= 2 && performance.now() - start > timedRuns.milliseconds) break;
  }
  return { before: median(times[0]), after: median(times[1]), runs: times[0].length };
}

/** How many labels the largest element of a sample is at. */
function rightOf({ data }: NDArray, labels: ArrayLike<number>, from: number, size: number): number {
  const samples = Math.min(size, labels.length - from);
  const classes = data.length / samples;
  let right = 0;
  for (let s = 0; s < samples; s++) {
    checkLabel(labels[from + s] as number, classes);
    let best = s * classes;
    for (let i = best + 1; i < (s + 1) * classes; i++) if ((data[i] as number) > (data[best] as number)) best = i;
    if (best - s * classes === labels[from + s] && !Number.isNaN(data[best])) right++;
  }
  return right;
}

function addDistance(sum: { apart: number; whole: number; nonFinite: number }, y: NDArray, z: NDArray): void {
  for (let i = 0; i < y.data.length; i++) {
    const [before, after] = [y.data[i] as number, z.data[i] as number];
    if (Number.isFinite(before) && Number.isFinite(after)) {
      sum.apart += (before - after) ** 2;
      sum.whole += before ** 2;
    } else if (!Object.is(before, after)) sum.nonFinite++;
  }
}
