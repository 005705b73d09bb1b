// Smaller and faster: networks that read digits lose nine tenths of their weights while they are trained on, and the rest
// becomes 8-bit integers. Measured beside what compression alone does, and beside the dense network in the same run.

import { readFileSync } from 'node:fs';
import * as callbacks from '../../src/api/nn/callbacks';
import * as layers from '../../src/api/nn/layers';
import { type Sequential, sequential } from '../../src/api/nn/network';
import { median } from '../../src/base/median';
import { memorySource } from '../../src/base/memory-source';
import { type NDArray, ndarray } from '../../src/base/ndarray';
import { compressGraph } from '../../src/compress/compress';
import type { CompressOptions } from '../../src/compress/types';
import { freshNetwork } from '../../src/demo/digits/network';
import { compiler } from '../../src/worker/compiler';
import { unpackTrainer } from '../../src/worker/trainer-file';
import { openOnGpu } from '../support/engines';
import { digits } from '../train/digits';
import type { NodeTraining } from './in-node';
import { type Context, type Measured, type Proof, progress } from './proof';

interface Subject {
  readonly name: string;
  /** Of training on, at first. */
  readonly learningRate: number;
  /** Of its weights, which are zeros in the end: nine tenths of all. */
  readonly finalSparsity: callbacks.PruningOptions['finalSparsity'];
  network(): Sequential;
  /** Gives it weights that read digits. */
  teach(model: Sequential, setting: Setting, log: Context['log']): Promise<void>;
}

interface Setting {
  readonly subjects: readonly Subject[];
  /** Digits trained on, tested on, and epochs of training on while weights go. */
  readonly train: number;
  readonly test: number;
  readonly epochs: number;
}

const sparsity = 0.9;
/** Batches from one time that weights go to the next. */
const frequency = 20;
const batchSize = 128;
/** Digits of the runs that are timed, and how many runs. */
const timedRuns = [
  { batch: 1, rounds: 101 },
  { batch: 128, rounds: 31 },
];

/**
 * The network of the digits page, as it ships. Its time goes into the second convolution, its bytes into the first dense layer:
 * one threshold for all would leave half of the convolution. The first has 72 weights, which are all needed.
 */
const shipped: Subject = {
  name: 'digits',
  learningRate: 0.002,
  finalSparsity: { conv2d_1: 0.78, dense: 0.916, dense_1: 0.3 },
  network: () => freshNetwork({ layers, sequential }),
  async teach(model) {
    const file = new URL('../../public/models/digits.safetensors', import.meta.url);
    const { state } = await unpackTrainer(new Blob([readFileSync(file)]));
    const weights = Object.entries(state).map(([name, { dims, bytes }]) => {
      return [name, { type: 'float32' as const, dims, data: new Float32Array(bytes.buffer) }] as const;
    });
    await model.setWeights(Object.fromEntries(weights));
  },
};

