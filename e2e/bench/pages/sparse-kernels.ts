// Times what computes the result of a model alone: its dispatches repeated within one pass, without what a run has
// before and after them. All weights of a shape are open at once and are timed in turns, on one device; those that have the
// kernel of the first, the dense ones, have its time: nothing else would be measured.

import { Executable } from '../../../src/gpu/executable';
import { Stopwatch } from '../../../src/gpu/stopwatch';
import type { Graph } from '../../../src/ir/graph';
import { compiler } from '../../../src/worker/compiler';
import { Devices, type SharedDevice } from '../../../src/worker/devices';
import { efforts } from '../../../src/worker/tuner';
import { MemorySource } from '../../support/memory-source';
import { fetchFeed } from './page';
import type { CaseFiles } from './runtime';

/** `globalThis.kernels` of the page. */
export interface KernelsPage {
  /** Opens the cases of these folders. */
  open(folders: readonly string[]): Promise<void>;
  /** Milliseconds of each, in the order of the folders; the `first`-th begins. */
  time(first: number): Promise<number[]>;
}

interface Opened {
  readonly kernel: string;
  readonly executable: Executable;
}

const opened: Opened[] = [];
let stopwatch: Stopwatch | undefined;

const page: KernelsPage = {
  async open(folders) {
    const shared = await new Devices(navigator.gpu).get();
    stopwatch = new Stopwatch(shared.device);
    for (const folder of folders) opened.push(await openCase(folder, shared));
  },
  async time(first) {
    const times = new Map<Executable, number>();
    for (let i = 0; i < opened.length; i++) {
      const { executable } = opened[(first + i) % opened.length] as Opened;
      if (!times.has(executable)) times.set(executable, await (stopwatch as Stopwatch).measure(executable));
    }
    return opened.map(({ executable }) => times.get(executable) as number);
  },
};

async function openCase(folder: string, { device, tuner }: SharedDevice): Promise<Opened> {
  const files: CaseFiles = await (await fetch(`${folder}/case.json`)).json();
  const feeds = await Promise.all(files.feeds.map(fetchFeed));
  const source = new MemorySource(new Uint8Array(await (await fetch(files.model)).arrayBuffer()));
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
    if (stage.kind !== 'gpu') throw new Error(`${files.name} is not a matter of the GPU alone`);
    return stage;
  };
  if (!device.profile.software) {
    const effort = { effort: efforts.auto, budget: Number.POSITIVE_INFINITY, signal };
    await tuner.measure(planned().problems, effort);
  }
  const { plan } = planned();
  const kernel = plan.nodes.map((node) => `${node.op}: ${node.kernel}`).join();
  const [dense] = opened;
  if (dense?.kernel === kernel) return dense;
  const executable = await Executable.create(device, plan, () => source);
  for (const input of plan.inputs) {
    const feed = feeds.find(({ name }) => name === input.name);
    if (feed) device.handle.queue.writeBuffer(executable.inputBuffer(input), 0, feed.bytes);
  }
  return { kernel, executable };
}

/** Without the probe, which is not what is timed. */
const resultAlone = (graph: Graph): Graph => ({ ...graph, outputs: ['y'] });

Object.assign(globalThis, { kernels: page });
