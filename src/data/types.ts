// What flows through a data pipeline: tensors for a model's inputs and outputs, alone or by name.

import type { TensorLike } from '../base/tensor-like';

/** One tensor, or several by the name of the input or output that they belong to. */
export type Part = TensorLike | { readonly [name: string]: TensorLike };

/** Samples put together: the first dimension of every tensor counts them. */
export interface Batch {
  readonly xs: Part;
  readonly ys?: Part;
  /** float32: how much each sample counts in the loss. */
  readonly sampleWeight?: TensorLike;
}

/** One sample: the same without the first dimension. */
export type Sample = Batch;

/**
 * Samples that can be read in any order, which is what makes shuffling, splitting and sharding free: they only
 * choose indices. The same indices of the same epoch are the same samples every time.
 */
export interface Rows {
  /** Infinity for data that repeats without end. */
  readonly size: number;
  /** Whether another epoch has another order. */
  readonly reshuffles: boolean;
  /** A fresh batch of the samples at `indices`, in that order. */
  read(indices: readonly number[], epoch: number, signal?: AbortSignal): Batch | Promise<Batch>;
}
