// The network of the page: it answers, trains, is corrected, and is kept. It begins as the ONNX file that ships, or as the
// checkpoint of an earlier visit; the weights to train on come when they are first asked for.
// Invariant: nothing here touches the document.

import { LeptonError, load, type Model, Tensor } from '../../api';
import { checkpoints, type data, layers, loadModel, type Network, sequential } from '../../api/training';
import { pictureOf, side } from './ink';
import { joined, type Lesson, type Lessons, repeated } from './lessons';
import { bestOf, compileOptions, freshNetwork } from './network';
import { batchOf } from './sources';
import type { Examples } from './synthetic';

/** Where the weights come from: the file that ships, an earlier visit, or chance. */
export type Origin = 'shipped' | 'checkpoint' | 'random';

export interface TrainingData {
  readonly train: data.Dataset;
  readonly heldOut: data.Dataset;
}

export interface TrainingHooks {
  /** Of one batch. */
  onBatch(loss: number, accuracy: number): void;
  /** The share of the digits held out that are recognised, after every hundredth batch. */
  onEpoch(epoch: number, heldOut: number): void;
  onSaved(): void;
}

export interface LessonReport {
  readonly steps: number;
  /** The network's answers, and how sure it was of the right one. */
  readonly before: number;
  readonly after: number;
  readonly sure: number;
  /** Shares of the digits held out that are recognised: what the lesson cost. */
  readonly knewBefore: number;
  readonly knowsAfter: number;
}

export const batchSize = 64;
export const stepsPerEpoch = 100;
/** Milliseconds between two checkpoints. */
export const saveInterval = 15_000;

const checkpointName = 'lepton-digits';
const checkpointUrl = `indexeddb://${checkpointName}`;
const shippedUrl = (name: string) => new URL(`${import.meta.env.BASE_URL}models/${name}`, document.baseURI).href;

/** Of a batch: drawings that were corrected, once there are any. */
const oldLessons = 6;
/** Of a batch that corrects: the drawing at hand. */
const newLesson = 10;
/** A lesson ends when the answer is right, and of the digits held out no more than a hundredth is forgotten. */
const lessonEnds = { every: 4, most: 40, sure: 0.7, forgotten: 0.01 } as const;

export class Learner {
  origin: Origin = 'shipped';
  /** When the checkpoint was saved that the weights are from, or last went to; milliseconds since 1970. */
  savedAt: number | undefined;
  /** Not without a GPU. */
  canTrain = true;
  private shipped: Model | undefined;
  private network: Network | undefined;
  private opening: Promise<Network> | undefined;
  private gate: { readonly promise: Promise<void>; readonly open: () => void } | undefined;
  private training: Promise<unknown> | undefined;
  private stopping = false;
  private lastSave = 0;

  constructor(private readonly lessons: Lessons) {}

  /** @param backend 'cpu' answers without a GPU; it cannot train */
  async open(backend: 'gpu' | 'cpu' = 'gpu'): Promise<void> {
    this.canTrain = backend === 'gpu';
    if (this.canTrain && (await this.openCheckpoint())) return;
    this.shipped = await load(shippedUrl('digits.onnx'), backend === 'cpu' ? { backend } : {});
  }

  /** Says whether there was one. */
  private async openCheckpoint(): Promise<boolean> {
    try {
      const kept = (await checkpoints.list()).find(({ name }) => name === checkpointName);
      if (!kept) return false;
      this.network = await loadModel(checkpointUrl);
      this.origin = 'checkpoint';
      this.savedAt = kept.savedAt;
      return true;
    } catch (error) {
      const code = error instanceof LeptonError ? error.code : undefined;
      // A browser without a database, or a checkpoint of another version: the page begins as for a new visitor.
      if (code === 'UNSUPPORTED_OPERATION' || code === 'INVALID_MODEL' || code === 'INVALID_ARGUMENT') return false;
      throw error;
    }
  }

  /** Ten scores that add up to 1. */
  async scores(picture: Float32Array): Promise<Float32Array> {
    const dims = [1, side, side, 1];
    if (this.network) {
      const [answer] = await this.network.predict({ type: 'float32', dims, data: picture });
      return (answer as Tensor<'float32'>).data;
    }
    const model = this.shipped!;
    const outputs = await model.run({ [model.inputs[0]!.name]: new Tensor('float32', picture, dims) });
    return Object.values(outputs)[0]!.data as Float32Array;
  }

  get isTraining(): boolean {
    return this.training !== undefined;
  }

  get isPaused(): boolean {
    return this.gate !== undefined;
  }

  get isGoing(): boolean {
    return this.isTraining && !this.isPaused;
  }

  /** Trains until stop() is called. @param epoch to go on with */
  train(data: TrainingData, epoch: number, hooks: TrainingHooks): Promise<void> {
    this.stopping = false;
    const training = this.fit(data, epoch, hooks).finally(() => {
      this.training = undefined;
      this.resume();
    });
    this.training = training;
    return training;
  }

