// A model that can be trained, as plain data: what the page sends to the worker, and what is saved. Names and options are
// Keras's, in camelCase.

import type { Config, Named } from '../base/options';

export type { Config, Json, Named } from '../base/options';

/** A size; null for the batch, and for what each batch decides. */
export type Shape = readonly (number | null)[];

export interface InputSpec {
  readonly name: string;
  /** Without the batch. */
  readonly shape: Shape;
  readonly dtype: 'float32' | 'int32';
}

export interface LayerSpec {
  /** Unique in the model: weights are named 'layer/weight'. */
  readonly name: string;
  /** As in Keras: 'Dense', 'Conv2D' … */
  readonly className: string;
  readonly config: Config;
  /** Default true. */
  readonly trainable?: boolean;
  /** Factor on the learning rate for this layer's weights; default 1. */
  readonly learningRateMultiplier?: number;
}

/** One use of a layer: a layer that is applied twice has two. */
export interface CallSpec {
  readonly layer: string;
  /** Names of inputs of the model, or of outputs of earlier calls. */
  readonly inputs: readonly string[];
  readonly output: string;
}

export interface ModelSpec {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly layers: readonly LayerSpec[];
  /** In an order in which each comes after what it reads. */
  readonly calls: readonly CallSpec[];
  readonly outputs: readonly string[];
}

export interface WeightInfo {
  /** 'layer/kernel'. */
  readonly name: string;
  readonly layer: string;
  readonly dims: readonly number[];
  readonly initializer: Named;
  /** False for frozen layers, and for what is no parameter: the moving averages of a batch normalisation. */
  readonly trainable: boolean;
  readonly learningRateMultiplier: number;
}

export interface LayerSummary {
  readonly name: string;
  readonly className: string;
  /** Batch included, as null. */
  readonly outputShape: Shape;
  readonly parameters: number;
  readonly trainableParameters: number;
}

export interface ModelDescription {
  /** The only batch that the model takes, where a layer takes all samples together. */
  readonly batch?: number;
  readonly weights: readonly WeightInfo[];
  /** One for each call. */
  readonly layers: readonly LayerSummary[];
  /** Batch included, as null. */
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
}

export interface CompileSpec {
  readonly optimizer: Named;
  /** One for each output of the model. */
  readonly losses: readonly Named[];
  readonly lossWeights: readonly number[];
  /** For each output. */
  readonly metrics: readonly (readonly Named[])[];
  /** Batches whose gradients are averaged before the weights change; default 1. */
  readonly gradientAccumulationSteps?: number;
  /** Parts of the forward pass, of which only what passes between them is kept for the backward pass; default: all is kept. */
  readonly recompute?: number;
  /** Products compute in float16, and the loss is scaled; default: all computes in float32. */
  readonly mixedPrecision?: LossScaling;
}

export interface LossScaling {
  /** From 1. */
  readonly initialScale: number;
  /** Steps without a gradient that is not finite after which the scale doubles. */
  readonly dynamicGrowthSteps: number;
}
