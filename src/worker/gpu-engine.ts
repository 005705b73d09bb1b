// Runs a model on the GPU, as a chain of stages: mostly one, whose plan and executable are made on first use
// of a combination of input shapes. Where shapes hang on data, further stages follow, each planned when what
// it needs is known. A lost device is replaced, everything on it is rebuilt, and the run is tried again.

import type { PowerPreference } from '../base/adapter';
import type { ByteSource } from '../base/bytes';
import type { DType } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import { wasLost } from '../gpu/lost';
import type { Graph } from '../ir/graph';
import { type Blueprint, hostStepOf } from './blueprint';
import { Course } from './course';
import type { Devices, SharedDevice } from './devices';
import type { CheckedFeeds } from './feeds';
import type { GpuTensors } from './gpu-tensors';
import type { Improvement } from './improvement';
import type { Engine, RunOptions, RunResult } from './model';
import type { Precision } from './next-stage';
import { Outcomes, type PrepareOptions, type Tune } from './outcomes';
import type { PlanCache } from './plan-cache';
import { ProfileRecorder } from './profile-recorder';
import type { HostStep, LoadReport, Profile } from './protocol';
import type { Evaluated, Outcome } from './stage';
import { efforts, type MeasureOptions } from './tuner';
import type { Tunable } from './tuning-idle';

export interface GpuEngineOptions extends Precision {
  readonly blueprint: Blueprint;
  /** Where the model's plans are kept for the next visit. */
  readonly plans?: PlanCache | undefined;
  readonly files: (name: string) => ByteSource;
  readonly devices: Devices;
  readonly tensors: GpuTensors;
  /** Refuse to run a node on the host that has much to compute. */
  readonly strict: boolean;
  readonly tune: Tune;
  /** Begin with plans that compile quickly, where compiling takes long; `settle` makes those to go on with. */
  readonly quick: boolean;
  /** Plan without waiting for what the store knows of the adapter. */
  readonly hurried?: boolean;
  readonly powerPreference?: PowerPreference;
}

const profileRuns = 5;
/** Milliseconds; a browser's clock may tick only once in one of them. */
const leastProfiled = 10;

export class GpuEngine implements Engine, Tunable {
  private outcomes: Outcomes | undefined;
  private readonly border: ReadonlyMap<string, DType>;
  private readonly seenHostSteps = new Map<string, HostStep>();
  private running = 0;
  private settling: Promise<void> | undefined;
  /** To be done when nothing runs. */
  private readonly between: (() => void)[] = [];
  memory: LoadReport['memory'];

  constructor(private readonly options: GpuEngineOptions) {
    const { inputs, outputs, hostSteps } = options.blueprint;
    this.border = new Map([...inputs, ...outputs].map(({ name, type }) => [name, type]));
    for (const step of hostSteps) this.seenHostSteps.set(step.name, step);
  }

  /** Nodes that run on the host, as far as is known by now. */
  get hostSteps(): readonly HostStep[] {
    return [...this.seenHostSteps.values()];
  }

  /**
   * Plans, compiles and uploads for one set of input shapes, or finds that done. What hangs on the elements
   * that a run is fed is left to the run.
   */
  async prepare(dims: ReadonlyMap<string, readonly number[]>, options: PrepareOptions): Promise<void> {
    const inputs = new Map([...dims].map(([name, d]) => [name, { dims: d, mayOverflow: false }]));
    await this.withDevice(async (outcomes) => {
      const outcome = await outcomes.of(outcomes.root, inputs, async () => undefined, new Set(), options);
      if (outcome?.kind === 'gpu') this.memory = (outcome.better ?? outcome.runner.executable.plan).memory;
    });
  }

  run(feeds: CheckedFeeds, options: RunOptions): Promise<RunResult> {
    return this.course(feeds, options);
  }

  async profile(feeds: CheckedFeeds, signal: AbortSignal): Promise<Profile> {
    const { tuner } = await this.options.devices.get(this.options.powerPreference);
    await this.settle();
    const recorder = new ProfileRecorder(await tuner.measureRates());
    const options = { outputs: this.options.blueprint.outputs.map(({ name }) => name), onGpu: () => false, signal };
    const start = performance.now();
    for (let i = 0; i < profileRuns || performance.now() - start < leastProfiled; i++) {
      throwIfAborted(signal, 'Profiling');
      await this.course(feeds, options, recorder);
    }
    return recorder.profile();
  }

