// Keras's layers by Keras's names, in camelCase. Sizes leave the batch out; images are [height, width, channels] unless
// `dataFormat` says otherwise. A weight is named 'layer/weight' and has Keras's shape.

import { Layer, type LayerOptions } from './layer';
import { Normalization, type NormalizationOptions } from './normalization';
import type { NameOrOptions } from './options';
import { SparseMatrix } from './sparse-matrix';

export type { Normalization, NormalizationOptions };

/** A whole number for all axes, or one for each. */
export type Sizes = number | readonly number[];
export type DataFormat = 'channelsLast' | 'channelsFirst';

export type Activation =
  | 'linear'
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'gelu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'tanh'
  | 'softmax'
  | 'logSoftmax'
  | 'softplus'
  | 'softsign'
  | 'swish'
  | 'silu'
  | 'hardSwish'
  | 'mish'
  | 'exponential';

export type Initializer = NameOrOptions<
  | 'zeros'
  | 'ones'
  | 'constant'
  | 'randomNormal'
  | 'randomUniform'
  | 'truncatedNormal'
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | 'lecunUniform'
  | 'lecunNormal'
  | 'orthogonal'
  | 'identity'
>;

/** Added to the loss: `{ name: 'l2', l2: 0.01 }`. */
export type Regularizer = NameOrOptions<'l1' | 'l2' | 'l1l2'>;

export interface KernelOptions extends LayerOptions {
  /** Default true. */
  useBias?: boolean;
  /** Default 'glorotUniform'. */
  kernelInitializer?: Initializer;
  /** Default 'zeros'. */
  biasInitializer?: Initializer;
  kernelRegularizer?: Regularizer;
  biasRegularizer?: Regularizer;
}

export interface DenseOptions extends KernelOptions {
  units: number;
  /** Default 'linear'. */
  activation?: Activation;
}

export interface WindowOptions extends LayerOptions {
  /** Default 'valid'; 'same' gives as many places as there are inputs, by stride. */
  padding?: 'valid' | 'same';
  /** Default 'channelsLast'. */
  dataFormat?: DataFormat;
}

export interface ConvOptions extends KernelOptions, Omit<WindowOptions, 'padding'> {
  filters: number;
  kernelSize: Sizes;
  /** Default 1. */
  strides?: Sizes;
  /** Default 'valid'; 'causal', for Conv1D, shows no place what comes after it. */
  padding?: 'valid' | 'same' | 'causal';
  /** Default 1. */
  dilationRate?: Sizes;
  /** Default 1. */
  groups?: number;
  /** Default 'linear'. */
  activation?: Activation;
}

export interface ConvTransposeOptions extends Omit<ConvOptions, 'padding' | 'dilationRate' | 'groups'>, WindowOptions {}

export interface DepthwiseConvOptions extends Omit<ConvOptions, 'filters' | 'padding' | 'groups'>, WindowOptions {
  /** Filters for each channel; default 1. */
  depthMultiplier?: number;
}

export interface PoolingOptions extends WindowOptions {
  /** Default 2. */
  poolSize?: Sizes;
  /** Default those of the window. */
  strides?: Sizes;
}

export interface GlobalPoolingOptions extends LayerOptions {
  dataFormat?: DataFormat;
  /** Keeps the axes, with size 1; default false. */
  keepDims?: boolean;
}

export interface BatchNormalizationOptions extends LayerOptions {
  /** Of the channels; default -1. */
  axis?: number;
  /** Of the moving averages; default 0.99. */
  momentum?: number;
  /** Default 0.001. */
  epsilon?: number;
  /** Whether the result is moved by a learned `beta`; default true. */
  center?: boolean;
  /** Whether the result is multiplied with a learned `gamma`; default true. */
  scale?: boolean;
  betaInitializer?: Initializer;
  gammaInitializer?: Initializer;
  betaRegularizer?: Regularizer;
  gammaRegularizer?: Regularizer;
}

export interface LayerNormalizationOptions extends Omit<BatchNormalizationOptions, 'momentum'> {}

export interface EmbeddingOptions extends LayerOptions {
  /** Number of different tokens: the inputs are whole numbers below it. */
  inputDim: number;
  outputDim: number;
  /** Default 'randomUniform'. */
  embeddingsInitializer?: Initializer;
  embeddingsRegularizer?: Regularizer;
}

export interface RecurrentOptions extends KernelOptions {
  units: number;
  /** Default 'tanh'. */
  activation?: 'tanh' | 'relu' | 'sigmoid';
  /** Default 'orthogonal'. */
  recurrentInitializer?: Initializer;
  recurrentRegularizer?: Regularizer;
  /** The result of every step instead of the last one's; default false. */
  returnSequences?: boolean;
  /** From the last step to the first; default false. */
  goBackwards?: boolean;
}

