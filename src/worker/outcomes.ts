// What one model has found out about its stages on one device: outcomes are found or made here, with their
// plans, executables, and the weights that these share.

import type { ByteSource } from '../base/bytes';
import type { DType } from '../base/dtype';
import { LeptonError, type LeptonErrorCode, throwIfAborted } from '../base/errors';
import type { NDArray } from '../base/ndarray';
import type { Tuning } from '../base/tuning';
import { type CreateOptions, Executable } from '../gpu/executable';
import { Runner } from '../gpu/runner';
import { type PackedWeights, Weights } from '../gpu/weights';
import type { Graph } from '../ir/graph';
import type { Plan } from '../plan/plan';
import type { Blueprint } from './blueprint';
import type { SharedDevice } from './devices';
import { type Improvement, improve } from './improvement';
import { KeptPlans } from './kept-plans';
import type { NextStage } from './next-stage';
import type { PlanCache } from './plan-cache';
import { type GpuOutcome, type Open, type Outcome, outcomeKey, Stage, type StageInput } from './stage';
import { efforts, type MeasureOptions } from './tuner';

/** Shapes kept: of whole runs, and of a stage behind what the data decides. */
const keptShapes = 4;
const keptLater = 2;
/** Executables kept in all: a loop whose end hangs on data is a stage for every iteration. */
const keptRunners = 24;

/** What a stored plan may fail with that a new one does not: packed weights may be shorter than it takes them for. */
const unusable: ReadonlySet<LeptonErrorCode> = new Set(['GPU_ERROR', 'CACHE_CORRUPT', 'INVALID_MODEL']);

/** Whether kernels are chosen by measuring: never, after the first run in idle time, or before it. */
export type Tune = 'off' | 'auto' | 'full';

export interface PrepareOptions {
  readonly signal: AbortSignal;
  readonly onUpload?: (loaded: number, total: number) => void;
  readonly onCompile?: (done: number, total: number) => void;
  readonly onPlanned?: (plan: Plan) => void;
  /** Kernels measured, of those that are to be. */
  readonly onTune?: (done: number, total: number) => void;
}

type Planned = Extract<NextStage, { kind: 'gpu' }>;

export interface OutcomesOptions {
  readonly shared: SharedDevice;
  readonly blueprint: Blueprint;
  /** The graph in the types that the adapter and the caller's wish make it compute in. */
  readonly graph: () => Promise<Graph>;
  /** Where the model's plans are kept for the next visit. */
  readonly plans: PlanCache | undefined;
  readonly files: (name: string) => ByteSource;
  /** Types of the model's inputs and outputs as callers see them. */
  readonly border: ReadonlyMap<string, DType>;
  readonly tune: Tune;
  /** Begin with plans that compile quickly, where compiling takes long. */
  readonly quick: boolean;
  /** Told of every new outcome. */
  readonly onOutcome: (outcome: Outcome) => void;
}

export class Outcomes {
  readonly root: Stage;
  private readonly weights = new Weights();
  /** Outcomes with a runner, the least recently used first. */
  private readonly live = new Set<GpuOutcome>();
  private readonly kept: KeptPlans;

  constructor(private readonly options: OutcomesOptions) {
    const { blueprint, graph, plans, shared } = options;
    const inputs = blueprint.inputs.map(({ name }) => name);
    this.root = new Stage(inputs, graph, keptShapes);
    this.kept = new KeptPlans(plans, shared.device.profile);
  }

  get shared(): SharedDevice {
    return this.options.shared;
  }

