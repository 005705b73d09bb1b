// Pruning of a model under training: what became zero stays zero whatever optimiser trains on, the rest learns, and a model
// that was saved remembers it.

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LeptonError } from '../../src/base/errors';
import type { Named } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { Trainer } from '../../src/worker/trainer';
import { describeDawn } from '../support/dawn';
import { mulberry32 } from '../support/random';
import { wire } from './batch';
import { sequence } from './networks';

const spec = sequence('pruned', { shape: [8, 8, 2], dtype: 'float32' }, [
  ['Conv2D', { filters: 8, kernelSize: [3, 3], activation: 'relu' }],
  ['Flatten', {}],
  ['Dense', { units: 32, activation: 'relu' }],
  ['Dense', { units: 3, activation: 'softmax' }],
]);

const random = mulberry32(5);
const samples = 24;
const x = Float32Array.from({ length: samples * 128 }, () => 2 * random() - 1);
const y = Int32Array.from({ length: samples }, () => Math.floor(3 * random()));

describeDawn('pruning', (dawn) => {
  let trainer: Trainer;
  beforeEach(async () => {
    trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices: new Devices(dawn.gpu) });
    await trainer.build();
  });
  afterEach(() => trainer.dispose());

  const compile = (optimizer: Named, gradientAccumulationSteps?: number) =>
    trainer.compile({
      optimizer,
      ...{ losses: [{ name: 'sparseCategoricalCrossentropy' }], lossWeights: [1], metrics: [[]] },
      ...(gradientAccumulationSteps && { gradientAccumulationSteps }),
    });

  const train = async (steps: number): Promise<number> => {
    let loss = 0;
    for (let i = 0; i < steps; i++) {
      const inputs = [wire(x, [samples, 8, 8, 2])];
      const targets = [wire(y, [samples])];
      ({ loss } = await trainer.batch({ trainer: 0, kind: 'train', inputs, targets, learningRate: 0.01 }));
    }
    return loss;
  };

  const kernels = async (): Promise<Record<string, Float32Array>> => {
    const state = await trainer.state(false);
    const found = Object.entries(state).filter(([name]) => name.endsWith('kernel'));
    return Object.fromEntries(found.map(([name, { bytes }]) => [name, new Float32Array(bytes.buffer)]));
  };

  const zerosOf = (values: Float32Array) => values.reduce((n, v) => n + (v === 0 ? 1 : 0), 0);

  it.each<[string, Named, number?]>([
    ['Adam', { name: 'adam' }],
    ['SGD with momentum', { name: 'sgd', config: { momentum: 0.9 } }],
    ['AdamW, clipped, two batches a step', { name: 'adamw', config: { weightDecay: 0.01, clipNorm: 1 } }, 2],
  ])('what is zero stays zero: %s', async (_, optimizer, accumulation) => {
    await compile(optimizer, accumulation);
    const first = await train(6);
    await trainer.prune({ sparsity: 0.75 });
    const before = await kernels();
    const all = Object.values(before);
    const count = all.reduce((sum, { length }) => sum + length, 0);
    expect(all.reduce((sum, values) => sum + zerosOf(values), 0) / count).toBeCloseTo(0.75, 3);
    const loss = await train(20);
    const after = await kernels();
    for (const [name, values] of Object.entries(after)) {
      const old = before[name] as Float32Array;
      expect([...values.keys()].filter((i) => old[i] === 0 && values[i] !== 0)).toEqual([]);
      expect(values.some((v, i) => old[i] !== 0 && v !== old[i])).toBe(true);
    }
    expect(loss).toBeLessThan(first);
  });

  it('prunes more later, and keeps to a structure', async () => {
    await compile({ name: 'adam' });
    await trainer.prune({ sparsity: 0.5, structure: '4x4', scope: 'layer' });
    await train(3);
    const { pruned, left } = await trainer.prune({ structure: '2:4' });
    expect(Object.keys(pruned)).toEqual(['Dense_2/kernel', 'Dense_3/kernel']);
    expect(left['Conv2D_0/kernel']).toContain('"2:4" is of weights with two axes');
    await train(3);
    const { 'Dense_2/kernel': dense, 'Conv2D_0/kernel': conv } = await kernels();
    expect(zerosOf(conv as Float32Array)).toBe(0);
    const [inputs, units] = [288, 32];
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < inputs; i += 4) {
        const four = [0, 1, 2, 3].map((k) => (dense as Float32Array)[(i + k) * units + unit]);
        expect(four.filter((v) => v !== 0).length).toBeLessThanOrEqual(2);
      }
    }
  });

  it('prunes weights by name, and says which there are', async () => {
    await trainer.prune({ sparsity: { Dense_2: 0.9 } });
    const found = await kernels();
    expect(zerosOf(found['Dense_2/kernel'] as Float32Array)).toBe(Math.round(0.9 * 288 * 32));
    expect(zerosOf(found['Dense_3/kernel'] as Float32Array)).toBe(0);
    const error: LeptonError = await trainer.prune({ sparsity: { other: 0.9 } }).then(
      () => expect.fail('it was taken'),
      (e) => e,
    );
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain('"other" is no layer');
    expect(error.message).toContain('Dense_2');
  });
});
