// Handwritten digits (MNIST): a network of dense layers and one of convolutions, measured on digits that are for testing.

import { readFileSync } from 'node:fs';
import * as layers from '../../src/api/nn/layers';
import { type Sequential, sequential } from '../../src/api/nn/network';
import { type Dataset, fromIDX } from '../../src/data';
import { dataPath } from '../support/data';
import { type Context, type Measured, type Proof, progress } from './proof';

interface Setting {
  /** Digits trained on, and tested on. */
  readonly train: number;
  readonly test: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

const inputShape = [28, 28, 1];

const dense = () =>
  sequential([
    layers.flatten({ inputShape }),
    layers.dense({ units: 128, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);

const convolutions = () =>
  sequential([
    layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape }),
    layers.maxPooling2d(),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d(),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    layers.flatten(),
    layers.dense({ units: 64, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);

export const mlp: Proof = {
  about: 'Flatten, Dense 128, Dense 10 on MNIST',
  claims: { small: { accuracy: { atLeast: 0.88 } }, full: { accuracy: { atLeast: 0.975 } } },
  run: (context) =>
    train(dense(), context, {
      small: { train: 6000, test: 1000, epochs: 2, batchSize: 32, learningRate: 0.003 },
      full: { train: 60_000, test: 10_000, epochs: 6, batchSize: 128, learningRate: 0.002 },
    }),
};

export const cnn: Proof = {
  about: 'three convolutions with pooling, Dense 64, Dense 10 on MNIST',
  claims: { small: { accuracy: { atLeast: 0.7 } }, full: { accuracy: { atLeast: 0.99 } } },
  run: (context) =>
    train(convolutions(), context, {
      small: { train: 1024, test: 500, epochs: 1, batchSize: 16, learningRate: 0.003 },
      full: { train: 60_000, test: 10_000, epochs: 2, batchSize: 128, learningRate: 0.002 },
    }),
};

/** Adam, its rate falling to zero along a line. */
async function train(
  model: Sequential,
  { training, full, log }: Context,
  settings: { readonly small: Setting; readonly full: Setting },
): Promise<Measured> {
  const { epochs, batchSize, learningRate, ...count } = full ? settings.full : settings.small;
  await training.build(model, 1);
  model.compile({
    optimizer: { name: 'adam', learningRate },
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const batches = (await digits('train', count.train)).shuffle({ seed: 1 }).batch({ size: batchSize });
  const steps = epochs * batches.size;
  let step = 0;
  const falling = {
    onBatchBegin: () => {
      model.learningRate = learningRate * (1 - step++ / steps);
    },
  };
  await model.fit(batches, { epochs, callbacks: [falling, progress(log, 50)] });
  const results = await model.evaluate((await digits('t10k', count.test)).batch({ size: 500 }));
  await model.dispose();
  return { loss: results.loss as number, accuracy: results.accuracy as number };
}

async function digits(part: 'train' | 't10k', count: number): Promise<Dataset> {
  const file = (kind: string) => readFileSync(dataPath('datasets', 'mnist', `${part}-${kind}-ubyte.gz`));
  const all = await fromIDX({ xs: file('images-idx3'), ys: file('labels-idx1') }, { shape: inputShape });
  return all.take(count);
}
