// Graphs as exporters write them, through all passes and on Dawn, against the references of their operators one by one.

import { beforeAll, expect, it } from 'vitest';
import { toDevice } from '../../src/base/device-form';
import { decode, encode, type NDArray } from '../../src/base/ndarray';
import { type Device, openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { makePlan } from '../../src/plan/make-plan';
import { describeDawn } from '../support/dawn';
import { hostOutputs } from '../support/host-graph';
import { writtenOutGraphs } from '../support/written-out';
import { compare, readyToPlan } from './harness';

describeDawn('graphs as exporters write them', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });

  it.each(writtenOutGraphs)('$name', async ({ graph, feeds, becomes }) => {
    const plan = makePlan(readyToPlan(graph, device.profile), { adapter: device.profile });
    expect(plan.nodes.map((n) => n.op)).toEqual(becomes);
    const runner = new Runner(await Executable.create(device, plan, () => expect.fail('no files here')));
    const inputs = new Map(
      plan.inputs.map(({ name, device: type }) => {
        const array = feeds.get(name) as NDArray;
        return [name, { kind: 'bytes' as const, bytes: toDevice(array.dtype, type, encode(array), name) }];
      }),
    );
    const outputs = plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const }));
    // Twice: what a run leaves behind must not show in the next one.
    await runner.run(inputs, outputs);
    const { bytes } = await runner.run(inputs, outputs);
    runner.dispose();
    hostOutputs(graph, feeds).forEach((want, i) => {
      const got = decode(want.dtype, want.dims, bytes.get(plan.outputs[i]?.name as string) as Uint8Array);
      expect(compare(got, want, 2e-5)).toBe(undefined);
    });
  });
});
