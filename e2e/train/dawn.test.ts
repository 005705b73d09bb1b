// Training in Node, on Dawn: the trainer of the worker without a page around it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CompileSpec } from '../../src/nn/types';
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

const compile: CompileSpec = {
  optimizer: { name: 'adam' },
  losses: [{ name: 'sparseCategoricalCrossentropy' }],
  lossWeights: [1],
  metrics: [[{ name: 'accuracy' }]],
};

describeWithData('training on MNIST', () => {
  describeDawn('in Node', (dawn) => {
    let trainer: Trainer;
    beforeAll(async () => {
      trainer = new Trainer({ spec: mlp, seed: 1, training, makeRunner, devices: new Devices(dawn.gpu) });
      await trainer.build();
      await trainer.compile(compile);
    });
    afterAll(() => trainer.dispose());

    it('lowers the loss, batch by batch', async () => {
      const data = digits('train', 3200);
      const reports = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          trainer.batch({ trainer: 0, kind: 'train', learningRate: 0.002, ...batchOf(data, i * 32, 32) }),
        ),
      );
      const mean = (list: typeof reports) => list.reduce((sum, { loss }) => sum + loss, 0) / list.length;
      expect(mean(reports.slice(0, 5))).toBeGreaterThan(1.5);
      expect(mean(reports.slice(-20))).toBeLessThan(0.6);
    });

    it('evaluates and predicts alike', async () => {
      const test = batchOf(digits('t10k', 200), 0, 200);
      const report = await trainer.batch({ trainer: 0, kind: 'evaluate', learningRate: 0, ...test });
      const [[[right = 0, count = 0] = []] = []] = report.metrics;
      expect(count).toBe(200);
      expect(right / count).toBeGreaterThan(0.8);
      const [answer] = await trainer.predict(test.inputs);
      const scores = floatsOf(answer as WireTensor);
      const labels = new Int32Array(test.targets[0]?.bytes.buffer as ArrayBuffer);
      const hits = Array.from(labels).filter((label, i) => {
        const row = scores.subarray(i * 10, i * 10 + 10);
        return row.indexOf(Math.max(...row)) === label;
      });
      expect(hits.length).toBe(right);
    });

    it('gathers the gradients of several batches as if they were one', async () => {
      const data = digits('train', 64);
      const sgd = { ...compile, optimizer: { name: 'sgd' } };
      const states: Awaited<ReturnType<Trainer['state']>>[] = [];
      for (const gradientAccumulationSteps of [1, 4]) {
        const one = new Trainer({ spec: mlp, seed: 4, training, makeRunner, devices: new Devices(dawn.gpu) });
        await one.build();
        await one.compile({ ...sgd, gradientAccumulationSteps });
        const size = 32 / gradientAccumulationSteps;
        for (let at = 0; at < 64; at += size) {
          await one.batch({ trainer: 0, kind: 'train', learningRate: 0.1, ...batchOf(data, at, size) });
        }
        states.push(await one.state(false));
        await one.dispose();
      }
      const [whole, gathered] = states.map((state) => floatsOf(state['Dense_1/kernel'] as WireTensor));
      const largest = Math.max(...(whole as Float32Array).map((v, i) => Math.abs(v - (gathered?.[i] as number))));
      expect(largest).toBeLessThan(1e-5);
    });

    it('computes again instead of keeping, with the same results and less memory', async () => {
      const layers = Array.from({ length: 12 }, () => ['Dense', { units: 64, activation: 'tanh' }] as const);
      const deep = sequence('deep', { shape: [28, 28, 1], dtype: 'float32' }, [
        ['AveragePooling2D', { poolSize: 4 }],
        ['Flatten'],
        ...layers,
        ['Dense', { units: 10, activation: 'softmax' }],
      ]);
      const batch = batchOf(digits('train', 512), 0, 512);
      const losses: number[][] = [];
      const bytes: number[] = [];
      const devices = new Devices(dawn.gpu);
      const { profile } = (await devices.get()).device;
      for (const recompute of [undefined, 4]) {
        const how = { ...compile, ...(recompute && { recompute }) };
        const shapes = (tensors: readonly WireTensor[]) => tensors.map(({ type, dims }) => ({ dtype: type, dims }));
        const request = { inputs: shapes(batch.inputs), targets: shapes(batch.targets) };
        const { plan } = training.plan({ kind: 'train', spec: deep, compile: how, ...request }, { adapter: profile });
        bytes.push(plan.memory.peakLiveBytes);
        const one = new Trainer({ spec: deep, seed: 4, training, makeRunner, devices });
        await one.build();
        await one.compile(how);
        const own: number[] = [];
        for (let i = 0; i < 3; i++) {
          own.push((await one.batch({ trainer: 0, kind: 'train', learningRate: 0.001, ...batch })).loss);
        }
        losses.push(own);
        await one.dispose();
      }
      losses[0]?.forEach((loss, i) => {
        expect(losses[1]?.[i]).toBeCloseTo(loss, 5);
      });
      expect(bytes[1]).toBeLessThan(0.9 * (bytes[0] as number));
    });
  });
});
