// What a training should begin with: Lepton in Node, on Dawn, without a page. e2e/train/tfjs.test.ts compares the same with
// TensorFlow.js on the CPU.

import * as webgpu from 'webgpu';
import { encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import type { WireTensor } from '../../src/worker/protocol';
import { Trainer } from '../../src/worker/trainer';
import { openDawn } from '../support/dawn';
import { floatsOf } from '../train/batch';
import { learningRate, type TrainingCase } from './cases/training';
import { checkedSteps } from './pages/runtime';

/** @returns the initial weights by name, and the losses of the first steps on the batch */
export async function firstLosses(
  { spec, loss }: TrainingCase,
  { x, y }: { readonly x: NDArray; readonly y: NDArray },
): Promise<{ weights: Record<string, NDArray>; losses: number[] }> {
  const dawn = await openDawn(Promise.resolve(webgpu));
  const devices = new Devices(dawn.gpu);
  const trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices });
  try {
    await trainer.build();
    await trainer.compile({
      optimizer: { name: 'adam' },
      losses: [{ name: loss }],
      lossWeights: [1],
      metrics: [[]],
    });
    const weights = Object.entries(await trainer.state(false)).map(
      ([name, tensor]) => [name, ndarray('float32', tensor.dims, floatsOf(tensor))] as const,
    );
    const losses: number[] = [];
    for (let i = 0; i < checkedSteps; i++) {
      const batch = { inputs: [wire(x)], targets: [wire(y)] };
      losses.push((await trainer.batch({ trainer: 0, kind: 'train', learningRate, ...batch })).loss);
    }
    return { weights: Object.fromEntries(weights), losses };
  } finally {
    await trainer.dispose();
    (await devices.get()).device.handle.destroy();
    dawn.close();
  }
}

function wire(array: NDArray): WireTensor {
  return { type: array.dtype as WireTensor['type'], dims: array.dims, bytes: encode(array) };
}
