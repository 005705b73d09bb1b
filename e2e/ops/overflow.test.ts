// 64-bit integers, which the GPU computes in 32 bits: results are exact up to the ends of that range, and beyond
// it a run fails and names the tensor. A wrapped number is never given.

import { beforeAll, expect, it } from 'vitest';
import { toDevice } from '../../src/base/device-form';
import { decode, encode, int64s, type NDArray, ndarray } from '../../src/base/ndarray';
import { numberOfDType } from '../../src/base/onnx-dtypes';
import { type Device, openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { GraphBuilder } from '../../src/ir/builder';
import type { AttributeValue } from '../../src/ir/graph';
import { inferNode } from '../../src/ops/registry';
import { makePlan } from '../../src/plan/make-plan';
import { describeDawn } from '../support/dawn';
import { readyToPlan } from './harness';

const most = 2 ** 31 - 1;
const uint64 = (...values: number[]) => ndarray('uint64', [values.length], values);
const float32 = (...values: number[]) => ndarray('float32', [values.length], values);

interface Sum {
  readonly op: string;
  readonly inputs: readonly NDArray[];
  readonly attributes?: Record<string, AttributeValue>;
  /** Undefined where the result is beyond 32 bits. */
  readonly result?: readonly number[];
}

const sums: Sum[] = [
  { op: 'Add', inputs: [int64s([most - 1, -most]), int64s([1, -1 + 1])], result: [most, -most] },
  { op: 'Add', inputs: [int64s([0, most]), int64s([0, 1])] },
  { op: 'Sub', inputs: [int64s([-most]), int64s([2])] },
  { op: 'Mul', inputs: [int64s([46_340, -1]), int64s([46_340, most])], result: [46_340 ** 2, -most] },
  { op: 'Mul', inputs: [int64s([46_341]), int64s([46_341])] },
  { op: 'Mul', inputs: [int64s([2 ** 16]), int64s([2 ** 16])] },
  { op: 'Sub', inputs: [uint64(5), uint64(5)], result: [0] },
  { op: 'Sub', inputs: [uint64(5), uint64(6)] },
  { op: 'Add', inputs: [uint64(2 ** 32 - 2), uint64(2)] },
  { op: 'Cast', inputs: [float32(-(2 ** 30), 2 ** 30)], attributes: { to: 7 }, result: [-(2 ** 30), 2 ** 30] },
  { op: 'Cast', inputs: [float32(1, 2 ** 31)], attributes: { to: 7 } },
  { op: 'Cast', inputs: [int64s([-1])], attributes: { to: numberOfDType('uint64') } },
  {
    op: 'Cast',
    inputs: [ndarray('int32', [2], [-(2 ** 31), most])],
    attributes: { to: 7 },
    result: [-(2 ** 31), most],
  },
  { op: 'BitShift', inputs: [uint64(1), uint64(31)], attributes: { direction: 'LEFT' }, result: [2 ** 31] },
  { op: 'BitShift', inputs: [uint64(1), uint64(32)], attributes: { direction: 'LEFT' } },
  { op: 'Pow', inputs: [int64s([2, -2]), int64s([30, 31 - 1])], result: [2 ** 30, 2 ** 30] },
  { op: 'Pow', inputs: [int64s([7]), int64s([12])] },
  { op: 'Neg', inputs: [int64s([-(2 ** 31)])] },
  { op: 'CumSum', inputs: [int64s([most, 1]), int64s([0])] },
  { op: 'ReduceSum', inputs: [int64s([most, -5, 5])], attributes: { keepdims: 1 }, result: [most] },
  { op: 'ReduceSum', inputs: [int64s(Array(600).fill(2 ** 22))], attributes: { keepdims: 1 } },
  { op: 'ReduceProd', inputs: [int64s(Array(40).fill(2))], attributes: { keepdims: 1 } },
  { op: 'Identity', inputs: [int64s([-(2 ** 31), most])], result: [-(2 ** 31), most] },
];

describeDawn('64-bit integers in Node', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });

  it.each(sums.map((sum, i) => [`${i}: ${sum.op}`, sum] as const))(
    '%s',
    async (_, { op, inputs, attributes, result }) => {
      const b = new GraphBuilder(op, inferNode);
      const isAxis = (i: number) => op === 'CumSum' && i === 1;
      const names = inputs.map((array, i) =>
        isAxis(i) ? b.constant(array) : b.input(`x${i}`, array.dtype, array.dims),
      );
      const graph = b.finish(b.add(op, names, attributes));
      const plan = makePlan(readyToPlan(graph, device.profile), {
        adapter: device.profile,
      });
      const runner = new Runner(await Executable.create(device, plan, () => expect.fail('no files here')));
      const feeds = new Map(
        plan.inputs.map(({ name, dtype, device: type }, i) => {
          const bytes = toDevice(dtype, type, encode(inputs[i] as NDArray), name);
          return [name, { kind: 'bytes' as const, bytes }];
        }),
      );
      const [output] = plan.outputs as [(typeof plan.outputs)[number]];
      const running = runner.run(feeds, [{ name: output.name, location: 'cpu' }]);
      if (result) {
        const bytes = (await running).bytes.get(output.name) as Uint8Array;
        expect([...decode(output.dtype, output.dims, bytes).data]).toEqual(result);
      } else {
        await expect(running).rejects.toThrow(`tensor "${output.name}" is beyond the 32 bits`);
      }
      runner.dispose();
    },
  );
});
