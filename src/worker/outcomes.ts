// What one model has found out about its stages on one device: outcomes are found or made here, with their
// plans, executables, and the weights that these share.

import type { ByteSource } from '../base/bytes';
import type { DType } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { NDArray } from '../base/ndarray';
import { Executable } from '../gpu/executable';
import { Runner } from '../gpu/runner';
import { Weights } from '../gpu/weights';
import type { Graph } from '../ir/graph';
import type { Plan } from '../plan/plan';
import type { Compiler } from './compiler';
import type { SharedDevice } from './devices';
import type { NextStage } from './next-stage';
import { type Outcome, outcomeKey, Stage, type StageInput } from './stage';

/** Shapes kept: of whole runs, and of a stage behind what the data decides. */
const keptShapes = 4;
const keptLater = 2;
/** Executables kept in all: a loop whose end hangs on data is a stage for every iteration. */
const keptRunners = 24;

export interface PrepareOptions {
  readonly signal: AbortSignal;
  readonly onUpload?: (loaded: number, total: number) => void;
  readonly onCompile?: (done: number, total: number) => void;
  readonly onPlanned?: (plan: Plan) => void;
}

export interface OutcomesOptions {
  readonly shared: SharedDevice;
  readonly compiler: Compiler;
  readonly files: (name: string) => ByteSource;
  /** Types of the model's inputs and outputs as callers see them. */
  readonly border: ReadonlyMap<string, DType>;
  /** Told of every new outcome. */
  readonly onOutcome: (outcome: Outcome) => void;
}

export class Outcomes {
  readonly root: Stage;
  private readonly weights = new Weights();
  /** The least recently used first. */
  private readonly runners = new Set<Runner>();

  constructor(
    graph: Graph,
    private readonly options: OutcomesOptions,
  ) {
    this.root = new Stage(graph, keptShapes);
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
    const { compiler, shared, border } = this.options;
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
        if (found.kind === 'gpu') this.touch(found.runner);
        return found;
      }
      throwIfAborted(options.signal, 'Loading the model');
      const list = [...inputs];
      const next = compiler.next(stage.graph, {
        adapter: shared.device.profile,
        dims: new Map(list.map(([name, { dims }]) => [name, dims])),
        dtypes: new Map(list.flatMap(([name, { dtype }]) => (dtype ? [[name, dtype] as const] : []))),
        overflowing: new Set(list.flatMap(([name, { mayOverflow }]) => (mayOverflow ? [name] : []))),
        known,
        border,
      });
      if (next.kind === 'feeds') {
        stage.ask(next.names);
        continue;
      }
      const outcome = await this.make(next, path, options);
      stage.keep(key, outcome);
      this.options.onOutcome(outcome);
      return outcome;
    }
  }

  dispose(): void {
    this.root.free();
    for (const runner of this.runners) runner.dispose();
    this.runners.clear();
    this.weights.destroyIdle();
  }

  private async make(
    next: Exclude<NextStage, { kind: 'feeds' }>,
    path: ReadonlySet<Outcome>,
    options: PrepareOptions,
  ): Promise<Outcome> {
    if (next.kind === 'host') {
      const { nodes, rest, evaluated } = next;
      return { kind: 'host', nodes, next: rest && new Stage(rest, keptLater), evaluated };
    }
    const { plan, later, read, evaluated } = next;
    options.onPlanned?.(plan);
    for (const oldest of this.runners) {
      if (!oldest.disposed && this.runners.size < keptRunners) continue;
      oldest.dispose();
      this.runners.delete(oldest);
    }
    const runner = new Runner(await this.create(plan, path, options));
    this.touch(runner);
    return { kind: 'gpu', runner, next: later && new Stage(later, keptLater), read, evaluated };
  }

  private touch(runner: Runner): void {
    this.runners.delete(runner);
    this.runners.add(runner);
  }

  /** Every shape holds memory of its own: where it is short, that of the idle ones goes. */
  private async create(plan: Plan, path: ReadonlySet<Outcome>, options: PrepareOptions): Promise<Executable> {
    const { shared, files } = this.options;
    const { weights } = this;
    try {
      return await Executable.create(shared.device, plan, files, { ...options, weights });
    } catch (error) {
      const short = error instanceof LeptonError && error.code === 'OUT_OF_MEMORY';
      if (!short) throw error;
      this.root.free(path);
      weights.destroyIdle();
      return Executable.create(shared.device, plan, files, { ...options, weights });
    }
  }
}
