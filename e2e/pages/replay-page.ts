// Runs in a page, beside replay.test.ts: a chain of small matrix products, one dispatch each, run again and
// again without a worker between, so that what a run costs can be looked at.

import { openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { type Feed, Runner } from '../../src/gpu/runner';
import { makePlan } from '../../src/plan/make-plan';
import { optimise } from '../../src/transform/optimise';
import { compiler } from '../../src/worker/compiler';
import { Network } from '../bench/cases/network';
import { MemorySource } from '../support/memory-source';

const size = 16;

export interface Chain {
  readonly dispatches: number;
  run(times: number): Promise<void>;
  /** Microseconds that encoding one dispatch takes, over `times` encodings of all. */
  encode(times: number): number;
  dispose(): void;
}

export async function openChain(length: number): Promise<Chain> {
  const network = new Network();
  let at = 'x';
  for (let i = 1; i < length; i++) at = network.op('MatMul', [at, network.weight([size, size], size)]);
  network.named('y', 'MatMul', [at, network.weight([size, size], size)]);
  const shape = [size, size];
  const value = (name: string) => ({ name, dtype: 'float32' as const, shape });
  const source = new MemorySource(network.build([value('x')], [value('y')]));
  const { graph } = await compiler.read(source, new AbortController().signal);
  const device = await openDevice(navigator.gpu);
  const plan = makePlan(optimise(graph, { adapter: device.profile }), { adapter: device.profile });
  const executable = await Executable.create(device, plan, () => source);
  const runner = new Runner(executable);
  const bytes = new Uint8Array(4 * size * size);
  const fed = new Map<string, Feed>([['x', { kind: 'bytes', bytes }]]);
  const fetched = [{ name: 'y', location: 'cpu' as const }];
  const nothing = new Map<number, GPUBuffer>();
  return {
    dispatches: executable.plan.steps.length,
    async run(times) {
      for (let i = 0; i < times; i++) await runner.run(fed, fetched);
    },
    encode(times) {
      // A page's clock is too coarse for a single encoding.
      const start = performance.now();
      for (let i = 0; i < times; i++) {
        const encoder = executable.device.handle.createCommandEncoder();
        executable.encode(encoder, nothing);
        encoder.finish();
      }
      return (1000 * (performance.now() - start)) / (times * executable.plan.steps.length);
    },
    dispose: () => runner.dispose(),
  };
}
