// A model under training on one device. Weights and what the optimiser keeps stay on the GPU as variables; a step is one
// plan for the shapes of its batch. Steps are submitted in the order they were asked for, and nobody waits for the
// report of one before the next begins. When the device is lost, training goes on from the last snapshot.

import type { PowerPreference } from '../base/adapter';
import { LeptonError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { PruneOptions, PruneReport } from '../compress/types';
import { wasLost } from '../gpu/lost';
import { Variables } from '../gpu/variables';
import type { CompileSpec, ModelDescription, ModelSpec } from '../nn/types';
import type { TrainingCompiler } from '../train';
import { learningRateName, reportName, sampleWeightName, seedName, targetName } from '../train/names';
import type { StepKind, StepRequest, TensorShape } from '../train/step';
import type { Devices, SharedDevice } from './devices';
import type { WireTensor } from './protocol';
import { type MakeRunner, StepPlans } from './step-plans';
import {
  bytesOf,
  checkBatch,
  checkSampleWeight,
  checkState,
  checkTargets,
  floats,
  int32,
  named,
  planFeeds,
} from './training-feeds';
import type { BatchReport, BatchRequest, WireState } from './training-protocol';
import { checkGradients, notFinite, readReport } from './training-report';

export interface TrainerOptions {
  readonly spec: ModelSpec;
  readonly seed: number;
  readonly training: TrainingCompiler;
  readonly devices: Devices;
  readonly makeRunner: MakeRunner;
  readonly powerPreference?: PowerPreference;
  /** Milliseconds between two snapshots of the state, for the case that the device is lost; default 10,000. */
  readonly snapshotInterval?: number;
}

/** What a model has on a device. */
interface Live {
  readonly shared: SharedDevice;
  readonly variables: Variables;
  readonly plans: StepPlans;
}

export class Trainer {
  readonly description: ModelDescription;
  /** How to train, once that is known. */
  compiled: CompileSpec | undefined;
  /** Weights of which what is zero stays zero. */
  pruned: readonly string[] = [];
  private live: Live | undefined;
  /** Settles when all that was asked for so far has been submitted. */
  private turn: Promise<unknown> = Promise.resolve();
  private steps = 0;
  private snapshot: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  private snapshotAt = 0;
  private recovering: Promise<void> | undefined;
  private disposed = false;

  constructor(private readonly options: TrainerOptions) {
    this.description = options.training.describe(options.spec);
  }

  get spec(): ModelSpec {
    return this.options.spec;
  }

  /**
   * Makes the weights.
   * @param compile how to train, where that is known already
   * @throws NO_WEBGPU, NO_ADAPTER, OUT_OF_MEMORY
   */
  async build(compile?: CompileSpec): Promise<void> {
    const { training, seed } = this.options;
    this.compiled = compile;
    const weights = this.description.weights.map((weight, i): [string, Uint8Array<ArrayBuffer>] => [
      weight.name,
      bytesOf(training.initialise(weight, seed + i)),
    ]);
    await this.open(new Map(weights));
  }

  /** Takes over how to train; what an optimiser kept before is forgotten. */
  compile(compile: CompileSpec): Promise<void> {
    return this.onDevice(async () => {
      // What is wrong with it shows before anything is let go.
      this.options.training.state(this.options.spec, compile);
      const weights = await this.readWeights();
      const before = this.compiled;
      await this.close();
      this.snapshot = weights;
      this.compiled = compile;
      try {
        await this.open(weights);
      } catch (error) {
        this.compiled = before;
        throw error;
      }
    });
  }

  async batch({ kind, inputs, targets, sampleWeight, learningRate }: BatchRequest): Promise<BatchReport> {
    const { compiled: compile } = this;
    if (!compile)
      throw new LeptonError('INVALID_ARGUMENT', 'The model was not compiled: call compile({ optimizer, loss }) first.');
    checkBatch(this.options.spec, inputs);
    checkTargets(compile, this.description, inputs, targets);
    const batch = inputs[0]?.dims[0] ?? 0;
    checkSampleWeight(sampleWeight, batch);
    const request = this.request(kind, inputs, targets);
    const feeds = new Map<string, WireTensor>([
      ...this.namedInputs(inputs),
      ...named(
        targets.map((_, i) => targetName(i)),
        targets,
      ),
      [sampleWeightName, sampleWeight ?? floats([batch], new Array<number>(batch).fill(1))],
    ]);
    const { result, prepared } = await this.run(request, () => {
      if (kind !== 'train') return feeds;
      const step = ++this.steps;
      return new Map([
        ...feeds,
        [learningRateName, floats([], [learningRate])],
        [seedName, int32([1], [this.seedOf(step)])],
      ] as [string, WireTensor][]);
    });
    const report = readReport(prepared.report, result.get(reportName) as Uint8Array);
    const { loss } = report.batch;
    if (!Number.isFinite(loss)) await this.inTurn(() => this.explain(request, feeds, loss));
    checkGradients(report, compile);
    if (kind === 'train') void this.keepSnapshot();
    return report.batch;
  }

  async predict(inputs: readonly WireTensor[]): Promise<WireTensor[]> {
    checkBatch(this.options.spec, inputs);
    const request = this.request('predict', inputs, []);
    const feeds = new Map(this.namedInputs(inputs));
    const { result, prepared } = await this.run(request, () => feeds);
    return prepared.runner.executable.plan.outputs.map(({ name, dtype, dims }) => ({
      type: dtype,
      dims,
      bytes: result.get(name) as Uint8Array<ArrayBuffer>,
    }));
  }

  /** @param optimizer with what the optimiser keeps, and the number of steps */
  state(optimizer: boolean): Promise<WireState> {
    return this.onDevice(() => this.readState(optimizer));
  }

  /** The model with its weights as they are: ONNX bytes. */
  exportOnnx(): Promise<Uint8Array<ArrayBuffer>> {
    return this.onDevice(async () => {
      return this.options.training.onnx(this.options.spec, await this.readWeights());
    });
  }

  setState(state: WireState): Promise<void> {
    return this.inTurn(async () => this.writeState(state));
  }

  /**
   * Makes the weights zero that matter least, and keeps them so in the steps to come.
   * @throws INVALID_ARGUMENT
   */
  prune(options: PruneOptions): Promise<PruneReport> {
    return this.onDevice(async () => {
      const state = await this.readState(true);
      const floats = Object.entries(state).map(([name, { bytes }]) => [name, new Float32Array(bytes.buffer)] as const);
      const { report, state: changed } = this.options.training.prune(this.options.spec, new Map(floats), options);
      const entries = [...changed].map(([name, values]) => {
        return [name, { ...(state[name] as WireTensor), bytes: bytesOf(values) }] as const;
      });
      this.writeState(Object.fromEntries(entries));
      await this.addPruned(Object.keys(report.pruned));
      return report;
    });
  }

  /** From the next step on, what is zero in these weights stays zero. */
  keepZeros(weights: readonly string[]): Promise<void> {
    return this.inTurn(() => this.addPruned(weights));
  }

  dispose(): Promise<void> {
    this.snapshot = undefined;
    return this.inTurn(async () => {
      await this.close();
      this.disposed = true;
    });
  }

  private async readState(optimizer: boolean): Promise<WireState> {
    const own = new Set(this.description.weights.map(({ name }) => name));
    const specs = this.variables.specs.filter(({ name }) => optimizer || own.has(name));
    const read = await this.variables.read(specs.map(({ name }) => name));
    return Object.fromEntries(
      specs.map(({ name, dtype, dims }) => [
        name,
        { type: dtype, dims, bytes: read.get(name) as Uint8Array<ArrayBuffer> },
      ]),
    );
  }

  private writeState(state: WireState): void {
    const { variables } = this;
    checkState(state, variables.specs);
    for (const [name, { bytes }] of Object.entries(state)) variables.write(name, bytes);
    // A device that is lost meanwhile does not say so here: the values must outlive it.
    this.snapshot = new Map([
      ...(this.snapshot ?? []),
      ...Object.entries(state).map(([name, { bytes }]) => [name, bytes] as const),
    ]);
  }

  private async addPruned(weights: readonly string[]): Promise<void> {
    const more = weights.filter((name) => !this.pruned.includes(name));
    if (more.length === 0) return;
    this.pruned = [...this.pruned, ...more];
    await this.live?.plans.clear();
  }

  private get variables(): Variables {
    return (this.live ?? disposedOf()).variables;
  }

  private get plans(): StepPlans {
    return (this.live ?? disposedOf()).plans;
  }

  private readWeights(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    return this.variables.read(this.description.weights.map(({ name }) => name));
  }

  private namedInputs(inputs: readonly WireTensor[]): [string, WireTensor][] {
    return named(
      this.options.spec.inputs.map(({ name }) => name),
      inputs,
    );
  }

  private request(kind: StepKind, inputs: readonly WireTensor[], targets: readonly WireTensor[]): StepRequest {
    const shapes = (tensors: readonly WireTensor[]): TensorShape[] =>
      tensors.map(({ type, dims }) => ({ dtype: type, dims }));
    return {
      kind,
      spec: this.options.spec,
      ...(this.compiled && kind !== 'predict' && { compile: this.compiled }),
      pruned: this.pruned,
      inputs: shapes(inputs),
      targets: shapes(targets),
    };
  }

  /** Submits a step after those before it; waits for its results outside the turn. */
  private run(request: StepRequest, feedsOf: () => ReadonlyMap<string, WireTensor>) {
    return this.surviving(async () => {
      const { prepared, reading } = await this.inTurn(async () => {
        const prepared = await this.plans.of(request);
        const { plan } = prepared.runner.executable;
        const outputs = plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const }));
        // In an object: a promise alone would be waited for.
        return { prepared, reading: prepared.runner.run(planFeeds(plan, feedsOf()), outputs) };
      });
      const { bytes } = await reading;
      return { result: bytes, prepared };
    });
  }

  private onDevice<T>(work: () => Promise<T>): Promise<T> {
    return this.surviving(() => this.inTurn(work));
  }

  /** Does the work; once more, on a new device, where the device was lost under it. */
  private async surviving<T>(work: () => Promise<T>): Promise<T> {
    const shared = this.live?.shared;
    try {
      return await work();
    } catch (error) {
      if (!(await this.isLost(shared))) throw error;
      await this.recover();
      return work();
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(async () => {
      if (this.disposed) disposedOf();
      // Where the last try to open it again failed: memory or an adapter may be there now.
      if (!this.live && this.snapshot) await this.open(this.snapshot);
      return work();
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** A number that differs from step to step, and is the same for the same seed. */
  private seedOf(step: number): number {
    return (Math.imul(this.options.seed + 1, 0x9e3779b1) + Math.imul(step, 0x85ebca6b)) | 0;
  }

  /** @throws NOT_FINITE with the first node that gave something that is not finite */
  private async explain(request: StepRequest, feeds: ReadonlyMap<string, WireTensor>, loss: number): Promise<never> {
    throw notFinite(loss, await this.plans.culprit(request, feeds), request.compile);
  }

  private async open(weights: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<void> {
    const { devices, powerPreference, training, spec, makeRunner } = this.options;
    const shared = await devices.get(powerPreference);
    await shared.tuner.informed;
    const variables = new Variables(shared.device);
    const state = training.state(spec, this.compiled);
    await variables.add(state.map(({ name, dims }) => ({ name, dims, dtype: 'float32' })));
    for (const { name, dims, initial } of state) {
      const bytes = weights.get(name) ?? (initial ? bytesOf(new Float32Array(sizeOf(dims)).fill(initial)) : undefined);
      if (bytes) variables.write(name, bytes);
    }
    this.live = { shared, variables, plans: new StepPlans({ shared, variables, training, makeRunner }) };
    this.snapshot = weights;
    this.snapshotAt = performance.now();
  }

  private async close(): Promise<void> {
    const { live } = this;
    this.live = undefined;
    await live?.plans.clear();
    live?.variables.dispose();
  }

  private async keepSnapshot(): Promise<void> {
    const { live, snapshot } = this;
    const { snapshotInterval = 10_000 } = this.options;
    if (!live || performance.now() - this.snapshotAt < snapshotInterval) return;
    this.snapshotAt = performance.now();
    const read = await live.variables.read(live.variables.specs.map(({ name }) => name)).catch(() => undefined);
    // Not where the weights were set meanwhile.
    if (read && this.live === live && this.snapshot === snapshot) this.snapshot = read;
  }

  private async isLost(shared: SharedDevice | undefined): Promise<boolean> {
    const device = (shared ?? this.live?.shared)?.device;
    return device !== undefined && wasLost(device);
  }

  /** Goes on from the last snapshot on a new device; of several steps that failed, the first does it for all. */
  private recover(): Promise<void> {
    if (this.recovering || !this.live?.shared.device.lost) return this.recovering ?? Promise.resolve();
    this.recovering = this.inTurn(async () => {
      const { snapshot } = this;
      await this.close();
      await this.open(snapshot ?? disposedOf());
    }).finally(() => {
      this.recovering = undefined;
    });
    return this.recovering;
  }
}

function disposedOf(): never {
  throw new LeptonError('DISPOSED', 'This model was disposed of; make or load it again.');
}