export interface LSTMOptions extends RecurrentOptions {
  /** Default 'sigmoid'. */
  recurrentActivation?: 'tanh' | 'relu' | 'sigmoid';
  /** Begins with the forget gate open; default true. */
  unitForgetBias?: boolean;
}

export interface GRUOptions extends RecurrentOptions {
  /** Default 'sigmoid'. */
  recurrentActivation?: 'tanh' | 'relu' | 'sigmoid';
  /** Whether the reset gate comes after the product with the recurrent weights; default true, as in Keras 3. */
  resetAfter?: boolean;
}

export interface BidirectionalOptions extends LayerOptions {
  /** A simpleRNN, lstm or gru. */
  layer: Layer;
  /** Default 'concat'. */
  mergeMode?: 'concat' | 'sum' | 'mul' | 'ave';
}

export interface MultiHeadAttentionOptions extends KernelOptions {
  numHeads: number;
  /** Of each head's queries and keys. */
  keyDim: number;
  /** Of each head's values; default `keyDim`. */
  valueDim?: number;
  /** Of the attention's weights; default 0. */
  dropout?: number;
  /** No step sees those after it; default false. */
  useCausalMask?: boolean;
}

export type FillMode = 'reflect' | 'constant' | 'nearest';

export interface AugmentationOptions extends LayerOptions {
  /** What lies beyond the edges; default 'reflect'. */
  fillMode?: FillMode;
  dataFormat?: DataFormat;
}

export interface SparseMatMulOptions extends LayerOptions {
  matrix: SparseMatrix;
  /** The entries of the matrix learn, from the values that it has; what it does not store remains zero. Default false. */
  trainableValues?: boolean;
}

/** `matrix` [nodes, nodes] is what each node gets of each; `gcnFilter(adjacency)` for that of the paper. */
export interface GCNConvOptions extends DenseOptions, SparseMatMulOptions {}

export interface SparseDenseOptions extends DenseOptions {
  /** [samples, features] */
  matrix: SparseMatrix;
  /** The share of the entries that is left out in training; default 0. */
  dropout?: number;
}

const of =
  <O extends LayerOptions>(className: string) =>
  (options: O): Layer =>
    new Layer(className, options);

const without =
  <O extends LayerOptions = LayerOptions>(className: string) =>
  (options?: O): Layer =>
    new Layer(className, options);

/** Values that learn begin as those of the matrix. */
const onMatrix =
  <O extends SparseMatMulOptions>(className: string) =>
  (options: O): Layer => {
    const layer = new Layer(className, options);
    // What is no matrix is told where the model is built, as for every option.
    if (options.trainableValues && options.matrix instanceof SparseMatrix) {
      const values = options.matrix.values.slice();
      layer.weights = { values: { type: 'float32', dims: [values.length], bytes: new Uint8Array(values.buffer) } };
    }
    return layer;
  };

/** activation(input · kernel + bias), along the last axis. */
export const dense = of<DenseOptions>('Dense');
/** [steps, channels] → [steps, filters] */
export const conv1d = of<ConvOptions>('Conv1D');
/** [height, width, channels] → [height, width, filters] */
export const conv2d = of<ConvOptions>('Conv2D');
/** The way back through a convolution: strides make the image larger. */
export const conv2dTranspose = of<ConvTransposeOptions>('Conv2DTranspose');
/** Each channel with filters of its own. */
export const depthwiseConv2d = of<DepthwiseConvOptions>('DepthwiseConv2D');
export const maxPooling1d = without<PoolingOptions>('MaxPooling1D');
export const maxPooling2d = without<PoolingOptions>('MaxPooling2D');
export const averagePooling1d = without<PoolingOptions>('AveragePooling1D');
export const averagePooling2d = without<PoolingOptions>('AveragePooling2D');
export const globalMaxPooling1d = without<GlobalPoolingOptions>('GlobalMaxPooling1D');
export const globalMaxPooling2d = without<GlobalPoolingOptions>('GlobalMaxPooling2D');
export const globalAveragePooling1d = without<GlobalPoolingOptions>('GlobalAveragePooling1D');
export const globalAveragePooling2d = without<GlobalPoolingOptions>('GlobalAveragePooling2D');
/** All of a sample along one axis. */
export const flatten = without('Flatten');
/** -1 stands for what is left. */
export const reshape = of<LayerOptions & { targetShape: readonly number[] }>('Reshape');
/** Axes count from 1: the batch stays where it is. */
export const permute = of<LayerOptions & { dims: readonly number[] }>('Permute');
/** [features] → [n, features] */
export const repeatVector = of<LayerOptions & { n: number }>('RepeatVector');
/** A number for all four sides, [vertical, horizontal], or [[top, bottom], [left, right]]; default 1. */
export const zeroPadding2d = without<
  LayerOptions & { padding?: number | readonly (number | readonly number[])[]; dataFormat?: DataFormat }
