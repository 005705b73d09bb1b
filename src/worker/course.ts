// One run of a model: from stage to stage, on the GPU and on the host, until every output that was asked for
// is there.

import type { DType } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import { decode, encode, type NDArray, ndarray } from '../base/ndarray';
import type { Value } from '../ir/graph';
import type { PlanTensor } from '../plan/plan';
import type { Blueprint } from './blueprint';
import type { SharedDevice } from './devices';
import type { CheckedFeeds } from './feeds';
import type { GpuTensor, GpuTensors } from './gpu-tensors';
import type { RunOptions, RunResult } from './model';
import type { Outcomes } from './outcomes';
import type { ProfileRecorder } from './profile-recorder';
import type { WireTensor } from './protocol';
import type { GpuOutcome, Outcome, Stage, StageInput } from './stage';
import { hostArray, planFeed, type StageFeed } from './stage-feeds';

/** Elements that a node may read on the host of a model loaded with `strict`. */
const strictElements = 1 << 16;

export interface CourseOptions extends RunOptions {
  readonly outcomes: Outcomes;
  readonly blueprint: Blueprint;
  readonly tensors: GpuTensors;
  /** Types of the model's inputs and outputs as callers see them. */
  readonly border: ReadonlyMap<string, DType>;
  /** Refuse to run a node on the host that has much to compute. */
  readonly strict: boolean;
  readonly recorder?: ProfileRecorder;
}

export class Course {
  /** Outcomes that the run has come through. */
  readonly path = new Set<Outcome>();
  private readonly feeds: Map<string, StageFeed>;
  private readonly results = new Map<string, WireTensor | GpuTensor>();
  /** Buffers between the stages. */
  private readonly held = new Set<GPUBuffer>();
  private readonly shared: SharedDevice;

  constructor(
    feeds: CheckedFeeds,
    private readonly options: CourseOptions,
  ) {
    this.feeds = new Map(feeds.feeds);
    this.shared = options.outcomes.shared;
  }

  async run(): Promise<RunResult> {
    const { outcomes, signal, recorder } = this.options;
    try {
      for (let stage: Stage | undefined = outcomes.root; stage && !this.isDone(); ) {
        throwIfAborted(signal, 'The run');
        stage = await this.advance(stage);
        this.releaseAllBut(stage?.inputs ?? []);
      }
      for (const result of this.results.values()) if ('buffer' in result) this.held.delete(result.buffer);
      recorder?.finish();
      return this.results;
    } finally {
      for (const buffer of this.held) buffer.destroy();
    }
  }

  /** Whether the rest of the stages would only compute what nobody asked for. */
  private isDone(): boolean {
    return !this.options.recorder && this.options.outputs.every((name) => this.results.has(name));
  }

  /** Forgets what no later stage reads; results stay. */
  private releaseAllBut(names: readonly string[]): void {
    const results = new Set(
      [...this.results.values()].flatMap((result) => ('buffer' in result ? [result.buffer] : [])),
    );
    for (const [name, feed] of this.feeds) {
      if (names.includes(name)) continue;
      this.feeds.delete(name);
      if (!('buffer' in feed) || results.has(feed.buffer)) continue;
      this.held.delete(feed.buffer);
      feed.buffer.destroy();
    }
  }

  /** Does what the stage asks for; answers the stage after it. */
  private async advance(stage: Stage): Promise<Stage | undefined> {
    const { outcomes } = this.options;
    const inputs = new Map(stage.inputs.map((name) => [name, this.describe(this.feed(name))]));
    const elements = (name: string) => this.elementsOf(stage, name);
    const outcome = await outcomes.of(stage, inputs, elements, this.path, this.options);
    if (!outcome) throw new Error('A run had its inputs asked for and did not give them.');
    this.path.add(outcome);
    if (outcome.kind === 'host') await this.runOnHost(stage, outcome);
    else await this.runOnGpu(outcome);
    return outcome.next;
  }

  private describe(feed: StageFeed): StageInput {
    const { dims } = feed;
    if ('array' in feed) return { dims, mayOverflow: false, ...(feed.computed && { dtype: feed.array.dtype }) };
    if ('buffer' in feed) return { dims, mayOverflow: feed.tensor.mayOverflow };
    const { feed: given } = feed;
    return { dims, mayOverflow: 'gpu' in given && this.options.tensors.get(given.gpu).tensor.mayOverflow };
  }

