// Takes one model, whole or damaged, as far as it goes: read, planned, run on the host, or run on a GPU. What is
// thrown on the way is for the caller to judge. Inputs are the model's own test data where they still fit.

import { packedBytes } from '../../src/base/dtype';
import { LeptonError } from '../../src/base/errors';
import type { TensorInfo } from '../../src/base/model-info';
import { decode, encode, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import type { Graph } from '../../src/ir/graph';
import { blueprintOf } from '../../src/worker/blueprint';
import { compiler } from '../../src/worker/compiler';
import type { Devices } from '../../src/worker/devices';
import { checkFeeds } from '../../src/worker/feeds';
import { GpuEngine } from '../../src/worker/gpu-engine';
import { GpuTensors } from '../../src/worker/gpu-tensors';
import type { WireTensor } from '../../src/worker/protocol';
import { plainAdapter } from '../support/adapter';
import { MemorySource } from '../support/memory-source';
import { mulberry32 } from '../support/random';
import type { TensorFile } from '../support/tensor-file';

export interface Attempt {
  readonly bytes: Uint8Array;
  readonly seed: number;
  /** Test data of the undamaged model. */
  readonly data: readonly TensorFile[];
  /** Where to run: nowhere but up to the plan, on the host, or on a GPU. */
  readonly run: 'not' | 'host' | Devices;
}

/** How far it came. */
export type Outcome = 'read' | 'planned' | 'ran';

/** More than anybody feeds by hand: such a model is read, and not run. */
const largestFeed = 1 << 16;
/** Milliseconds after which a run is given up, as a page may at any time. */
const runTime = 1000;

export async function attempt({ bytes, seed, data, run }: Attempt): Promise<Outcome> {
  const source = new MemorySource(bytes);
  const signal = AbortSignal.timeout(runTime);
  const { graph, files } = await compiler.read(source, signal);
  const infos = graph.inputs.map((name): TensorInfo => {
    const { dtype = 'float32', dims } = graph.values.get(name) ?? {};
    if (!dims) throw new LeptonError('UNSUPPORTED_MODEL', 'An input without a shape: a session refuses it.');
    return { name, type: dtype, shape: dims };
  });
  const feeds = feedsFor(infos, data, seed);
  if (!feeds || files.length > 0) return 'read';
  const tensors = new GpuTensors();
  const sources = () => source;
  if (typeof run === 'string') planFirst(graph, feeds);
  if (run === 'not') return 'planned';
  const engine =
    run === 'host'
      ? compiler.cpuEngine(graph, sources, tensors)
      : new GpuEngine({
          ...{ blueprint: blueprintOf({ compiler, graph }, []), tensors, devices: run, files: sources },
          ...{ precision: 'auto', allowPrecisionLoss: true, strict: false, tune: 'off', quick: false },
        });
  try {
    await engine.run(checkFeeds(infos, feeds), { outputs: graph.outputs, onGpu: () => false, signal });
  } finally {
    engine.dispose();
  }
  return 'ran';
}

/** Undefined where an input would be too large. */
function feedsFor(
  infos: readonly TensorInfo[],
  data: readonly TensorFile[],
  seed: number,
): Record<string, WireTensor> | undefined {
  const random = mulberry32(seed);
  const sizes = new Map<string, number>();
  const feeds = infos.map(({ name, type, shape }, i): [string, WireTensor] | undefined => {
    const given = data[i];
    const fits = given?.dtype === type && given.dims.length === shape.length;
    const dims = shape.map((d, axis) => {
      if (typeof d === 'number') return d;
      const size = sizes.get(d) ?? (fits ? (given.dims[axis] as number) : 1 + Math.floor(random() * 3));
      sizes.set(d, size);
      return size;
    });
    const count = sizeOf(dims);
    if (!(count <= largestFeed)) return undefined;
    if (fits && given.bytes.length === packedBytes(type, count)) return [name, { type, dims, bytes: given.bytes }];
    const values = Array.from({ length: count }, () => Math.floor(random() * 4));
    return [name, { type, dims, bytes: encode(ndarray(type, dims, values)) }];
  });
  return feeds.every((feed) => feed !== undefined) ? Object.fromEntries(feeds) : undefined;
}

const adapter = plainAdapter();

/** Plans the first stage that runs on the GPU, as a load does. */
function planFirst(whole: Graph, feeds: Readonly<Record<string, WireTensor>>): void {
  const graph = compiler.adapt(whole, adapter, { precision: 'auto', allowPrecisionLoss: true });
  const dims = new Map(Object.entries(feeds).map(([name, feed]) => [name, feed.dims]));
  const border = new Map([...graph.values.values()].map(({ name, dtype }) => [name, dtype]));
  const asked = new Set<string>();
  for (;;) {
    const known = new Map(
      [...asked].map((name) => {
        const { dims, bytes } = feeds[name] as WireTensor;
        const dtype = graph.values.get(name)?.dtype ?? 'float32';
        return [name, decode(dtype, dims, bytes)] as const;
      }),
    );
    const next = compiler.next(graph, { adapter, dims, dtypes: new Map(), overflowing: new Set(), known, border });
    if (next.kind !== 'feeds') return;
    for (const name of next.names) asked.add(name);
  }
}
