// A model that can be trained, as the page holds it: compile, fit, evaluate, predict, its weights, and saving.

import type { PowerPreference } from '../../base/adapter';
import { LeptonError } from '../../base/errors';
import { refuseOthers } from '../../base/options';
import type { PruneOptions, PruneReport } from '../../compress/types';
import { type ArrayInput, type Batch, fromArrays } from '../../data';
import type { CompileSpec, LayerSummary, ModelSpec } from '../../nn/types';
import type { WireTensor } from '../../worker/protocol';
import type { CreatedTrainer, TrainerSource, WireState } from '../../worker/training-protocol';
import { shared } from '../shared';
import type { Tensor } from '../tensor';
import { trainerUrl } from '../trainer-url';
import type { WorkerClient } from '../worker-client';
import { inOrder, memoryOf, toWire } from './batches';
import type { Trained, WeightTensor } from './callbacks';
import { evaluateLoop, fitLoop, type History, iterate, type Loop } from './fit';
import {
  checkEvaluate,
  checkFit,
  classWeighted,
  type Data,
  type EvaluateOptions,
  type FitOptions,
  fitData,
  isBatches,
  requireOrder,
} from './fit-data';
import type { Layer } from './layer';
import { type CompileOptions, compileSpecOf } from './options';
import { download, placeOf } from './saving';
import { type Results, Totals } from './totals';

export interface BuildOptions {
  /** What initial weights, dropout and augmentation are drawn from; default: another each time. */
  seed?: number;
  powerPreference?: PowerPreference;
  /** Lepton's `worker.js` on the page's own origin, for pages whose policy forbids `blob:` workers. */
  workerUrl?: string | URL;
}

/** @internal */
export interface Live {
  readonly client: WorkerClient;
  readonly id: number;
  readonly created: CreatedTrainer;
}

/** @internal Makes a model in the worker, or opens one that was saved. */
export async function openTrainer(source: TrainerSource, options: BuildOptions): Promise<Live> {
  const { seed = Math.floor(Math.random() * 2 ** 31), powerPreference, workerUrl } = options;
  const client = shared.defaultClient(workerUrl);
  const request = {
    ...{ source, seed, compilerUrl: shared.compilerUrl(), trainerUrl: trainerUrl() },
    ...(powerPreference && { powerPreference }),
  };
  const created = await client.call((worker, r) => worker.createTrainer(r), request);
  return { client, id: created.id, created };
}

export abstract class Trainable implements Trained {
  stopTraining = false;
  #live: Promise<Live> | undefined;
  #compiled: { readonly spec: CompileSpec; learningRate: number } | undefined;
  #sent: CompileSpec | undefined;
  #disposed = false;

  /** The model as plain data. */
  abstract get spec(): ModelSpec;

  /** In the order in which they are used. */
  abstract get layers(): readonly Layer[];

  /** @internal Weights that begin as a file has them. */
  abstract get givenWeights(): WireState;

  /**
   * Says how to train. Layers of which `trainable` is false stay as they are.
   * @throws INVALID_ARGUMENT
   */
  compile(options: CompileOptions): void {
    this.#compiled = compileSpecOf(options, this.spec.outputs.length);
  }

  /** Of the batches to come. */
  get learningRate(): number {
    return this.#compile().learningRate;
  }

  set learningRate(rate: number) {
    if (!(rate >= 0))
      throw new LeptonError('INVALID_ARGUMENT', `learningRate must be a number from 0, but is ${rate}.`);
    this.#compile().learningRate = rate;
  }