  /**
   * What to do with a stage.
   * @param elements of an input of the stage, where planning asks for them
   * @param path outcomes in use by the run at hand
   * @returns undefined where planning asks for elements that nobody has yet
   */
  async of(
    stage: Stage,
    inputs: ReadonlyMap<string, StageInput>,
    elements: (input: string) => Promise<NDArray | undefined>,
    path: ReadonlySet<Outcome>,
    options: PrepareOptions,
  ): Promise<Outcome | undefined> {
    const { shared, tune } = this.options;
    for (;;) {
      const known = new Map<string, NDArray>();
      for (const name of stage.asked) {
        const array = await elements(name);
        if (!array) return undefined;
        known.set(name, array);
      }
      const key = outcomeKey(inputs, known);
      const found = stage.find(key);
      if (found) {
        if (found.kind === 'gpu') this.touch(found);
        return found;
      }
      throwIfAborted(options.signal, 'Loading the model');
      const isWhole = stage === this.root && known.size === 0;
      const planner = () => this.planner(stage, inputs, known, isWhole);
      const outcome = isWhole ? await this.cached(key, planner, path, options) : undefined;
      if (outcome) {
        stage.keep(key, outcome);
        this.options.onOutcome(outcome);
        return outcome;
      }
      const plan = await planner();
      let next = plan();
      if (next.kind === 'feeds') {
        stage.ask(next.names);
        continue;
      }
      if (next.kind === 'gpu' && tune === 'full') {
        const { signal, onTune } = options;
        const effort = { effort: efforts.full, budget: Number.POSITIVE_INFINITY, signal };
        await shared.tuner.measure(next.problems, { ...effort, ...(onTune && { onProgress: onTune }) });
        next = plan() as Planned;
      }
      const made = await this.make(next, plan, path, options);
      // Later stages would need the graph all the same.
      if (made.kind === 'gpu' && isWhole && !made.next) {
        this.kept.note(made, { key, quick: next.kind === 'gpu' ? next.quick : undefined, measured: tune === 'full' });
        this.kept.keep(made);
      }
      stage.keep(key, made);
      this.options.onOutcome(made);
      return made;
    }
  }

  /** Better plans for what is there, by measuring: see improvement.ts. */
  async improve(options: MeasureOptions): Promise<Improvement> {
    const makeRunner = async (plan: Plan) => new Runner(await this.executable(plan, options));
    const improvement = await improve([...this.live], this.shared.tuner, makeRunner, options);
    return {
      ...improvement,
      apply: () => {
        improvement.apply();
        for (const { outcome, runner, postponed } of improvement.found) {
          if (outcome.runner.disposed) continue;
          if (postponed) this.kept.keepForNext(outcome, postponed);
          else this.kept.keepMeasured(outcome, runner !== undefined);
        }
      },
    };
  }

  /** Gets plans ready that are better than those that were quick to make real. */
  async settle(): Promise<Improvement> {
    const made: { outcome: GpuOutcome; plan: Plan; runner: Runner }[] = [];
    for (const outcome of [...this.live]) {
      const { better: plan, runner } = outcome;
      if (!plan || runner.disposed) continue;
      const packed = await this.kept.packedFor(outcome);
      try {
        made.push({ outcome, plan, runner: new Runner(await this.withPacked(outcome, plan, packed)) });
      } catch (error) {
        if (this.shared.device.lost) throw error;
        // The quick plan stays; the next visit plans anew.
        outcome.better = undefined;
        this.kept.forget(outcome);
      }
    }
    return {
      apply: () => {
        for (const { outcome, plan, runner } of made) {
          if (outcome.runner.disposed || outcome.better !== plan) {
            runner.dispose();
            continue;
          }
          outcome.runner.dispose();
          Object.assign(outcome, { runner, nodes: plan.nodes, better: undefined });
        }
      },
      drop: () => {
        for (const { runner } of made) runner.dispose();
      },
    };
  }

  /** Stores the weights that the plans have packed, for the next visit. */
  async keepPacked(): Promise<void> {
    for (const outcome of [...this.live]) await this.kept.keepPacked(outcome);
  }

  dispose(): void {
    this.root.free();
    for (const { runner } of this.live) runner.dispose();
    this.live.clear();
    this.weights.destroyIdle();
  }

  private async make(
    next: Exclude<NextStage, { kind: 'feeds' }>,
    plan: () => NextStage,
    path: ReadonlySet<Outcome>,
    options: PrepareOptions,
  ): Promise<Outcome> {
    if (next.kind === 'host') {
      const { nodes, rest, evaluated } = next;
      return { kind: 'host', nodes, next: rest && stageOf(rest), evaluated };
    }
    const { quick, later, read, evaluated } = next;
    const open = this.options.tune === 'auto' ? async () => openOf(next, plan) : undefined;
    const better = quick && next.plan;
    const rest = { better, next: later && stageOf(later), read, evaluated, open };
    return this.realise(quick ?? next.plan, rest, path, options);
  }