  private async fit({ train, heldOut }: TrainingData, epoch: number, hooks: TrainingHooks): Promise<void> {
    const network = await this.trainable();
    const batches = train
      .batch({ size: Math.min(batchSize, train.size), dropRemainder: true })
      .map((batch) => this.withLessons(batch));
    this.lastSave = performance.now();
    const saved = async () => {
      await this.save();
      hooks.onSaved();
    };
    await network.fit(batches, {
      epochs: Number.POSITIVE_INFINITY,
      initialEpoch: epoch,
      stepsPerEpoch,
      validationData: heldOut.batch({ size: 100 }),
      callbacks: [
        {
          // Training waits for this: it is how it is paused.
          onBatchBegin: async () => {
            await this.gate?.promise;
            if (this.stopping) network.stopTraining = true;
          },
          onBatchEnd(_batch, { loss = 0, accuracy = 0 }) {
            hooks.onBatch(loss, accuracy);
          },
          onEpochEnd: async (at, { val_accuracy }) => {
            if (val_accuracy !== undefined) hooks.onEpoch(at, val_accuracy);
            await saved();
          },
        },
        {
          onBatchEnd: async () => {
            if (performance.now() - this.lastSave > saveInterval) await saved();
          },
        },
      ],
    });
  }

  /** Training waits before the next batch. */
  pause(): void {
    if (this.gate) return;
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.gate = { promise, open };
  }

  resume(): void {
    this.gate?.open();
    this.gate = undefined;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.resume();
    await this.training?.catch(() => {});
  }

  /** Some steps on the drawing, amid digits that are known, until the answer is right. Training may go on meanwhile. */
  async correct(lesson: Lesson, { train, heldOut }: TrainingData): Promise<LessonReport> {
    const network = await this.trainable();
    const picture = pictureOf(lesson.strokes);
    const before = bestOf(await this.scores(picture));
    const knewBefore = await accuracyOf(network, heldOut);
    this.lessons.add(lesson);
    let steps = 0;
    let knowsAfter = knewBefore;
    let scores: Float32Array = new Float32Array(10);
    const epoch = Math.floor(Math.random() * 1e6);
    const known = train.batch({ size: batchSize - newLesson - oldLessons }).iterate({ epoch });
    for await (const remembered of known) {
      const parts = [repeated(lesson, newLesson, steps), this.lessons.some(oldLessons), examplesOf(remembered)];
      const batch = batchOf(joined(parts));
      await network.trainOnBatch(batch.xs as never, batch.ys as never);
      steps++;
      if (steps % lessonEnds.every !== 0) continue;
      scores = await this.scores(picture);
      const learnt = (scores[lesson.digit] as number) > lessonEnds.sure;
      if (learnt || steps === lessonEnds.most) knowsAfter = await accuracyOf(network, heldOut);
      if ((learnt && knowsAfter >= knewBefore - lessonEnds.forgotten) || steps === lessonEnds.most) break;
    }
    await this.save();
    return { steps, before, after: bestOf(scores), sure: scores[lesson.digit] ?? 0, knewBefore, knowsAfter };
  }

  /** Into this browser's database, with what the optimiser keeps. */
  async save(): Promise<void> {
    if (!this.network) return;
    await this.network.save(checkpointUrl);
    this.lastSave = performance.now();
    this.savedAt = Date.now();
  }

  /** The network as it is now. */
  async onnx(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.network) return this.network.toOnnx();
    const response = await fetch(shippedUrl('digits.onnx'));
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Other weights in place of those at hand; the checkpoint and the lessons are forgotten. */
  async restart(origin: 'shipped' | 'random'): Promise<void> {
    await this.stop();
    const old = this.network;
    const next =
      origin === 'random' ? freshNetwork({ layers, sequential }) : await loadModel(shippedUrl('digits.safetensors'));
    next.compile(compileOptions);
    if (origin === 'random') await next.build();
    this.network = next;
    this.opening = undefined;
    this.origin = origin;
    this.savedAt = undefined;
    this.lessons.clear();
    await old?.dispose();
    await checkpoints.delete(checkpointName);
  }

  /** The network with weights that can be trained. */
  private async trainable(): Promise<Network> {
    if (this.network) return this.network;
    this.opening ??= loadModel(shippedUrl('digits.safetensors'));
    const network = await this.opening;
    // A restart may have come first.
    if (this.network) return this.network;
    network.compile(compileOptions);
    this.network = network;
    void this.shipped?.dispose();
    this.shipped = undefined;
    return network;
  }

  /** Some of the batch's samples give way to drawings that were corrected. */
  private withLessons(batch: data.Batch): data.Batch {
    if (this.lessons.size === 0) return batch;
    const { images, labels } = examplesOf(batch);
    const count = Math.min(oldLessons, labels.length);
    const lessons = this.lessons.some(count);
    images.set(lessons.images);
    labels.set(lessons.labels);
    return batchOf({ images, labels });
  }
}

async function accuracyOf(network: Network, heldOut: data.Dataset): Promise<number> {
  const { accuracy } = await network.evaluate(heldOut.take(300).batch({ size: 100 }));
  return accuracy as number;
}

function examplesOf({ xs, ys }: data.Batch): Examples {
  return {
    images: (xs as data.TensorLike).data as Float32Array,
    labels: (ys as data.TensorLike).data as Int32Array,
  };
}
