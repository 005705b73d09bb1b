// Calibration data in pieces that the model takes: as many samples as its inputs say, or a few where that is open.

import { LeptonError } from '../base/errors';
import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import type { Graph, Value } from '../ir/graph';
import type { CalibrationArrays } from './types';

export interface Batches {
  readonly samples: number;
  /** Samples of a batch; the last may have fewer. */
  readonly size: number;
  readonly count: number;
  at(batch: number): Readonly<Record<string, NDArray>>;
}

/** Samples of a batch, where the model leaves it open. */
const openBatch = 32;

/** @throws INVALID_ARGUMENT where the data does not fit the model */
export function batchesOf(graph: Graph, { inputs }: CalibrationArrays): Batches {
  const names = Object.keys(inputs);
  const other = names.find((name) => !graph.inputs.includes(name));
  const missing = graph.inputs.find((name) => !names.includes(name));
  if (other !== undefined || missing !== undefined) {
    const problem = other !== undefined ? `is for an input "${other}"` : `lacks the input "${missing}"`;
    refuse(`the data ${problem}; the model's inputs are ${graph.inputs.map((n) => `"${n}"`).join(', ')}`);
  }
  const counts = names.map((name) => inputs[name]?.dims[0] ?? 1);
  const samples = counts[0] as number;
  if (!counts.every((n) => n === samples) || samples === 0) {
    refuse(`the inputs have ${counts.join(', ')} samples; expected as many for each, and at least one`);
  }
  const fixed = names.map((name) => graph.values.get(name)?.dims?.[0]).find((first) => typeof first === 'number');
  const size = fixed ?? Math.min(openBatch, samples);
  if (fixed !== undefined && samples % fixed !== 0) {
    refuse(`there are ${samples} samples, but the model takes ${fixed} at a time`);
  }
  for (const name of names) checkShape(name, (graph.values.get(name) as Value).dims ?? [], inputs[name] as NDArray);
  const at = (batch: number) => {
    const feeds = names.map((name): [string, NDArray] => {
      const { dims, data } = inputs[name] as NDArray;
      const { dtype, dims: declared = [] } = graph.values.get(name) as Value;
      const each = sizeOf(dims) / samples;
      const taken = Math.min(size, samples - batch * size);
      const own = declared.slice(1);
      const rest = own.every((d) => typeof d === 'number') ? (own as number[]) : dims.slice(1);
      const part = data.subarray(batch * size * each, (batch * size + taken) * each);
      return [name, ndarray(dtype, [taken, ...rest], part)];
    });
    return Object.fromEntries(feeds);
  };
  return { samples, size, count: Math.ceil(samples / size), at };
}

/** Axes of one may be missing or too many: a picture of one channel is often kept without it. */
function checkShape(name: string, wanted: readonly (number | string)[], { dims }: NDArray): void {
  const rest = wanted.slice(1);
  const fits = rest.every((d) => typeof d === 'number')
    ? sizeOf(rest as number[]) === sizeOf(dims.slice(1))
    : rest.length === dims.length - 1 && rest.every((d, i) => typeof d === 'string' || d === dims[i + 1]);
  if (fits) return;
  refuse(
    `the data for "${name}" is ${formatDims(dims)}; expected samples along the first axis of ${formatDims(wanted)}`,
  );
}

export interface Labelled {
  readonly labels: ArrayLike<number>;
  readonly output: string;
}

export function labelledOutput(
  graph: Graph,
  { labels, output }: CalibrationArrays,
  samples: number,
): Labelled | undefined {
  if (!labels) return undefined;
  const name = output ?? (graph.outputs[0] as string);
  if (!graph.outputs.includes(name)) {
    refuse(`there is no output "${name}"; the model's are ${graph.outputs.map((n) => `"${n}"`).join(', ')}`);
  }
  if (labels.length !== samples) refuse(`there are ${labels.length} labels for ${samples} samples`);
  return { labels, output: name };
}

export function refuse(problem: string): never {
  throw new LeptonError('INVALID_ARGUMENT', `compress(), calibration: ${problem}.`);
}