  /** Reads the model, where that has not been done yet. @returns what plans a stage, by what is known of the adapter */
  private async planner(
    stage: Stage,
    inputs: ReadonlyMap<string, StageInput>,
    known: ReadonlyMap<string, NDArray>,
    isWhole: boolean,
  ): Promise<() => NextStage> {
    const { blueprint, shared, border, quick } = this.options;
    const { compiler } = await blueprint.read();
    const graph = await stage.graph();
    const list = [...inputs];
    return () =>
      compiler.next(graph, {
        ...this.tuning,
        adapter: shared.device.profile,
        dims: new Map(list.map(([name, { dims }]) => [name, dims])),
        dtypes: new Map(list.flatMap(([name, { dtype }]) => (dtype ? [[name, dtype] as const] : []))),
        overflowing: new Set(list.flatMap(([name, { mayOverflow }]) => (mayOverflow ? [name] : []))),
        known,
        border,
        quick: isWhole && quick,
      });
  }

  /** What an earlier visit has planned, made real; undefined where there is nothing that this device can do. */
  private async cached(
    key: string,
    planner: () => Promise<() => NextStage>,
    path: ReadonlySet<Outcome>,
    options: PrepareOptions,
  ): Promise<GpuOutcome | undefined> {
    const found = await this.kept.find(key);
    if (!found) return undefined;
    const { plan, quick, read, evaluated, measured } = found;
    const reopen = async () => {
      const replan = await planner();
      return openOf(replan() as Planned, replan);
    };
    const open = this.options.tune === 'auto' && !measured ? reopen : undefined;
    const rest = { better: quick && plan, next: undefined, read, evaluated, open };
    try {
      const packed = quick ? undefined : await this.kept.packedOf(found);
      const outcome = await this.realise(quick ?? plan, rest, path, { ...options, packed });
      this.kept.note(outcome, { key, quick, measured, packed: quick || packed ? found.packed : undefined });
      return outcome;
    } catch (error) {
      // A driver may have changed under the same name, or what is stored be damaged.
      const isUnusable = error instanceof LeptonError && unusable.has(error.code) && !this.shared.device.lost;
      if (!isUnusable) throw error;
      await this.kept.forgetKey(key);
      return undefined;
    }
  }

  /** Weights that are damaged in the store are packed again. */
  private withPacked(outcome: GpuOutcome, plan: Plan, packed: PackedWeights | undefined): Promise<Executable> {
    const made = this.executable(plan, { packed });
    if (!packed) return made;
    return made.catch(() => {
      this.kept.losePacked(outcome);
      return this.executable(plan, {});
    });
  }

  private async realise(
    plan: Plan,
    rest: Pick<GpuOutcome, 'better' | 'next' | 'read' | 'evaluated' | 'open'>,
    path: ReadonlySet<Outcome>,
    options: PrepareOptions & CreateOptions,
  ): Promise<GpuOutcome> {
    options.onPlanned?.(plan);
    for (const oldest of this.live) {
      if (!oldest.runner.disposed && this.live.size < keptRunners) continue;
      oldest.runner.dispose();
      this.live.delete(oldest);
    }
    const outcome: GpuOutcome = {
      kind: 'gpu',
      runner: new Runner(await this.create(plan, path, options)),
      nodes: plan.nodes,
      ...rest,
    };
    this.touch(outcome);
    return outcome;
  }

  private touch(outcome: GpuOutcome): void {
    this.live.delete(outcome);
    this.live.add(outcome);
  }

  /** For the planner; empty where nothing is to be measured. */
  private get tuning(): { tuning?: Tuning } {
    return this.options.tune === 'off' ? {} : { tuning: this.shared.tuner.tuning };
  }

  /** Every shape holds memory of its own: where it is short, that of the idle ones goes. */
  private async create(plan: Plan, path: ReadonlySet<Outcome>, options: CreateOptions): Promise<Executable> {
    try {
      return await this.executable(plan, options);
    } catch (error) {
      const short = error instanceof LeptonError && error.code === 'OUT_OF_MEMORY';
      if (!short) throw error;
      this.root.free(path);
      this.weights.destroyIdle();
      return this.executable(plan, options);
    }
  }

  private executable(plan: Plan, options: CreateOptions): Promise<Executable> {
    const { shared, files } = this.options;
    return Executable.create(shared.device, plan, files, { ...options, weights: this.weights });
  }
}

/** What measuring could better in a plan. */
function openOf({ problems }: Planned, replan: () => NextStage): Open {
  return { problems, replan: () => (replan() as Planned).plan };
}

function stageOf(graph: Graph): Stage {
  return new Stage(graph.inputs, async () => graph, keptLater);
}