  dispose(): void {
    this.outcomes?.dispose();
    this.outcomes = undefined;
  }

  /** Measures kernels of what was planned so far; the better plans take over between two runs. */
  async improve({ budget, signal }: Pick<MeasureOptions, 'budget' | 'signal'>): Promise<Improvement | undefined> {
    const { outcomes } = this;
    if (!outcomes || outcomes.shared.device.lost || this.options.tune !== 'auto') return undefined;
    return this.betweenRuns(await outcomes.improve({ effort: efforts.auto, budget, signal }));
  }

  settle(): Promise<void> {
    this.settling ??= this.settleNow().finally(() => {
      this.settling = undefined;
    });
    return this.settling;
  }

  private async settleNow(): Promise<void> {
    const { outcomes } = this;
    if (!outcomes || outcomes.shared.device.lost) return;
    try {
      const better = this.betweenRuns(await outcomes.settle());
      if (this.outcomes === outcomes) better.apply();
      else better.drop();
      await outcomes.keepPacked();
    } catch {
      // What there is goes on working; where the adapter is in trouble, the next run says so.
    }
  }

  private betweenRuns(improvement: Improvement): Improvement {
    return {
      ...improvement,
      apply: () => {
        if (this.running === 0) improvement.apply();
        else this.between.push(improvement.apply);
      },
    };
  }

  private async course(feeds: CheckedFeeds, options: RunOptions, recorder?: ProfileRecorder): Promise<RunResult> {
    this.running++;
    try {
      return await this.advance(feeds, options, recorder);
    } finally {
      if (--this.running === 0) for (const apply of this.between.splice(0)) apply();
    }
  }

  private advance(feeds: CheckedFeeds, options: RunOptions, recorder?: ProfileRecorder): Promise<RunResult> {
    const { blueprint, tensors, strict } = this.options;
    const { border } = this;
    return this.withDevice(async (outcomes) => {
      recorder?.start();
      const course = new Course(feeds, {
        ...options,
        outcomes,
        blueprint,
        tensors,
        border,
        strict,
        ...(recorder && { recorder }),
      });
      return course.run();
    });
  }

  private async withDevice<T>(work: (outcomes: Outcomes) => Promise<T>): Promise<T> {
    const { devices, powerPreference, hurried } = this.options;
    for (let attempt = 0; ; attempt++) {
      const shared = await devices.get(powerPreference);
      if (!hurried) await shared.tuner.informed;
      try {
        return await work(this.outcomesOn(shared));
      } catch (error) {
        if (!(await wasLost(shared.device))) throw error;
        if (attempt === 0) continue;
        const why = shared.device.lost?.message || 'no reason given';
        throw new LeptonError('DEVICE_LOST', `The GPU device was lost twice in a row: ${why}.`, { cause: error });
      }
    }
  }

  private outcomesOn(shared: SharedDevice): Outcomes {
    if (this.outcomes?.shared === shared) return this.outcomes;
    this.outcomes?.dispose();
    const { blueprint, plans, files, precision, allowPrecisionLoss, tune, quick } = this.options;
    const { profile } = shared.device;
    if (precision === 'float16' && !profile.features.includes('shader-f16')) {
      throw new LeptonError(
        'UNSUPPORTED_OPERATION',
        'This GPU has no shader-f16, which { precision: "float16" } needs. Use "auto".',
      );
    }
    let adapting: Promise<Graph> | undefined;
    const adapt = async () => {
      const { compiler, graph } = await blueprint.read();
      return compiler.adapt(graph, profile, { precision, allowPrecisionLoss });
    };
    const graph = () => {
      adapting ??= adapt();
      return adapting;
    };
    const onOutcome = (outcome: Outcome) => {
      outcome.evaluated.forEach(this.noteHostStep);
      if (outcome.kind === 'host') outcome.nodes.forEach(this.noteHostStep);
    };
    this.outcomes = new Outcomes({
      shared,
      blueprint,
      graph,
      plans,
      files,
      border: this.border,
      tune,
      quick,
      onOutcome,
    });
    return this.outcomes;
  }

  private readonly noteHostStep = (evaluated: Evaluated): void => {
    const step = hostStepOf(evaluated);
    this.seenHostSteps.set(step.name, step);
  };
}