  private async runOnHost(stage: Stage, { nodes, evaluated }: Extract<Outcome, { kind: 'host' }>): Promise<void> {
    const { blueprint, recorder } = this.options;
    const { compiler } = await blueprint.read();
    for (const { node, reason } of evaluated) recorder?.host(node, reason, 0);
    for (const { node, reason, constants } of nodes) {
      const inputs = new Map(constants);
      for (const name of node.inputs) {
        if (name !== '' && !inputs.has(name)) inputs.set(name, await this.elementsOf(stage, name));
      }
      this.requireLittle(node, reason, inputs);
      const start = performance.now();
      const results = compiler.runNode(node, inputs);
      recorder?.host(node, reason, performance.now() - start);
      for (const [name, array] of results) {
        this.feeds.set(name, { array, dims: array.dims, computed: true });
        if (this.isAnswer(name)) this.results.set(name, await this.hostAnswer(name, array));
      }
    }
  }

  private requireLittle(
    { op, name }: { op: string; name: string },
    reason: string,
    inputs: ReadonlyMap<string, NDArray>,
  ): void {
    const elements = [...inputs.values()].reduce((sum, array) => sum + array.data.length, 0);
    if (!this.options.strict || elements <= strictElements) return;
    throw new LeptonError(
      'UNSUPPORTED_OPERATION',
      `${op} node "${name}" would run on the host (${reason}) with ${elements} elements, which { strict: true } forbids beyond ${strictElements}.`,
      { details: { node: name, op, elements } },
    );
  }

  private async hostAnswer(name: string, array: NDArray): Promise<WireTensor | GpuTensor> {
    const { border, onGpu, tensors } = this.options;
    const { dtype, dims, data } = array;
    const type = border.get(name) ?? dtype;
    if (!onGpu(name)) return { type, dims, bytes: encode(ndarray(type, dims, data)) };
    // On the GPU it has the type that the model computes in, as every other output.
    const placed = await tensors.place(this.shared.device, { type: dtype, dims, bytes: encode(array) });
    this.held.add(placed.buffer);
    return { ...placed, tensor: { ...placed.tensor, dtype: type } };
  }

  private async runOnGpu({ runner, nodes, next, read, evaluated }: GpuOutcome): Promise<void> {
    const { onGpu, recorder, tensors } = this.options;
    const { plan } = runner.executable;
    const needed = new Set(next?.inputs);
    const fetches = plan.outputs.flatMap(({ name }) => {
      const isAnswer = this.isAnswer(name);
      const toHost = read.includes(name) || (isAnswer && !onGpu(name));
      const stays = (isAnswer && onGpu(name)) || (needed.has(name) && !read.includes(name));
      return [
        ...(toHost ? [{ name, location: 'cpu' as const }] : []),
        ...(stays ? [{ name, location: 'gpu' as const }] : []),
      ];
    });
    const inputs = new Map(plan.inputs.map((i) => [i.name, planFeed(i, this.feed(i.name), this.shared, tensors)]));
    const start = performance.now();
    const { bytes, buffers } = await runner.run(inputs, fetches);
    const wall = performance.now() - start;
    for (const buffer of buffers.values()) this.held.add(buffer);
    for (const tensor of plan.outputs) {
      const { name, dtype: type, dims } = tensor;
      const [packed, buffer] = [bytes.get(name), buffers.get(name)];
      if (needed.has(name)) this.feeds.set(name, stageFeed(tensor, read.includes(name) ? packed : undefined, buffer));
      if (!this.isAnswer(name)) continue;
      if (onGpu(name)) this.results.set(name, { device: this.shared.device, buffer: buffer as GPUBuffer, tensor });
      else this.results.set(name, { type, dims, bytes: packed as Uint8Array<ArrayBuffer> });
    }
    if (!recorder) return;
    for (const { node, reason } of evaluated) recorder.host(node, reason, 0);
    await recorder.gpu(runner, nodes, wall);
  }

  private isAnswer(name: string): boolean {
    return this.options.outputs.includes(name);
  }

  private feed(name: string): StageFeed {
    return this.feeds.get(name) as StageFeed;
  }

  private async elementsOf(stage: Stage, name: string): Promise<NDArray> {
    const { values } = await stage.graph();
    return hostArray(values.get(name) as Value, this.feed(name), this.shared, this.options.tensors);
  }
}

function stageFeed(tensor: PlanTensor, bytes: Uint8Array | undefined, buffer: GPUBuffer | undefined): StageFeed {
  const { dtype, dims } = tensor;
  if (bytes) return { array: decode(dtype, dims, bytes), dims, computed: false };
  return { buffer: buffer as GPUBuffer, tensor, dims };
}
