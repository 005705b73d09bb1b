// Trains the network that the digits page ships with, through the worker's own trainer: on MNIST, every picture changed a
// little each time it is shown, with some digits of the page's own generator among them. Seeded.

import { compileSpecOf } from '../../../src/api/nn/options';
import * as lepton from '../../../src/api/training';
import { compileOptions, freshNetwork } from '../../../src/demo/digits/network';
import { random } from '../../../src/demo/digits/random';
import { type Examples, synthetic } from '../../../src/demo/digits/synthetic';
import { training } from '../../../src/train';
import type { Devices } from '../../../src/worker/devices';
import { makeRunner } from '../../../src/worker/make-runner';
import { Trainer } from '../../../src/worker/trainer';
import { wire } from '../../train/batch';
import type { Digits } from '../../train/digits';
import { augment } from './augment';

export interface Course {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of each batch: digits of the page's generator. */
  readonly synthetic: number;
  /** Of the first epochs; falls to a hundredth of it along half a cosine. */
  readonly learningRate: number;
  readonly seed: number;
  readonly onEpoch: (epoch: number, loss: number) => void | Promise<void>;
}

const pixels = 784;

/** A trainer of the page's network, or of another one, compiled as the page does. */
export async function openNetwork(devices: Devices, seed: number, network = freshNetwork(lepton)): Promise<Trainer> {
  const trainer = new Trainer({ spec: network.spec, seed, training, makeRunner, devices });
  await trainer.build();
  await trainer.compile(compileSpecOf(compileOptions, 1).spec);
  return trainer;
}

export async function train(trainer: Trainer, mnist: Digits, course: Course): Promise<void> {
  const { epochs, batchSize, seed } = course;
  const own = batchSize - course.synthetic;
  const steps = Math.floor(mnist.count / own);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(mnist.count, seed + epoch);
    const losses: Promise<number>[] = [];
    for (let step = 0; step < steps; step++) {
      const chosen = order.subarray(step * own, (step + 1) * own);
      const batch = batchOf(mnist, chosen, course.synthetic, seed + epoch * steps + step);
      const progress = (epoch * steps + step) / (epochs * steps);
      const learningRate = course.learningRate * (0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * progress)));
      losses.push(trainer.batch({ trainer: 0, kind: 'train', learningRate, ...batch }).then(({ loss }) => loss));
      // Some batches ahead, so that the GPU never waits; not all, which would be all in memory.
      if (step >= 4) await losses[step - 4];
    }
    const all = await Promise.all(losses);
    await course.onEpoch(epoch, all.reduce((sum, loss) => sum + loss, 0) / all.length);
  }
}

/** The share of the examples that are recognised. */
export async function accuracyOf(trainer: Trainer, { images, labels }: Examples): Promise<number> {
  const size = 500;
  let [right, count] = [0, 0];
  for (let at = 0; at < labels.length; at += size) {
    const part = labels.slice(at, at + size);
    const { metrics } = await trainer.batch({
      trainer: 0,
      kind: 'evaluate',
      learningRate: 0,
      inputs: [wire(images.slice(at * pixels, (at + part.length) * pixels), [part.length, 28, 28, 1])],
      targets: [wire(part, [part.length])],
    });
    const [hits = 0, all = 0] = metrics[0]?.[0] ?? [];
    right += hits;
    count += all;
  }
  return right / count;
}

function batchOf(mnist: Digits, chosen: Uint32Array, synthetics: number, seed: number) {
  const chance = random(seed, 3);
  const size = chosen.length + synthetics;
  const images = new Float32Array(size * pixels);
  const labels = new Int32Array(size);
  chosen.forEach((at, i) => {
    augment(mnist.images, at * pixels, images, i * pixels, chance);
    labels[i] = mnist.labels[at] as number;
  });
  const written = synthetic(
    Array.from({ length: synthetics }, (_, i) => i),
    seed,
  );
  images.set(written.images, chosen.length * pixels);
  labels.set(written.labels, chosen.length);
  return { inputs: [wire(images, [size, 28, 28, 1])], targets: [wire(labels, [size])] };
}

function shuffled(count: number, seed: number): Uint32Array {
  const chance = random(seed, 5);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(chance.between(0, i + 1));
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
}
