// Models with several inputs and outputs: what counts how much, and a layer that is used twice.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ModelSpec } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import type { WireTensor } from '../../src/worker/protocol';
import { Trainer } from '../../src/worker/trainer';
import { describeDawn } from '../support/dawn';
import { mulberry32 } from '../support/random';
import { floatsOf, wire } from './batch';

/** Two inputs through one shared layer, added; a number and a probability come out. */
const spec: ModelSpec = {
  name: 'several',
  inputs: [
    { name: 'left', shape: [3], dtype: 'float32' },
    { name: 'right', shape: [3], dtype: 'float32' },
  ],
  layers: [
    { name: 'shared', className: 'Dense', config: { units: 5, activation: 'tanh' } },
    { name: 'sum', className: 'Add', config: {} },
    { name: 'number', className: 'Dense', config: { units: 1 }, learningRateMultiplier: 0 },
    { name: 'chance', className: 'Dense', config: { units: 1, activation: 'sigmoid' } },
  ],
  calls: [
    { layer: 'shared', inputs: ['left'], output: 'a' },
    { layer: 'shared', inputs: ['right'], output: 'b' },
    { layer: 'sum', inputs: ['a', 'b'], output: 'ab' },
    { layer: 'number', inputs: ['ab'], output: 'number' },
    { layer: 'chance', inputs: ['ab'], output: 'chance' },
  ],
  outputs: ['number', 'chance'],
};

const samples = 6;
const random = mulberry32(8);
const draw = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);
const inputs = [wire(draw(samples * 3), [samples, 3]), wire(draw(samples * 3), [samples, 3])];
const targets = [
  wire(draw(samples), [samples, 1]),
  wire(
    Float32Array.from({ length: samples }, (_, i) => i % 2),
    [samples, 1],
  ),
];
const weights = Float32Array.of(0, 1, 2, 0.5, 1, 0);

describeDawn('models of several inputs and outputs', (dawn) => {
  let trainer: Trainer;
  beforeAll(async () => {
    trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices: new Devices(dawn.gpu) });
    await trainer.build();
    await trainer.compile({
      optimizer: { name: 'sgd' },
      losses: [{ name: 'meanSquaredError' }, { name: 'binaryCrossentropy' }],
      lossWeights: [1, 0.25],
      metrics: [[{ name: 'meanAbsoluteError' }], [{ name: 'accuracy' }]],
    });
  });
  afterAll(() => trainer.dispose());

  it('weighs losses and samples', async () => {
    const sampleWeight = wire(weights, [samples]);
    const request = { trainer: 0, learningRate: 0, inputs, targets, sampleWeight };
    const report = await trainer.batch({ ...request, kind: 'evaluate' });
    const [number, chance] = (await trainer.predict(inputs)).map(floatsOf) as [Float32Array, Float32Array];
    const [y, label] = targets.map(floatsOf) as [Float32Array, Float32Array];
    const mean = (of: (i: number) => number) => weights.reduce((sum, w, i) => sum + w * of(i), 0) / samples;
    const squares = mean((i) => ((number[i] as number) - (y[i] as number)) ** 2);
    const entropy = mean((i) => -Math.log(label[i] ? (chance[i] as number) : 1 - (chance[i] as number)));
    expect(report.losses[0]).toBeCloseTo(squares, 5);
    expect(report.losses[1]).toBeCloseTo(entropy, 5);
    expect(report.loss).toBeCloseTo(squares + 0.25 * entropy, 5);
    expect(report.metrics.map((list) => list.length)).toEqual([1, 1]);
  });

  it('trains a shared layer through both of its uses, and one of rate 0 not', async () => {
    const before = await trainer.state(false);
    const losses: number[] = [];
    for (let i = 0; i < 30; i++) {
      losses.push((await trainer.batch({ trainer: 0, kind: 'train', learningRate: 0.2, inputs, targets })).loss);
    }
    expect(losses.at(-1)).toBeLessThan(0.95 * (losses[0] as number));
    const after = await trainer.state(false);
    const same = (name: string) =>
      floatsOf(after[name] as WireTensor).join() === floatsOf(before[name] as WireTensor).join();
    expect(Object.keys(after).filter(same)).toEqual(['number/kernel', 'number/bias']);
    expect(Object.keys(after)).toHaveLength(6);
  });
});
