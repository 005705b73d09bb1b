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
  const parts = names.map((name) => partOf(graph.values.get(name) as Value, inputs[name] as NDArray));
  const split = parts.filter(({ isWhole }) => !isWhole);
  // Where all inputs are as the model has them, they are one batch, of whatever size all agree on.
  const counted = split.length > 0 ? split : parts.filter(({ value }) => value.dims?.length !== 0);
  const samples = counted[0]?.count ?? 1;
  if (!counted.every(({ count }) => count === samples) || samples === 0) {
    const each = counted.map(({ value, count }) => `${count} for "${value.name}"`);
    refuse(
      `the inputs have other numbers of samples (${each.join(', ')}); expected as many for each, and at least one`,
    );
  }
  const fixed = fixedSizes(parts);
  if (fixed.length > 1) refuse(`the model's inputs are of ${fixed.join(' and ')} samples at a time`);
  // What is as long as there are samples may be one for each: one batch of all fits either way.
  const isOne = parts.some(({ isWhole, count, value }) => isWhole && count === samples && value.dims?.length !== 0);
  const size = fixed[0] ?? (isOne ? samples : Math.min(openBatch, samples));
  if (fixed.length > 0 && samples % size !== 0) {
    refuse(`there are ${samples} samples, but the model takes ${size} at a time`);
  }
  const at = (batch: number) => {
    const from = batch * size;
    const taken = Math.min(size, samples - from);
    return Object.fromEntries(parts.map((part) => [part.value.name, pieceOf(part, from, taken)]));
  };
  return { samples, size, count: Math.ceil(samples / size), at };
}

interface Part {
  readonly value: Value;
  readonly array: NDArray;
  readonly count: number;
  /** Goes with every batch as it is: a scalar, or what the model wants of a fixed size and has been given so. */
  readonly isWhole: boolean;
}

function partOf(value: Value, array: NDArray): Part {
  checkShape(value, array);
  const { dims } = value;
  const count = array.dims[0] ?? 1;
  return { value, array, count, isWhole: dims?.length === 0 || dims?.[0] === count };
}

/** Samples at a time that the inputs want: by their first axis, or by another of what is whole that has its name. */
function fixedSizes(parts: readonly Part[]): number[] {
  const own = parts.flatMap(({ value, isWhole }) => {
    const first = value.dims?.[0];
    return typeof first === 'number' && !isWhole ? [first] : [];
  });
  const batchNames = parts.flatMap(({ value, isWhole }) => (isWhole ? [] : [value.dims?.[0]]));
  const named = parts.flatMap(({ value, array, isWhole }) =>
    (isWhole ? (value.dims ?? []) : []).flatMap((dim, i) =>
      typeof dim === 'string' && batchNames.includes(dim) ? [array.dims[i] as number] : [],
    ),
  );
  return [...new Set([...own, ...named])];
}

function pieceOf({ value, array, count, isWhole }: Part, from: number, taken: number): NDArray {
  const { dtype, dims = [] } = value;
  const own = dims.slice(1);
  const rest = dims.length > 0 && own.every((d) => typeof d === 'number') ? (own as number[]) : array.dims.slice(1);
  if (isWhole) return ndarray(dtype, dims.length === 0 ? [] : [count, ...rest], array.data);
  const each = sizeOf(array.dims) / count;
  return ndarray(dtype, [taken, ...rest], array.data.subarray(from * each, (from + taken) * each));
}

/** Axes of one may be missing or too many: a picture of one channel is often kept without it. */
function checkShape({ name, dims: wanted }: Value, { dims }: NDArray): void {
  if (!wanted) return;
  const rest = wanted.slice(1);
  const fits = rest.every((d) => typeof d === 'number')
    ? sizeOf(rest as number[]) === sizeOf(wanted.length === 0 ? dims : dims.slice(1))
    : rest.length === dims.length - 1 && rest.every((d, i) => typeof d === 'string' || d === dims[i + 1]);
  if (fits) return;
  const expected = wanted.length === 0 ? 'one number' : `samples along the first axis of ${formatDims(wanted)}`;
  refuse(`the data for "${name}" is ${formatDims(dims)}; expected ${expected}`);
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

/** A label that no class has would only be counted as not found. */
export function checkLabel(label: number, classes: number): void {
  if (Number.isInteger(label) && label >= 0 && label < classes) return;
  refuse(`there is a label ${label}, but the output has ${classes} classes`);
}

export function refuse(problem: string): never {
  throw new LeptonError('INVALID_ARGUMENT', `compress(), calibration: ${problem}.`);
}
