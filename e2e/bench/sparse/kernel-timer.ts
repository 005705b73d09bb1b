// Times what computes the result of a model alone: its dispatches repeated within one pass, without what a run has
// before and after them. All weights of a shape are open at once and are timed in turns, on one device; those that have the
// kernel of the first, the dense ones, have its time: nothing else would be measured.

import { Executable } from '../../../src/gpu/executable';
import { Stopwatch } from '../../../src/gpu/stopwatch';
import type { Graph } from '../../../src/ir/graph';
import { compiler } from '../../../src/worker/compiler';
import type { SharedDevice } from '../../../src/worker/devices';
import { efforts } from '../../../src/worker/tuner';
import { MemorySource } from '../../support/memory-source';
import type { Feed } from '../pages/runtime';
import { resultKernel } from './kernel-name';

export interface TimedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly feeds: readonly Feed[];
}

interface Opened {
  /** What computes the result. */
  readonly kernel: string;
  readonly executable: Executable;
  /** Of GPU memory. */
  readonly weightBytes: number;
}

export class KernelTimer {
  readonly opened: Opened[] = [];
  private readonly stopwatch: Stopwatch;

  constructor(private readonly shared: SharedDevice) {
    this.stopwatch = new Stopwatch(shared.device);
  }

  async open({ name, bytes, feeds }: TimedModel): Promise<void> {
    const { device, tuner } = this.shared;
    const source = new MemorySource(bytes);
    const { signal } = new AbortController();
    const { graph } = await compiler.read(source, signal);
    const whole = await compiler.lookAtConstants(graph, () => source, signal);
    const adapted = compiler.adapt(whole, device.profile, { precision: 'auto', allowPrecisionLoss: false });
    const planned = () => {
      const stage = compiler.next(resultAlone(adapted), {
        adapter: device.profile,
        dims: new Map(feeds.map(({ name, dims }) => [name, dims])),
        dtypes: new Map(),
        known: new Map(),
        border: new Map(),
        overflowing: new Set(),
        tuning: tuner.tuning,
      });
      if (stage.kind !== 'gpu') throw new Error(`${name} is not a matter of the GPU alone`);
      return stage;
    };
    if (!device.profile.software) {
      const effort = { effort: efforts.auto, budget: Number.POSITIVE_INFINITY, signal };
      await tuner.measure(planned().problems, effort);
    }
    const { plan } = planned();
    const nodes = plan.nodes.map((node) => `${node.op}: ${node.kernel}`);
    const kernel = resultKernel(nodes) ?? nodes.join();
    const [dense] = this.opened;
    const executable =
      dense?.kernel === kernel ? dense.executable : await Executable.create(device, plan, () => source);
    this.opened.push({ kernel, executable, weightBytes: plan.memory.weightBytes });
    if (executable === dense?.executable) return;
    for (const input of plan.inputs) {
      const feed = feeds.find(({ name }) => name === input.name);
      if (feed) device.handle.queue.writeBuffer(executable.inputBuffer(input), 0, feed.bytes);
    }
  }

  /** @returns milliseconds of each, in the order in which they were opened; the `first`-th begins */
  async time(first: number): Promise<number[]> {
    const times = new Map<Executable, number>();
    for (let i = 0; i < this.opened.length; i++) {
      const { executable } = this.opened[(first + i) % this.opened.length] as Opened;
      if (!times.has(executable)) times.set(executable, await this.stopwatch.measure(executable));
    }
    return this.opened.map(({ executable }) => times.get(executable) as number);
  }
}

/** Without the probe, which is not what is timed. */
const resultAlone = (graph: Graph): Graph => ({ ...graph, outputs: ['y'] });