  /**
   * Makes the weights. The first call that needs them does it otherwise, with the defaults.
   * @throws INVALID_ARGUMENT where layers do not fit each other; NO_WEBGPU, NO_ADAPTER, WORKER_FAILED
   */
  async build(options: BuildOptions = {}): Promise<void> {
    if (this.#live)
      throw new LeptonError('INVALID_ARGUMENT', 'The model has its weights already: build() comes first.');
    await this.#start(options);
  }

  /** Layers with the shapes of their outputs and their numbers of parameters. */
  async summary(): Promise<{
    readonly layers: readonly LayerSummary[];
    readonly parameters: number;
    readonly trainableParameters: number;
    /** As a table. */
    readonly text: string;
  }> {
    const { layers } = (await this.#trainer()).created.description;
    const sum = (of: (layer: LayerSummary) => number) => layers.reduce((total, layer) => total + of(layer), 0);
    const parameters = sum((l) => l.parameters);
    const trainableParameters = sum((l) => l.trainableParameters);
    const rows = layers.map((l) => [
      `${l.name} (${l.className})`,
      `[${l.outputShape.map((size) => size ?? 'null').join(', ')}]`,
      `${l.parameters}`,
    ]);
    const all = [['Layer', 'Output shape', 'Parameters'], ...rows];
    const widths = [0, 1, 2].map((c) => Math.max(...all.map((row) => (row[c] as string).length)));
    const lines = all.map((row) =>
      row
        .map((cell, c) => cell.padEnd(widths[c] as number))
        .join('  ')
        .trimEnd(),
    );
    const text = [...lines, `${parameters} parameters, ${trainableParameters} of them trainable`].join('\n');
    return { layers, parameters, trainableParameters, text };
  }

  /**
   * Trains on arrays, or on batches: `fit(x, y, options)` or `fit(batches, options)`.
   * @throws NOT_FINITE where the loss or a gradient is no number any more, INVALID_INPUT, ABORTED, DEVICE_LOST, OUT_OF_MEMORY
   */
  fit(batches: AsyncIterable<Batch>, options?: FitOptions): Promise<History>;
  fit(x: Data, y: Data, options?: FitOptions): Promise<History>;
  async fit(x: Data | AsyncIterable<Batch>, y: Data | FitOptions = {}, more: FitOptions = {}): Promise<History> {
    const given = isBatches(x) ? (y as FitOptions) : more;
    checkFit(given);
    const { epochs = 1, initialEpoch = 0, callbacks = [], signal } = given;
    if (!isBatches(x)) requireOrder(this.layers, given);
    const { train, validation } = fitData(x, y as Data, given);
    const loop = await this.#loop(given.classWeight);
    return fitLoop(loop, {
      batches: train,
      validation,
      epochs,
      initialEpoch,
      stepsPerEpoch: given.stepsPerEpoch ?? Number.POSITIVE_INFINITY,
      callbacks,
      signal,
    });
  }

  /** One batch; answers its loss and metrics. */
  async trainOnBatch(x: Data, y: Data, options: { sampleWeight?: ArrayInput } = {}): Promise<Results> {
    refuseOthers('trainOnBatch()', ['sampleWeight'], options);
    const data = fromArrays({ xs: x, ys: y, ...(options.sampleWeight && { sampleWeight: options.sampleWeight }) });
    const loop = await this.#loop();
    for await (const batch of data.batch({ size: Math.max(1, data.size) })) {
      const { samples, report } = loop.send('train', batch);
      return new Totals(loop.compile, loop.outputs).add(await report, samples);
    }
    throw new LeptonError('INVALID_INPUT', 'The batch is empty: it needs at least one sample.');
  }

  /** Loss and metrics over arrays, `evaluate(x, y)`, or batches, `evaluate(batches)`. */
  evaluate(batches: AsyncIterable<Batch>, options?: EvaluateOptions): Promise<Results>;
  evaluate(x: Data, y: Data, options?: EvaluateOptions): Promise<Results>;
  async evaluate(x: Data | AsyncIterable<Batch>, y: Data | EvaluateOptions = {}, more: EvaluateOptions = {}) {
    const given = isBatches(x) ? (y as EvaluateOptions) : more;
    checkEvaluate('evaluate()', given);
    const { batchSize = 32, signal } = given;
    const batches = isBatches(x) ? x : fromArrays({ xs: x, ys: y as Data }).batch({ size: batchSize });
    return evaluateLoop(await this.#loop(), iterate(batches, 0, signal), signal);
  }

  /** What the model answers, batch by batch; one tensor for each of its outputs, or the only one. */
  async predict(x: Data, options: EvaluateOptions = {}): Promise<Tensor<'float32'>[]> {
    checkEvaluate('predict()', options);
    const { batchSize = 32, signal } = options;
    const { client, id, created } = await this.#trainer();
    const parts: WireTensor[][] = [];
    for await (const batch of fromArrays({ xs: x })
      .batch({ size: batchSize })
      .iterate(signal ? { signal } : {})) {
      const inputs = inputsOf(batch, created.spec);
      const request = shared.transfer({ trainer: id, inputs }, memoryOf(inputs));
      parts.push(await client.call((worker, r) => worker.trainerPredict(r), request));
    }
    if (parts.length === 0) throw new LeptonError('INVALID_INPUT', 'There is nothing to predict: x has no samples.');
    return created.spec.outputs.map((_, i) => joined(parts.map((part) => part[i] as WireTensor)));
  }

  /** All weights by name, 'layer/kernel', in Keras's shapes. */
  async getWeights(): Promise<Record<string, WeightTensor>> {
    const { client, id } = await this.#trainer();
    const state = await client.call((worker, r) => worker.trainerState(r), { trainer: id, optimizer: false });
    return Object.fromEntries(
      Object.entries(state).map(([name, { dims, bytes }]) => [
        name,
        { type: 'float32', dims, data: new Float32Array(bytes.buffer) },
      ]),
    );
  }

  /** Weights that are not named stay. @throws INVALID_INPUT where a weight is unknown, or has another shape */
  async setWeights(weights: Readonly<Record<string, WeightTensor>>): Promise<void> {
    const { client, id } = await this.#trainer();
    const entries = Object.entries(weights).map(([name, t]) => [name, toWire(t, `The weight "${name}"`, 'float32')]);
    const state: WireState = Object.fromEntries(entries);
    await client.call((worker, r) => worker.setTrainerState(r), { trainer: id, state });
  }

  /**
   * Makes the weights zero that matter least, of kernels and of what MatMul, Gemm and Conv have as weights in ONNX models, and
   * keeps them zero in all further training, so that the others learn to do without them: `prune(0.9)` leaves a tenth. A
   * larger share later prunes more; `callbacks.pruning` does so step by step. Shares by name are of a layer's weights each, or
   * of one, 'layer/weight'. Structures other than 'unstructured' are of weights with two axes: what has others stays, and the
   * report says so.
   * @throws INVALID_ARGUMENT also where a name is of no weight that the structure fits
   */
  async prune(options: number | Omit<PruneOptions, 'criterion'>): Promise<PruneReport> {
    const { client, id } = await this.#current();
    const request = { trainer: id, options: typeof options === 'number' ? { sparsity: options } : options };
    return client.call((worker, r) => worker.pruneTrainer(r), request);
  }

  /**
   * Saves the model, its weights and what the optimiser keeps, so that training can go on: 'indexeddb://name' in the
   * browser's database, at once or not at all; 'downloads://name' as a file (safetensors) for the visitor.
   */
  async save(url: string): Promise<void> {
    const [scheme, name] = placeOf(url);
    if (scheme === 'downloads') return download(await this.toSafetensors(), `${name}.safetensors`);
    const { client, id } = await this.#current();
    const learningRate = this.#compiled?.learningRate ?? 0;
    await client.call((worker, r) => worker.saveTrainer(r), { trainer: id, learningRate, name });
  }

  /** The same as bytes: safetensors, with the architecture in the metadata. */
  async toSafetensors(): Promise<Uint8Array<ArrayBuffer>> {
    const { client, id } = await this.#current();
    const request = { trainer: id, learningRate: this.#compiled?.learningRate ?? 0 };
    return client.call((worker, r) => worker.packTrainer(r), request);
  }

  /**
   * Weights alone, as safetensors: all, or those that `filter` takes. LoRA adapters are saved apart from what they adapt by
   * `(name) => name.includes('.lora_')`.
   */
  async weightsToSafetensors(filter: (name: string) => boolean = () => true): Promise<Uint8Array<ArrayBuffer>> {
    const { client, id, created } = await this.#trainer();
    const names = created.description.weights.map(({ name }) => name).filter(filter);
    return client.call((worker, r) => worker.packWeights(r), { trainer: id, names });
  }

  /** Takes over the weights of a safetensors file. @throws INVALID_MODEL; INVALID_INPUT where one is unknown, or another shape */
  async loadWeights(source: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<void> {
    const { client, id } = await this.#trainer();
    const file = source instanceof Blob ? source : new Blob([source]);
    await client.call((worker, r) => worker.loadWeights(r), { trainer: id, file });
  }

  /** The model for inference, with its weights as they are: ONNX, for `load` and every other runtime. */
  async toOnnx(): Promise<Uint8Array<ArrayBuffer>> {
    const { client, id } = await this.#trainer();
    return client.call((worker, r) => worker.exportTrainer(r), id);
  }

  /** Frees the model's GPU memory. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const live = await this.#live?.catch(() => undefined);
    if (live) await live.client.call((worker, id) => worker.disposeTrainer(id), live.id);
  }

  /** @internal Takes over what the worker holds of a model that was saved. */
  adopt(live: Live): void {
    this.#live = Promise.resolve(live);
    const { compile, learningRate = 0 } = live.created;
    if (!compile) return;
    this.#compiled = { spec: compile, learningRate };
    this.#sent = compile;
  }

  #start(options: BuildOptions): Promise<Live> {
    const starting = openTrainer({ spec: this.spec, weights: this.givenWeights }, options);
    this.#live = starting;
    const settle = (isSettled: boolean) => {
      for (const layer of this.layers) layer.isSettled = isSettled;
    };
    settle(true);
    starting.catch(() => {
      this.#live = undefined;
      settle(false);
    });
    return starting;
  }

  #trainer(): Promise<Live> {
    if (this.#disposed) throw new LeptonError('DISPOSED', 'This model was disposed of; make or load it again.');
    return this.#live ?? this.#start({});
  }

  /** What the worker holds, compiled as it is here. */
  async #current(): Promise<Live> {
    const live = await this.#trainer();
    const compile = this.#compiled?.spec;
    if (compile && compile !== this.#sent) {
      await live.client.call((worker, r) => worker.compileTrainer(r), { trainer: live.id, compile });
      this.#sent = compile;
    }
    return live;
  }

  #compile() {
    if (this.#compiled) return this.#compiled;
    throw new LeptonError('INVALID_ARGUMENT', 'The model was not compiled: call compile({ optimizer, loss }) first.');
  }

  async #loop(classWeight?: FitOptions['classWeight']): Promise<Loop> {
    const compiled = this.#compile();
    const { client, id, created } = await this.#current();
    const outputs = created.description.outputs.map(({ name }) => name);
    return {
      model: this,
      compile: compiled.spec,
      outputs,
      send: (kind, batch) => {
        const inputs = inputsOf(batch, created.spec);
        const targets = inOrder(batch.ys, outputs, 'y').map((tensor) => toWire(tensor, 'y'));
        const weight = batch.sampleWeight && toWire(batch.sampleWeight, 'sampleWeight', 'float32');
        const isWeighted = classWeight && kind === 'train';
        const sampleWeight = isWeighted ? classWeighted(targets[0] as WireTensor, classWeight, weight) : weight;
        const request = {
          ...{ trainer: id, kind, inputs, targets, learningRate: compiled.learningRate },
          ...(sampleWeight && { sampleWeight }),
        };
        const memory = memoryOf(inputs, targets, sampleWeight ? [sampleWeight] : []);
        return {
          samples: inputs[0]?.dims[0] ?? 0,
          report: client.call((worker, r) => worker.trainerBatch(r), shared.transfer(request, memory)),
        };
      },
    };
  }
}

function inputsOf(batch: Batch, { inputs }: ModelSpec): WireTensor[] {
  const names = inputs.map(({ name }) => name);
  return inOrder(batch.xs, names, 'x').map((tensor, i) => toWire(tensor, 'x', inputs[i]?.dtype));
}

function joined(parts: readonly WireTensor[]): Tensor<'float32'> {
  const [, ...row] = (parts[0] as WireTensor).dims;
  const samples = parts.reduce((sum, { dims }) => sum + (dims[0] as number), 0);
  const data = new Float32Array(parts.reduce((sum, { bytes }) => sum + bytes.byteLength / 4, 0));
  let at = 0;
  for (const { bytes } of parts) {
    data.set(new Float32Array(bytes.buffer), at);
    at += bytes.byteLength / 4;
  }
  return new shared.Tensor('float32', data, [samples, ...row]);
}
