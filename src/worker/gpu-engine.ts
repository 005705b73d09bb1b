// Runs a model on the GPU, as a chain of stages: mostly one, whose plan and executable are made on first use
// of a combination of input shapes. Where shapes hang on data, further stages follow, each planned when what
// it needs is known. A lost device is replaced, everything on it is rebuilt, and the run is tried again.

import type { ByteSource } from '../base/bytes';
import type { DType } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { Graph } from '../ir/graph';
import type { Compiler } from './compiler';
import { Course } from './course';
import type { Devices, SharedDevice } from './devices';
import type { CheckedFeeds } from './feeds';
import type { GpuTensors } from './gpu-tensors';
import type { HostNode } from './host';
import type { Engine, RunOptions, RunResult } from './model';
import type { Precision } from './next-stage';
import { Outcomes, type PrepareOptions } from './outcomes';
import { ProfileRecorder } from './profile-recorder';
import type { HostStep, LoadReport, Profile } from './protocol';
import type { Outcome } from './stage';

export interface GpuEngineOptions extends Precision {
  readonly graph: Graph;
  readonly compiler: Compiler;
  readonly files: (name: string) => ByteSource;
  readonly devices: Devices;
  readonly tensors: GpuTensors;
  /** Refuse to run a node on the host that has much to compute. */
  readonly strict: boolean;
  readonly powerPreference?: GPUPowerPreference;
}

const profileRuns = 5;

export class GpuEngine implements Engine {
  private outcomes: Outcomes | undefined;
  private readonly border: ReadonlyMap<string, DType>;
  private readonly seenHostSteps = new Map<string, HostStep>();
  memory: LoadReport['memory'];

  constructor(private readonly options: GpuEngineOptions) {
    const { graph, compiler } = options;
    const typeOf = (name: string): [string, DType] => [name, graph.values.get(name)?.dtype ?? 'float32'];
    this.border = new Map([...graph.inputs, ...graph.outputs].map(typeOf));
    compiler.hostNodes(graph).forEach(this.noteHostStep);
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
      if (outcome?.kind === 'gpu') this.memory = outcome.runner.executable.plan.memory;
    });
  }

  run(feeds: CheckedFeeds, options: RunOptions): Promise<RunResult> {
    return this.course(feeds, options);
  }

  async profile(feeds: CheckedFeeds, signal: AbortSignal): Promise<Profile> {
    const recorder = new ProfileRecorder();
    const options = { outputs: this.options.graph.outputs, onGpu: () => false, signal };
    for (let i = 0; i < profileRuns; i++) {
      throwIfAborted(signal, 'Profiling');
      await this.course(feeds, options, recorder);
    }
    return recorder.profile();
  }

  dispose(): void {
    this.outcomes?.dispose();
    this.outcomes = undefined;
  }

  private course(feeds: CheckedFeeds, options: RunOptions, recorder?: ProfileRecorder): Promise<RunResult> {
    const { compiler, tensors, strict } = this.options;
    const { border } = this;
    return this.withDevice(async (outcomes) => {
      recorder?.start();
      const course = new Course(feeds, {
        ...options,
        outcomes,
        compiler,
        tensors,
        border,
        strict,
        ...(recorder && { recorder }),
      });
      return course.run();
    });
  }

  private async withDevice<T>(work: (outcomes: Outcomes) => Promise<T>): Promise<T> {
    const { devices, powerPreference } = this.options;
    for (let attempt = 0; ; attempt++) {
      const shared = await devices.get(powerPreference);
      try {
        return await work(this.outcomesOn(shared));
      } catch (error) {
        if (!(await wasLost(shared))) throw error;
        if (attempt === 0) continue;
        const why = shared.device.lost?.message || 'no reason given';
        throw new LeptonError('DEVICE_LOST', `The GPU device was lost twice in a row: ${why}.`, { cause: error });
      }
    }
  }

  private outcomesOn(shared: SharedDevice): Outcomes {
    if (this.outcomes?.shared === shared) return this.outcomes;
    this.outcomes?.dispose();
    const { graph, compiler, files, precision, allowPrecisionLoss } = this.options;
    const { profile } = shared.device;
    if (precision === 'float16' && !profile.features.includes('shader-f16')) {
      throw new LeptonError(
        'UNSUPPORTED_OPERATION',
        'This GPU has no shader-f16, which { precision: "float16" } needs. Use "auto".',
      );
    }
    const adapted = compiler.adapt(graph, profile, { precision, allowPrecisionLoss });
    const onOutcome = (outcome: Outcome) => {
      outcome.evaluated.forEach(this.noteHostStep);
      if (outcome.kind === 'host') outcome.nodes.forEach(this.noteHostStep);
    };
    this.outcomes = new Outcomes(adapted, { shared, compiler, files, border: this.border, onOutcome });
    return this.outcomes;
  }

  private readonly noteHostStep = ({ node: { name: full, op }, reason }: HostNode): void => {
    // In a body that was written out the node has the name of its iteration in front.
    const name = full.replace(/^.*@\d+\/(\d+\/)?/s, '');
    this.seenHostSteps.set(name, { name, op, reason });
  };
}

/** A loss is reported some time after the calls that fail because of it. */
async function wasLost({ device }: SharedDevice): Promise<boolean> {
  if (!device.lost) await Promise.race([device.handle.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
  return device.lost !== undefined;
}
