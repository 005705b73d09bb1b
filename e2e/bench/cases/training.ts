// Steps of training that the benchmark measures: a model as plain data, its loss, and one batch, which every step takes
// again. The optimiser is Adam.

import { type NDArray, ndarray } from '../../../src/base/ndarray';
import type { CallSpec, LayerSpec, ModelSpec } from '../../../src/nn/types';
import { mulberry32 } from '../../support/random';
import { cnn, mlp, sequence } from '../../train/networks';
import { drawnInput } from './network';

export type TrainingLoss = 'sparseCategoricalCrossentropy' | 'meanSquaredError';

export interface TrainingCase {
  readonly name: string;
  readonly group: 'train';
  readonly spec: ModelSpec;
  readonly loss: TrainingLoss;
  /** The batch: of the model's only input, and what its only output is compared with. */
  x(): NDArray;
  y(): NDArray;
}

export const learningRate = 0.001;

const classes = 10;

function digits(name: string, spec: ModelSpec, batch: number): TrainingCase {
  const random = mulberry32(9);
  return {
    ...{ name: `train ${name} batch ${batch}`, group: 'train', spec, loss: 'sparseCategoricalCrossentropy' },
    x: () => drawnInput([batch, 28, 28, 1]),
    y: () =>
      ndarray(
        'int32',
        [batch],
        Int32Array.from({ length: batch }, () => Math.floor(classes * random())),
      ),
  };
}

function regression(name: string, spec: ModelSpec, x: readonly number[], y: readonly number[]): TrainingCase {
  return {
    ...{ name: `train ${name}`, group: 'train', spec, loss: 'meanSquaredError' },
    x: () => drawnInput(x),
    y: () => drawnInput(y, 'float32', 11),
  };
}

const lstm = sequence('lstm', { shape: [100, 32], dtype: 'float32' }, [
  ['LSTM', { units: 128, recurrentActivation: 'sigmoid' }],
  ['Dense', { units: 1 }],
]);

const width = 128;

/** Normalisation before attention and before the dense layers, and a residual around each: https://arxiv.org/abs/2002.04745 */
function transformerBlock(steps: number): ModelSpec {
  const uses: readonly [LayerSpec['className'], LayerSpec['config'], readonly string[]][] = [
    ['LayerNormalization', {}, ['x']],
    ['MultiHeadAttention', { numHeads: 4, keyDim: width / 4 }, ['value0', 'value0']],
    ['Add', {}, ['x', 'value1']],
    ['LayerNormalization', {}, ['value2']],
    ['Dense', { units: 4 * width, activation: 'relu' }, ['value3']],
    ['Dense', { units: width }, ['value4']],
    ['Add', {}, ['value2', 'value5']],
  ];
  return {
    name: 'transformer-block',
    inputs: [{ name: 'x', shape: [steps, width], dtype: 'float32' }],
    layers: uses.map(([className, config], i) => ({ name: `${className}_${i}`, className, config })),
    calls: uses.map(([className, , inputs], i): CallSpec => {
      return { layer: `${className}_${i}`, inputs, output: `value${i}` };
    }),
    outputs: [`value${uses.length - 1}`],
  };
}

export const trainings: readonly TrainingCase[] = [
  digits('MNIST CNN', cnn, 128),
  digits('MNIST CNN', cnn, 32),
  digits('MLP 784-128-10', mlp, 128),
  regression('transformer block 128×128, batch 4', transformerBlock(128), [4, 128, width], [4, 128, width]),
  regression('LSTM 100 steps, hidden 128, batch 32', lstm, [32, 100, 32], [32, 1]),
];
