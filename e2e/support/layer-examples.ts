// An example of every layer, with what it makes of its inputs.

import { compressedRows, matrixText } from '../../src/base/compressed-rows';
import type { Config, Shape } from '../../src/nn/types';

export interface Example {
  readonly className: string;
  readonly config?: Config;
  /** Of the inputs and of the result, without the batch. */
  readonly shapes: readonly Shape[];
  readonly result: Shape;
  readonly parameters?: number;
  readonly dtype?: 'int32';
}

const image = [6, 7, 3];
const sequence = [5, 4];
const layer = (className: string, config: Config = {}) => ({ className, config });
/** A matrix of `height` rows, of which the first has no entry. */
const matrix = (height: number, width: number) =>
  matrixText(
    compressedRows({
      shape: [height, width],
      rows: [1, 1, 2, height - 1, 1],
      columns: [2, 0, 1, 2, 1],
      values: [0.5, -1, 2, 0.25, 1],
    }),
  );

export const examples: readonly Example[] = [
  { className: 'Dense', config: { units: 5, activation: 'tanh' }, shapes: [[3]], result: [5], parameters: 20 },
  { className: 'Dense', config: { units: 2, useBias: false }, shapes: [sequence], result: [5, 2], parameters: 8 },
  {
    className: 'Conv1D',
    config: { filters: 2, kernelSize: 3, padding: 'causal', dilationRate: 2 },
    shapes: [[9, 4]],
    result: [9, 2],
    parameters: 26,
  },
  {
    className: 'Conv2D',
    config: { filters: 4, kernelSize: 3, activation: 'sigmoid' },
    shapes: [image],
    result: [4, 5, 4],
    parameters: 112,
  },
  {
    className: 'Conv2D',
    config: { filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same', groups: 2, dataFormat: 'channelsFirst' },
    shapes: [[2, 7, 6]],
    result: [4, 4, 3],
    parameters: 28,
  },
  {
    className: 'DepthwiseConv2D',
    config: { kernelSize: 3, depthMultiplier: 2, padding: 'same' },
    shapes: [image],
    result: [6, 7, 6],
    parameters: 60,
  },
  {
    className: 'Conv2DTranspose',
    config: { filters: 2, kernelSize: 3, strides: 2, padding: 'same' },
    shapes: [[3, 4, 3]],
    result: [6, 8, 2],
    parameters: 56,
  },
  {
    className: 'Conv2DTranspose',
    config: { filters: 2, kernelSize: 2, strides: 3 },
    shapes: [[3, 2, 1]],
    result: [9, 6, 2],
    parameters: 10,
  },
  { className: 'MaxPooling1D', shapes: [[7, 3]], result: [3, 3] },
  { className: 'MaxPooling2D', config: { padding: 'same' }, shapes: [image], result: [3, 4, 3] },
  { className: 'AveragePooling1D', config: { poolSize: 3, strides: 1 }, shapes: [[7, 3]], result: [5, 3] },
  { className: 'AveragePooling2D', config: { padding: 'same' }, shapes: [image], result: [3, 4, 3] },
  { className: 'GlobalAveragePooling1D', shapes: [sequence], result: [4] },
  { className: 'GlobalAveragePooling2D', config: { keepDims: true }, shapes: [image], result: [1, 1, 3] },
  { className: 'GlobalMaxPooling1D', shapes: [sequence], result: [4] },
  { className: 'GlobalMaxPooling2D', config: { dataFormat: 'channelsFirst' }, shapes: [image], result: [6] },
  { className: 'Flatten', shapes: [image], result: [126] },
  { className: 'Reshape', config: { targetShape: [2, -1] }, shapes: [image], result: [2, 63] },
  { className: 'Permute', config: { dims: [3, 1, 2] }, shapes: [image], result: [3, 6, 7] },
  { className: 'RepeatVector', config: { n: 3 }, shapes: [[4]], result: [3, 4] },
  {
    className: 'ZeroPadding2D',
    config: {
      padding: [
        [1, 2],
        [0, 3],
      ],
    },
    shapes: [image],
    result: [9, 10, 3],
  },
  { className: 'UpSampling2D', config: { size: [2, 3] }, shapes: [image], result: [12, 21, 3] },
  { className: 'Dropout', config: { rate: 0.3 }, shapes: [[20]], result: [20] },
  { className: 'BatchNormalization', shapes: [image], result: image, parameters: 12 },
  { className: 'BatchNormalization', config: { scale: false }, shapes: [[4]], result: [4], parameters: 12 },
  { className: 'LayerNormalization', shapes: [sequence], result: sequence, parameters: 8 },
  {
    className: 'Embedding',
    config: { inputDim: 4, outputDim: 3 },
    shapes: [[5]],
    result: [5, 3],
    parameters: 12,
    dtype: 'int32',
  },
  {
    className: 'SparseDense',
    config: { units: 5, matrix: matrix(4, 6), dropout: 0.3, activation: 'tanh' },
    shapes: [[]],
    result: [5],
    parameters: 35,
    dtype: 'int32',
  },
  // As many samples as the tests have in a batch.
  { className: 'SparseMatMul', config: { matrix: matrix(3, 3) }, shapes: [sequence], result: sequence },
  {
    className: 'SparseMatMul',
    config: { matrix: matrix(3, 3), trainableValues: true },
    shapes: [sequence],
    result: sequence,
    parameters: 5,
  },
  {
    className: 'GCNConv',
    config: { units: 2, matrix: matrix(3, 3), activation: 'sigmoid', trainableValues: true },
    shapes: [[4]],
    result: [2],
    parameters: 15,
  },
  {
    className: 'GCNConv',
    config: { units: 5, matrix: matrix(3, 3), useBias: false },
    shapes: [[4]],
    result: [5],
    parameters: 20,
  },
  { className: 'SimpleRNN', config: { units: 3 }, shapes: [sequence], result: [3], parameters: 24 },
  { className: 'LSTM', config: { units: 3 }, shapes: [sequence], result: [3], parameters: 96 },
  {
    className: 'LSTM',
    config: { units: 2, returnSequences: true, goBackwards: true },
    shapes: [sequence],
    result: [5, 2],
    parameters: 56,
  },
  { className: 'GRU', config: { units: 3 }, shapes: [sequence], result: [3], parameters: 81 },
  {
    className: 'GRU',
    config: { units: 3, resetAfter: false, returnSequences: true },
    shapes: [sequence],
    result: [5, 3],
    parameters: 72,
  },
  {
    className: 'Bidirectional',
    config: { layer: layer('LSTM', { units: 2, returnSequences: true }) },
    shapes: [sequence],
    result: [5, 4],
    parameters: 112,
  },
  {
    className: 'Bidirectional',
    config: { layer: layer('GRU', { units: 2 }), mergeMode: 'ave' },
    shapes: [sequence],
    result: [2],
    parameters: 96,
  },
  {
    className: 'TimeDistributed',
    config: { layer: layer('Conv2D', { filters: 2, kernelSize: 3 }) },
    shapes: [[4, 5, 6, 1]],
    result: [4, 3, 4, 2],
    parameters: 20,
  },
  {
    className: 'MultiHeadAttention',
    config: { numHeads: 2, keyDim: 3, valueDim: 2, dropout: 0.2, useCausalMask: true },
    shapes: [sequence, [5, 3]],
    result: sequence,
    parameters: 30 + 24 + 16 + 20,
  },
  { className: 'Activation', config: { activation: 'softmax' }, shapes: [image], result: image },
  { className: 'ReLU', config: { maxValue: 0.5, negativeSlope: 0.1, threshold: 0.2 }, shapes: [[9]], result: [9] },
  { className: 'LeakyReLU', shapes: [[9]], result: [9] },
  { className: 'ELU', shapes: [[9]], result: [9] },
  { className: 'Softmax', config: { axis: 1 }, shapes: [sequence], result: sequence },
  { className: 'PReLU', config: { sharedAxes: [1, 2] }, shapes: [image], result: image, parameters: 3 },
  ...['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'].map((className) => ({
    className,
    shapes: [sequence, [1, 4]],
    result: sequence,
  })),
  { className: 'Concatenate', config: { axis: 1 }, shapes: [sequence, [2, 4]], result: [7, 4] },
  { className: 'Rescaling', config: { scale: 2, offset: 1 }, shapes: [[3]], result: [3] },
  { className: 'Normalization', config: { mean: [1, 2, 3], variance: 4 }, shapes: [image], result: image },
  { className: 'GaussianNoise', config: { stddev: 0.2 }, shapes: [image], result: image },
  { className: 'RandomFlip', shapes: [image], result: image },
  ...['RandomTranslation', 'RandomZoom'].map((className) => ({
    className,
    config: { heightFactor: 0.2, widthFactor: 0.1 },
    shapes: [image],
    result: image,
  })),
  { className: 'RandomRotation', config: { factor: 0.1 }, shapes: [image], result: image },
];

/** Matrices by their shapes. */
const shown = (_: string, value: unknown) => ((value as Config | null)?.rowOffsets ? (value as Config).shape : value);
export const nameOf = ({ className, config }: Example) => `${className} ${JSON.stringify(config ?? {}, shown)}`;
