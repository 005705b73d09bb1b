// The same training in TensorFlow.js, step by step: from the same weights, on the same batches, the losses must agree.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as layers from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import type { ModelSpec, Named } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import type { WireTensor } from '../../src/worker/protocol';
import { Trainer } from '../../src/worker/trainer';
import { describeWithData } from '../support/data';
import { describeDawn } from '../support/dawn';
import { batchOf, floatsOf } from './batch';
import { digits } from './digits';
import { mlp, sequence } from './networks';

const steps = 50;

/** Small: TensorFlow.js computes it on the CPU. */
const smallCnn = sequence('small-cnn', { shape: [28, 28, 1], dtype: 'float32' }, [
  ['Conv2D', { filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }],
  ['BatchNormalization'],
  ['MaxPooling2D', { poolSize: 2 }],
  ['Conv2D', { filters: 8, kernelSize: 3, activation: 'tanh' }],
  ['AveragePooling2D', { poolSize: 2 }],
  ['Flatten'],
  ['Dense', { units: 10, activation: 'softmax' }],
]);

/** The rows of a digit one after another. TensorFlow.js has the activation of the gates from an older Keras. */
const recurrent = (className: string, options = {}) =>
  sequence(`small-${className}`, { shape: [28, 28, 1], dtype: 'float32' }, [
    ['Reshape', { targetShape: [28, 28] }],
    [className, { units: 12, returnSequences: true, recurrentInitializer: 'glorotUniform', ...options }],
    [className, { units: 8, recurrentInitializer: 'glorotUniform', ...options }],
    ['LayerNormalization'],
    ['Dense', { units: 10, activation: 'softmax' }],
  ]);

const makers = {
  Flatten: layers.layers.flatten,
  Dense: layers.layers.dense,
  Reshape: layers.layers.reshape,
  LSTM: layers.layers.lstm,
  GRU: layers.layers.gru,
  SimpleRNN: layers.layers.simpleRNN,
  LayerNormalization: layers.layers.layerNormalization,
  Conv2D: layers.layers.conv2d,
  MaxPooling2D: layers.layers.maxPooling2d,
  AveragePooling2D: layers.layers.averagePooling2d,
  BatchNormalization: layers.layers.batchNormalization,
} as unknown as Record<string, (config: object) => layers.layers.Layer>;

function inTensorFlow({ layers: list, inputs }: ModelSpec, weights: Readonly<Record<string, WireTensor>>) {
  const model = layers.sequential();
  for (const [i, { className, config }] of list.entries()) {
    model.add(
      (makers[className] as (config: object) => layers.layers.Layer)({
        ...config,
        ...(i === 0 && { inputShape: inputs[0]?.shape }),
      }),
    );
  }
  // TensorFlow.js has all moving averages behind all other weights.
  const isAverage = (name: string) => name.includes('/moving');
  const names = list.flatMap(({ name }) => Object.keys(weights).filter((weight) => weight.startsWith(`${name}/`)));
  const ordered = [...names.filter((name) => !isAverage(name)), ...names.filter(isAverage)];
  model.setWeights(
    ordered.map((name) => {
      const t = weights[name] as WireTensor;
      return tf.tensor(floatsOf(t), [...t.dims]);
    }),
  );
  return model;
}

describeWithData('training beside TensorFlow.js', () => {
  describeDawn('in Node', (dawn) => {
    const cases: [string, ModelSpec, Named, number, () => tf.Optimizer][] = [
      ['mlp, adam', mlp, { name: 'adam' }, 0.001, () => tf.train.adam(0.001)],
      [
        'mlp, sgd with momentum',
        mlp,
        { name: 'sgd', config: { momentum: 0.9 } },
        0.01,
        () => tf.train.momentum(0.01, 0.9),
      ],
      ['mlp, rmsprop', mlp, { name: 'rmsprop' }, 0.001, () => tf.train.rmsprop(0.001, 0.9)],
      ['cnn, adam', smallCnn, { name: 'adam' }, 0.002, () => tf.train.adam(0.002)],
      [
        'lstm, adam',
        recurrent('LSTM', { recurrentActivation: 'sigmoid' }),
        { name: 'adam' },
        0.005,
        () => tf.train.adam(0.005),
      ],
      ['simple rnn, adam', recurrent('SimpleRNN'), { name: 'adam' }, 0.002, () => tf.train.adam(0.002)],
    ];
    it.each(cases)('%s', async (_name, spec, optimizer, learningRate, theirs) => {
      const trainer = new Trainer({ spec, seed: 3, training, makeRunner, devices: new Devices(dawn.gpu) });
      await trainer.build();
      const losses = [{ name: 'sparseCategoricalCrossentropy' }];
      await trainer.compile({ optimizer, losses, lossWeights: [1], metrics: [[]] });
      await tf.setBackend('cpu');
      const model = inTensorFlow(spec, await trainer.state(false));
      model.compile({ optimizer: theirs(), loss: 'sparseCategoricalCrossentropy' });
      const data = digits('train', steps * 16);
      for (let i = 0; i < steps; i++) {
        const batch = batchOf(data, i * 16, 16);
        const [x, y] = [batch.inputs[0] as WireTensor, batch.targets[0] as WireTensor];
        const expected = await model.trainOnBatch(
          tf.tensor(floatsOf(x), [...x.dims]),
          tf.tensor(Float32Array.from(new Int32Array(y.bytes.buffer)), [16, 1]),
        );
        const { loss } = await trainer.batch({ trainer: 0, kind: 'train', learningRate, ...batch });
        expect(Math.abs(loss - (expected as number)), `step ${i}: ${loss}, expected ${expected}`).toBeLessThan(1e-3);
      }
      await trainer.dispose();
    });
  });
});
