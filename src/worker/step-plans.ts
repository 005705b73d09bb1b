// The plans of a model's steps, made real on the device that has its weights: one for every kind of step and set of shapes.

import { decode } from '../base/ndarray';
import { formatDims } from '../base/shape';
import type { Runner } from '../gpu/runner';
import type { Variables } from '../gpu/variables';
import type { Plan } from '../plan/plan';
import type { TrainingCompiler } from '../train';
import { reportName } from '../train/names';
import type { ReportLayout, StepRequest } from '../train/step';
import type { SharedDevice } from './devices';
import type { WireTensor } from './protocol';
import { planFeeds } from './training-feeds';

/** Makes a plan real: the worker's own, so that the compiler needs no second one. */
export type MakeRunner = (
  shared: SharedDevice,
  plan: Plan,
  variables: ReadonlyMap<string, GPUBuffer>,
) => Promise<Runner>;

export interface StepPlansOptions {
  readonly shared: SharedDevice;
  readonly variables: Variables;
  readonly training: TrainingCompiler;
  readonly makeRunner: MakeRunner;
}

export interface Prepared {
  readonly runner: Runner;
  readonly report: ReportLayout;
}

type Culprit = ReturnType<TrainingCompiler['culprits']>['nodes'][number];

/** Plans kept; the least recently used goes first. */
const most = 6;

export class StepPlans {
  private readonly plans = new Map<string, Promise<Prepared>>();

  constructor(private readonly options: StepPlansOptions) {}

  of(request: StepRequest): Promise<Prepared> {
    const key = `${request.kind} ${[...request.inputs, ...request.targets].map((t) => t.dtype + formatDims(t.dims)).join(' ')}`;
    const made = this.plans.get(key) ?? this.prepare(request);
    this.plans.delete(key);
    for (const [oldest, plan] of this.plans) {
      if (this.plans.size < most) break;
      this.plans.delete(oldest);
      void plan.then(({ runner }) => runner.dispose()).catch(() => {});
    }
    this.plans.set(key, made);
    made.catch(() => this.plans.delete(key));
    return made;
  }

  /** Runs a step's forward pass once more; answers the first node that gave something that is not finite. */
  async culprit(request: StepRequest, feeds: ReadonlyMap<string, WireTensor>): Promise<Culprit | undefined> {
    const { training, makeRunner, shared, variables } = this.options;
    const { plan, nodes } = training.culprits(request, this.target);
    const runner = await makeRunner(shared, plan, variables.buffers);
    try {
      const { bytes } = await runner.run(planFeeds(plan, feeds), [{ name: reportName, location: 'cpu' }]);
      const flags = decode('float32', [nodes.length], bytes.get(reportName) as Uint8Array).data;
      return nodes[flags.indexOf(1)];
    } finally {
      runner.dispose();
    }
  }

  /** Frees them all; those asked for next are made anew. */
  async clear(): Promise<void> {
    for (const plan of this.plans.values()) (await plan.catch(() => undefined))?.runner.dispose();
    this.plans.clear();
  }

  private async prepare(request: StepRequest): Promise<Prepared> {
    const { training, makeRunner, shared, variables } = this.options;
    const { plan, report } = training.plan(request, this.target);
    return { runner: await makeRunner(shared, plan, variables.buffers), report };
  }

  private get target() {
    const { device, tuner } = this.options.shared;
    return { adapter: device.profile, rates: tuner.tuning.rates };
  }
}
