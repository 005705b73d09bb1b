// What a model is to be compressed to, and what came of it: plain data, which crosses between page and worker.

import type { NDArray } from '../base/ndarray';

/**
 * Which weights become zero together. A layer's weights are looked at as a matrix of outputs by inputs (those of a
 * convolution: by input channels and window). 'balanced': as many in every row. '1x4', '4x1', '4x4': blocks of outputs by
 * inputs. '2:4': of every 4 inputs in a row, 2 stay.
 */
export type Structure = 'unstructured' | 'balanced' | '1x4' | '4x1' | '4x4' | `${number}:${number}`;

export interface PruneOptions {
  /**
   * Share of the weights that become zero, from 0 to below 1; or that share by the name of a layer or weight, and the others
   * stay. 'N:M' fixes it and needs none.
   */
  readonly sparsity?: number | Readonly<Record<string, number>>;
  readonly structure?: Structure;
  /**
   * Whether the share holds for all weights together (default), so that layers whose weights are small lose more, or for
   * each layer. 'balanced', 'N:M' and shares by name are always for each layer.
   */
  readonly scope?: 'global' | 'layer';
  /**
   * What goes first: weights of small magnitude (default), or those that the loss on the calibration data hardly depends on
   * (|gradient · weight|, SNIP: https://arxiv.org/abs/1810.02340), which needs `calibration` with labels.
   */
  readonly criterion?: 'magnitude' | 'sensitivity';
}

/** What became of the weights of a model under training. */
export interface PruneReport {
  /** The share of each weight that was pruned, by 'layer/weight', that is zero now. */
  readonly pruned: Readonly<Record<string, number>>;
  /** Why others that are multiplied with stayed as they were. */
  readonly left: Readonly<Record<string, string>>;
}

/**
 * 'int8': weights as 8-bit integers with a scale for each output. 'int4': 4 bits with a scale for each block of inputs.
 * 'dynamic-int8': int8, and products of matrices are of integers too, their inputs quantised as they come. 'float16': the
 * whole model computes in half precision.
 */
export type Quantization = 'int8' | 'int4' | 'dynamic-int8' | 'float16';

export interface QuantizeOptions {
  readonly type: Quantization;
  /** Inputs that share a scale, for int4. Default 32. */
  readonly blockSize?: 32 | 64 | 128;
  /** Without a zero point for each block, for int4. Default true. */
  readonly symmetric?: boolean;
}

export interface CompressOptions {
  /** A number is the share of the weights that become zero. */
  readonly prune?: number | PruneOptions;
  readonly quantize?: Quantization | QuantizeOptions;
  /**
   * Layers that stay as they are: names of nodes or of weights, patterns of those, 'first' and 'last'. In 'float16' they are
   * not pruned, but the whole model is in half precision.
   */
  readonly skip?: readonly (string | RegExp)[];
}

/** What both models are run on, to be compared. */
export interface CalibrationArrays {
  /** By the name of the model's input, the samples along the first axis; what is no sample goes with every batch. */
  readonly inputs: Readonly<Record<string, NDArray>>;
  /** The class of each sample, which the largest element of the output named, or of the first, should be at. */
  readonly labels?: ArrayLike<number>;
  readonly output?: string;
}

export interface CompressProgress {
  readonly stage: 'download' | 'read' | 'sensitivity' | 'prune' | 'quantize' | 'calibrate' | 'time' | 'write';
  readonly loaded: number;
  readonly total: number | undefined;
}

/** How a layer's weights are kept. */
export interface WeightForm {
  /** Such as 'float32', 'int8', 'int8, sparse', 'int4 in blocks of 32'. */
  readonly form: string;
  /** Of weights, scales, zero points and indices in the file. */
  readonly bytes: number;
  readonly nonZeros: number;
}

export interface LayerReport {
  /** The node that has the weights. */
  readonly name: string;
  readonly op: string;
  readonly weight: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly before: WeightForm;
  readonly after: WeightForm;
  /** ‖W − W'‖ / ‖W‖ of the weights. */
  readonly weightError: number;
  /** The same of what the layer computes on the calibration data, in the model compressed as a whole. */
  readonly outputError?: number;
  /** Why the weights stayed as they were. */
  readonly left?: string;
  /** What was asked for and not done, where something else was. */
  readonly note?: string;
}

export interface CalibrationReport {
  readonly samples: number;
  /** By output of the model, ‖y − y'‖ / ‖y‖ over all samples. */
  readonly outputErrors: Readonly<Record<string, number>>;
  /** Of outputs that have no error, as there are elements that are not finite: how many that are not so in both models. */
  readonly nonFinite?: Readonly<Record<string, number>>;
  /** Shares of the samples whose label was found. */
  readonly accuracy?: { readonly before: number; readonly after: number };
  /** Medians of runs in turn, in milliseconds. */
  readonly time: {
    readonly before: number;
    readonly after: number;
    readonly runs: number;
    readonly samplesPerRun: number;
    readonly device: string;
  };
}

export interface CompressReport {
  /** Of the model's files. */
  readonly bytes: { readonly before: number; readonly after: number };
  /** Of all layers together. */
  readonly weights: {
    readonly elements: number;
    readonly nonZeros: { readonly before: number; readonly after: number };
    readonly bytes: { readonly before: number; readonly after: number };
  };
  readonly layers: readonly LayerReport[];
  readonly calibration?: CalibrationReport;
}
