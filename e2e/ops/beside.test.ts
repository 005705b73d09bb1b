// A network whose plan would take much more than what is alive at once, did dispatches not read in the buffer that they
// write (plan/beside.ts): its answer on Dawn against the references of its operators.

import { expect, it } from 'vitest';
import { toDevice } from '../../src/base/device-form';
import type { DeviceType } from '../../src/base/dtype';
import { decode, encode, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { GraphBuilder } from '../../src/ir/builder';
import { inferNode } from '../../src/ops/registry';
import { makePlan } from '../../src/plan/make-plan';
import type { Plan, PlanPipeline } from '../../src/plan/plan';
import { describeDawn } from '../support/dawn';
import { hostOutputs } from '../support/host-graph';
import { mulberry32 } from '../support/random';
import { compare, readyToPlan } from './harness';

const random = mulberry32(5);
const drawn = (dims: readonly number[]) =>
  ndarray(
    'float32',
    dims,
    Array.from({ length: sizeOf(dims) }, () => 2 * random() - 1),
  );

/** Convolutions of one pixel, with these numbers of channels. */
function chain(channels: readonly number[]) {
  const builder = new GraphBuilder('chain', inferNode);
  const x = drawn([1, channels[0] as number, 64, 64]);
  let at = builder.input('x', 'float32', x.dims);
  channels.slice(1).forEach((count, i) => {
    const weights = builder.constant(drawn([count, channels[i] as number, 1, 1]));
    at = builder.add('Conv', [at, weights])[0] as string;
  });
  const graph = builder.finish(builder.add('GlobalMaxPool', [at]));
  return { graph, x };
}

/** Dispatches that write a buffer which they read too. */
function beside({ steps, pipelines, buffers }: Plan): number {
  return steps.filter((step) => {
    if (step.kind === 'copy') return false;
    const { wgsl, bindings } = pipelines[step.pipeline] as PlanPipeline;
    const arenas = step.buffers.map((b) => buffers[b]?.within?.buffer).filter((arena) => arena !== undefined);
    const writable = bindings.filter(({ access }) => access === 'read_write').length;
    expect(wgsl.match(/read_write/g)?.length).toBe(writable);
    return new Set(arenas).size < arenas.length;
  }).length;
}

describeDawn('a plan that reads beside what it writes', (dawn) => {
  it('takes little more than what is alive at once, and gives the answer', async () => {
    const device = await openDevice(dawn.gpu);
    const { graph, x } = chain([4, 32, 20, 20, 40, 8]);
    const plan = makePlan(readyToPlan(graph, device.profile), { adapter: device.profile });
    expect(beside(plan)).toBeGreaterThan(0);
    expect(plan.memory.slotBytes).toBeLessThanOrEqual(1.15 * plan.memory.peakLiveBytes);
    const runner = new Runner(await Executable.create(device, plan, () => expect.fail('no files here')));
    const type = plan.inputs[0]?.device as DeviceType;
    const inputs = new Map([['x', { kind: 'bytes' as const, bytes: toDevice('float32', type, encode(x), 'x') }]]);
    const [output] = graph.outputs as [string];
    const { bytes } = await runner.run(inputs, [{ name: output, location: 'cpu' }]);
    runner.dispose();
    const [want] = hostOutputs(graph, new Map([['x', x]]));
    const got = decode('float32', want?.dims ?? [], bytes.get(output) as Uint8Array);
    expect(compare(got, want as typeof got, 2e-5)).toBe(undefined);
  });
});