/** A larger one, of dense layers, trained here. */
const wide: Subject = {
  name: 'wide',
  learningRate: 0.001,
  finalSparsity: sparsity,
  network: () =>
    sequential([
      layers.flatten({ inputShape: [28, 28, 1] }),
      layers.dense({ units: 512, activation: 'relu' }),
      layers.dense({ units: 256, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]),
  async teach(model, setting, log) {
    await trainOn(model, setting, { epochs: 4, learningRate: 0.002, log });
  },
};

export const compressed: Proof = {
  about: 'digits networks pruned to 90 % zeros while trained on, and quantised to int8',
  claims: {
    small: { 'digits accuracy compressed': { atLeast: 0.7 }, 'digits bytes': { below: 1 / 6 } },
    full: {
      'digits lost': { below: 0.005 },
      'digits bytes': { below: 1 / 6 },
      'digits speedup, batch 1': { atLeast: 1 },
      'digits speedup, batch 128': { atLeast: 1 },
      'wide lost': { below: 0.005 },
      'wide bytes': { below: 1 / 6 },
      'wide speedup, batch 1': { atLeast: 1 },
      'wide speedup, batch 128': { atLeast: 1 },
    },
  },
  async run({ training, full, log }) {
    const setting: Setting = full
      ? { subjects: [shipped, wide], train: 60_000, test: 10_000, epochs: 3 }
      : { subjects: [shipped], train: 4000, test: 1000, epochs: 1 };
    const measured: Record<string, number> = {};
    for (const subject of setting.subjects) {
      const found = await measure(subject, setting, { training, log });
      for (const [name, value] of Object.entries(found)) measured[`${subject.name} ${name}`] = value;
    }
    return measured;
  },
};

async function measure(
  subject: Subject,
  setting: Setting,
  { training, log }: { training: NodeTraining; log: Context['log'] },
): Promise<Measured> {
  const model = await training.build(subject.network(), 1);
  compile(model, 0.001);
  await subject.teach(model, setting, log);
  const dense = await model.toOnnx();
  const alone = await compress(dense, { prune: sparsity, quantize: 'int8' });
  const { epochs, train } = setting;
  const endStep = Math.floor(0.6 * epochs * Math.ceil(train / batchSize));
  const pruning = callbacks.pruning({ finalSparsity: subject.finalSparsity, endStep, frequency });
  await trainOn(model, setting, { epochs, learningRate: subject.learningRate, log, more: [pruning] });
  const small = await compress(await model.toOnnx(), { quantize: 'int8' });
  await model.dispose();
  const test = digits('t10k', setting.test);
  const accuracies: number[] = [];
  for (const onnx of [dense, alone, small]) accuracies.push(await accuracyOf(training.gpu, onnx, test));
  const [before, without, after] = accuracies as [number, number, number];
  return {
    accuracy: before,
    'accuracy without training on': without,
    'accuracy compressed': after,
    lost: before - after,
    bytes: small.length / dense.length,
    ...(await timesOf(training.gpu, dense, small, test.images)),
  };
}

function compile(model: Sequential, learningRate: number): void {
  model.compile({
    optimizer: { name: 'adam', learningRate },
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

interface Course {
  readonly epochs: number;
  readonly learningRate: number;
  readonly log: Context['log'];
  readonly more?: readonly callbacks.Callback[];
}

/** Adam, its rate falling to zero along a line. */
async function trainOn(model: Sequential, { train }: Setting, { epochs, learningRate, log, more = [] }: Course) {
  compile(model, learningRate);
  const { images, labels } = digits('train', train);
  const steps = epochs * Math.ceil(train / batchSize);
  let step = 0;
  const falling = {
    onBatchBegin: () => {
      model.learningRate = learningRate * (1 - step++ / steps);
    },
  };
  const x = { type: 'float32', dims: [train, 28, 28, 1], data: images } as const;
  await model.fit(x, labels, { epochs, batchSize, seed: 1, callbacks: [...more, falling, progress(log)] });
}

async function compress(onnx: Uint8Array<ArrayBuffer>, options: CompressOptions): Promise<Uint8Array<ArrayBuffer>> {
  const source = memorySource(onnx);
  const { graph } = await compiler.read(source, new AbortController().signal);
  return (await compressGraph({ graph, fileOf: () => source, bytes: onnx.length, options })).bytes;
}

async function accuracyOf(
  gpu: GPU,
  onnx: Uint8Array<ArrayBuffer>,
  { images, labels, count }: ReturnType<typeof digits>,
): Promise<number> {
  const model = await openOnGpu(gpu, onnx);
  const size = 500;
  let right = 0;
  for (let at = 0; at < count; at += size) {
    const rows = Math.min(size, count - at);
    const y = await answer(model, batchOf(images, at, rows));
    for (let row = 0; row < rows; row++) {
      const scores = y.data.slice(row * 10, row * 10 + 10);
      if (scores.indexOf(Math.max(...scores)) === labels[at + row]) right++;
    }
  }
  await model.dispose();
  return right / count;
}

/** The two run in turns: medians in milliseconds for each batch, and how many times as fast the compressed one was. */
async function timesOf(
  gpu: GPU,
  dense: Uint8Array<ArrayBuffer>,
  small: Uint8Array<ArrayBuffer>,
  images: Float32Array,
): Promise<Measured> {
  const opened = [await openOnGpu(gpu, dense), await openOnGpu(gpu, small)];
  const measured: Record<string, number> = {};
  for (const { batch, rounds } of timedRuns) {
    const x = batchOf(images, 0, batch);
    const times = opened.map((): number[] => []);
    for (let round = -3; round < rounds; round++) {
      for (const [i, model] of opened.entries()) {
        const start = performance.now();
        await answer(model, x);
        if (round >= 0) times[i]?.push(performance.now() - start);
      }
    }
    const [before, after] = times.map(median) as [number, number];
    measured[`ms dense, batch ${batch}`] = before;
    measured[`ms compressed, batch ${batch}`] = after;
    measured[`speedup, batch ${batch}`] = before / after;
  }
  for (const model of opened) await model.dispose();
  return measured;
}

function batchOf(images: Float32Array, first: number, rows: number): NDArray {
  return ndarray('float32', [rows, 28, 28, 1], images.slice(first * 784, (first + rows) * 784));
}

async function answer(model: Awaited<ReturnType<typeof openOnGpu>>, x: NDArray): Promise<NDArray> {
  const { inputs, outputs } = model.graph;
  return (await model.run({ [inputs[0] as string]: x }))[outputs[0] as string] as NDArray;
}
