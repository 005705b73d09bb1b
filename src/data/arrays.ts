// Data sets out of arrays in memory.

import { LeptonError } from '../base/errors';
import type { TensorLike, TypedArray } from '../base/tensor-like';
import { Dataset } from './dataset';
import { eachTensor, gather, isTensor, mapBatch, type NestedNumbers, toTensor } from './tensors';
import type { Batch, Part } from './types';

/** A tensor whose first dimension counts samples, a typed array of one number a sample, or nested lists. */
export type ArrayInput = TensorLike | TypedArray | NestedNumbers;

export interface ArraysInput {
  /** One, or several by the name of the model's input. */
  readonly xs: ArrayInput | Readonly<Record<string, ArrayInput>>;
  readonly ys?: ArrayInput | Readonly<Record<string, ArrayInput>>;
  /** One number a sample: how much it counts in the loss. */
  readonly sampleWeight?: ArrayInput;
}

/**
 * A data set of arrays, which are not copied: what changes in them later changes the data. Lists and Float64Arrays become
 * float32.
 * @throws INVALID_ARGUMENT where an array is malformed, or the arrays have different numbers of samples
 */
export function fromArrays({ xs, ys, sampleWeight }: ArraysInput): Dataset {
  const whole: Batch = {
    xs: toPart(xs, 'xs'),
    ...(ys !== undefined && { ys: toPart(ys, 'ys') }),
    ...(sampleWeight !== undefined && { sampleWeight: toTensor(sampleWeight, 'sampleWeight') }),
  };
  return new Dataset({
    size: countOf(whole),
    reshuffles: false,
    read: (indices) => mapBatch(whole, (tensor) => gather(tensor, indices)),
  });
}

function toPart(input: ArraysInput['xs'], name: string): Part {
  if (isTensor(input) || ArrayBuffer.isView(input) || Array.isArray(input) || Object(input) !== input) {
    return toTensor(input as ArrayInput, name);
  }
  return Object.fromEntries(
    Object.entries(input as Record<string, ArrayInput>).map(([key, value]) => [key, toTensor(value, `${name}.${key}`)]),
  );
}

function countOf(whole: Batch): number {
  let first: { name: string; count: number } | undefined;
  eachTensor(whole, ({ dims }, name) => {
    const count = dims[0];
    if (count === undefined) {
      throw new LeptonError('INVALID_ARGUMENT', `${name} is a single number: its first dimension must count samples.`);
    }
    first ??= { name, count };
    if (count !== first.count) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `${name} has ${count} samples, but ${first.name} has ${first.count}: they must have as many.`,
      );
    }
  });
  if (!first) throw new LeptonError('INVALID_ARGUMENT', 'fromArrays(): xs has no tensors.');
  return first.count;
}
