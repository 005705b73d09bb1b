// The page's side of the test of mixed precision: small networks that learn pictures apart, on this browser's GPU.

import type { CompileSpec, LossScaling, ModelSpec } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { Trainer } from '../../src/worker/trainer';
import { packTrainer, unpackTrainer } from '../../src/worker/trainer-file';
import { mulberry32 } from '../support/random';
import { floatsOf, wire } from './batch';
import { sequence } from './networks';

const devices = new Devices(navigator.gpu);

const picture = { shape: [12, 12, 1], dtype: 'float32' } as const;
const networks: Readonly<Record<string, ModelSpec>> = {
  mlp: sequence('mlp', picture, [
    ['Flatten'],
    ['Dense', { units: 32, activation: 'relu' }],
    ['Dropout', { rate: 0.1 }],
    ['Dense', { units: 4, activation: 'softmax' }],
  ]),
  cnn: sequence('cnn', picture, [
    ['Conv2D', { filters: 8, kernelSize: 3, activation: 'relu' }],
    ['BatchNormalization'],
    ['MaxPooling2D', { poolSize: 2 }],
    ['Conv2D', { filters: 16, kernelSize: 3, activation: 'gelu' }],
    ['GlobalAveragePooling2D'],
    ['Dense', { units: 4, activation: 'softmax' }],
  ]),
};

const size = 32;
const classes = 4;

/** Each class has a stripe of its own, in noise. */
function batchOf(step: number) {
  const random = mulberry32(step);
  const labels = Int32Array.from({ length: size }, () => Math.floor(classes * random()));
  const x = Float32Array.from({ length: size * 144 }, (_, i) => {
    const row = Math.floor((i % 144) / 12);
    return 0.5 * random() + (Math.floor(row / 3) === labels[Math.floor(i / 144)] ? 1 : 0);
  });
  return { inputs: [wire(x, [size, 12, 12, 1])], targets: [wire(labels, [size])] };
}

async function trainerOf(network: string, mixedPrecision?: LossScaling): Promise<Trainer> {
  const compile: CompileSpec = {
    optimizer: { name: 'adam' },
    losses: [{ name: 'sparseCategoricalCrossentropy' }],
    lossWeights: [1],
    metrics: [[{ name: 'accuracy' }]],
    ...(mixedPrecision && { mixedPrecision }),
  };
  const spec = networks[network] as ModelSpec;
  const trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices });
  await trainer.build(compile);
  return trainer;
}

const step = (trainer: Trainer, i: number) =>
  trainer.batch({ trainer: 0, kind: 'train', learningRate: 0.01, ...batchOf(i) });

/** What the optimiser keeps of the scale. */
async function kept(trainer: Trainer) {
  const state = await trainer.state(true);
  const number = (name: string) => floatsOf(state[`optimizer/${name}`] as never)[0] as number;
  return { scale: number('dynamicScale'), good: number('stepCounter'), steps: number('step') };
}

export async function hasFloat16(): Promise<boolean> {
  return (await devices.get()).device.profile.features.includes('shader-f16');
}

export async function losses(network: string, count: number, mixedPrecision?: LossScaling): Promise<number[]> {
  const trainer = await trainerOf(network, mixedPrecision);
  try {
    const reports = await Promise.all(Array.from({ length: count }, (_, i) => step(trainer, i)));
    const held = await trainer.batch({ trainer: 0, kind: 'evaluate', learningRate: 0, ...batchOf(count) });
    return [...reports, held].map(({ loss }) => loss);
  } finally {
    await trainer.dispose();
  }
}

/** From a scale that is far too large: losses, and what is kept after each of `count` steps. */
export async function overflowing(count: number, initialScale: number) {
  const trainer = await trainerOf('cnn', { initialScale, dynamicGrowthSteps: 2000 });
  const seen: { loss: number; scale: number; good: number; steps: number }[] = [];
  for (let i = 0; i < count; i++) seen.push({ loss: (await step(trainer, 0)).loss, ...(await kept(trainer)) });
  await trainer.dispose();
  return seen;
}

/** The losses of two models, one saved and loaded between two steps; and what is kept of both. */
export async function savedBetween() {
  const scaling = { initialScale: 2 ** 12, dynamicGrowthSteps: 3 };
  const one = await trainerOf('cnn', scaling);
  for (let i = 0; i < 4; i++) await step(one, i);
  const file = packTrainer({ spec: one.spec, compile: one.compiled as CompileSpec, state: await one.state(true) });
  const { compile, state } = await unpackTrainer(new Blob([file]));
  const other = await trainerOf('cnn', compile?.mixedPrecision);
  await other.setState(state);
  const after: { losses: number[]; kept: Awaited<ReturnType<typeof kept>> }[] = [];
  for (const trainer of [one, other]) {
    const own = [await step(trainer, 4), await step(trainer, 5)].map(({ loss }) => loss);
    after.push({ losses: own, kept: await kept(trainer) });
    await trainer.dispose();
  }
  return after;
}

/** What an input beyond float16 ends in. */
export async function hugeInput(value: number): Promise<{ code: string; message: string }> {
  const trainer = await trainerOf('mlp', { initialScale: 1024, dynamicGrowthSteps: 2000 });
  const { targets } = batchOf(0);
  const x = new Float32Array(size * 144).fill(value);
  const inputs = [wire(x, [size, 12, 12, 1])];
  try {
    await trainer.batch({ trainer: 0, kind: 'train', learningRate: 0.01, inputs, targets });
    return { code: 'none', message: '' };
  } catch (error) {
    return { code: (error as { code: string }).code, message: (error as Error).message };
  } finally {
    await trainer.dispose();
  }
}