>('ZeroPadding2D');
/** Repeats pixels; default 2 times each way. */
export const upSampling2d = without<LayerOptions & { size?: Sizes; dataFormat?: DataFormat }>('UpSampling2D');
/** In training sets a share `rate` of the elements to zero. */
export const dropout = of<LayerOptions & { rate: number }>('Dropout');
/** Each channel to mean 0 and variance 1: of the batch in training, of the moving averages else. */
export const batchNormalization = without<BatchNormalizationOptions>('BatchNormalization');
/** Each sample to mean 0 and variance 1 along an axis. */
export const layerNormalization = without<LayerNormalizationOptions>('LayerNormalization');
/** Whole numbers → a learned vector for each. */
export const embedding = of<EmbeddingOptions>('Embedding');
/**
 * activation(matrix[x] · kernel + bias): a dense layer on rows of a sparse matrix, which x names by their numbers (an input
 * of 'int32'). Entries alone are multiplied.
 */
export const sparseDense = of<SparseDenseOptions>('SparseDense');
/**
 * matrix · x, where all samples together are x: what the nodes of a graph pass to each other. A batch is as many samples as the
 * matrix has columns, in their order: `batchSize` must be that number, and `shuffle` false.
 */
export const sparseMatMul = onMatrix<SparseMatMulOptions>('SparseMatMul');
/** Graph convolution, activation(matrix · x · kernel + bias), on batches as for `sparseMatMul`: https://arxiv.org/abs/1609.02907 */
export const gcnConv = onMatrix<GCNConvOptions>('GCNConv');
/** [steps, features] → [units], or [steps, units] with `returnSequences` */
export const simpleRNN = of<RecurrentOptions>('SimpleRNN');
export const lstm = of<LSTMOptions>('LSTM');
export const gru = of<GRUOptions>('GRU');
/** A recurrent layer in both directions. */
export const bidirectional = of<BidirectionalOptions>('Bidirectional');
/** A layer on each step by itself: [steps, …]. */
export const timeDistributed = of<LayerOptions & { layer: Layer }>('TimeDistributed');
/** Applied to [query, value] or [query, value, key], each [steps, features]. */
export const multiHeadAttention = of<MultiHeadAttentionOptions>('MultiHeadAttention');
export const activation = of<LayerOptions & { activation: Activation }>('Activation');
export const reLU = without<LayerOptions & { maxValue?: number; negativeSlope?: number; threshold?: number }>('ReLU');
export const leakyReLU = without<LayerOptions & { negativeSlope?: number }>('LeakyReLU');
export const elu = without<LayerOptions & { alpha?: number }>('ELU');
export const prelu = without<
  LayerOptions & { alphaInitializer?: Initializer; alphaRegularizer?: Regularizer; sharedAxes?: readonly number[] }
>('PReLU');
export const softmax = without<LayerOptions & { axis?: number }>('Softmax');
/** Applied to two or more values, element by element. */
export const add = without('Add');
export const subtract = without('Subtract');
export const multiply = without('Multiply');
export const average = without('Average');
export const maximum = without('Maximum');
export const minimum = without('Minimum');
/** Applied to two or more values, one behind the other along `axis`; default -1. */
export const concatenate = without<LayerOptions & { axis?: number }>('Concatenate');
/** input · scale + offset */
export const rescaling = of<LayerOptions & { scale: number; offset?: number }>('Rescaling');
/**
 * (input - mean) / sqrt(variance), along the last axis. Both are given, or taken from the data that is trained on:
 * `await layer.adapt(x)` before the model gets its weights.
 */
export const normalization = (options?: NormalizationOptions): Normalization =>
  new Normalization('Normalization', options);
/** In training adds noise of mean 0. */
export const gaussianNoise = of<LayerOptions & { stddev: number }>('GaussianNoise');
/** In training mirrors images at random; default in both directions. */
export const randomFlip = without<
  LayerOptions & { mode?: 'horizontal' | 'vertical' | 'horizontalAndVertical'; dataFormat?: DataFormat }
>('RandomFlip');
/** In training moves images by up to these shares of their height and width. */
export const randomTranslation = of<AugmentationOptions & { heightFactor: number; widthFactor: number }>(
  'RandomTranslation',
);
/** In training turns images by up to `factor` of a full turn to either side. */
export const randomRotation = of<AugmentationOptions & { factor: number }>('RandomRotation');
/** In training shows images larger or smaller, by up to the share `heightFactor`; `widthFactor` keeps the form if left out. */
export const randomZoom = of<AugmentationOptions & { heightFactor: number; widthFactor?: number }>('RandomZoom');
