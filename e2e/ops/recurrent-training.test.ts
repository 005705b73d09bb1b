// A loss behind recurrent layers, differentiated: the gradients that the GPU computes, through the planner's own choice of
// kernels, against those of the operators' references.

import { beforeAll, expect, it } from 'vitest';
import { decode, encode, int64s, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { type Device, openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { GraphBuilder } from '../../src/ir/builder';
import type { AttributeValue, Graph } from '../../src/ir/graph';
import { inferNode } from '../../src/ops/registry';
import { makePlan } from '../../src/plan/make-plan';
import { dropDeadCode } from '../../src/transform/dead-code';
import { differentiate } from '../../src/transform/differentiate';
import { describeDawn } from '../support/dawn';
import { hostOutputs } from '../support/host-graph';
import { mulberry32 } from '../support/random';
import { readyToPlan } from './harness';

const gates = { RNN: 1, LSTM: 4, GRU: 3 } as const;
type CellName = keyof typeof gates;

const [steps, batch, features, hidden] = [7, 3, 5, 9];

/** Two layers, the second over the first's outputs and of its last output alone; the mean square of that is the loss. */
function network(cell: CellName, attributes: Record<string, AttributeValue>) {
  const random = mulberry32(3);
  const b = new GraphBuilder(cell, inferNode);
  const feeds = new Map<string, NDArray>();
  const directions = attributes.direction === 'bidirectional' ? 2 : 1;
  const variable = (name: string, dims: readonly number[]) => {
    const data = Array.from({ length: sizeOf(dims) }, () => random() - 0.5);
    feeds.set(name, ndarray('float32', dims, data));
    return b.input(name, 'float32', dims);
  };
  const layer = (name: string, x: string, from: number) => {
    const rows = gates[cell] * hidden;
    const inputs = [
      x,
      variable(`${name}.W`, [directions, rows, from]),
      variable(`${name}.R`, [directions, rows, hidden]),
      variable(`${name}.B`, [directions, 2 * rows]),
    ];
    return b.add(cell, inputs, { ...attributes, hidden_size: hidden }, 2) as [string, string];
  };
  const [all] = layer('first', variable('x', [steps, batch, features]), features);
  const [byStep] = b.add('Transpose', [all], { perm: [0, 2, 1, 3] }) as [string];
  const [flat] = b.add('Reshape', [byStep, b.constant(int64s([steps, batch, directions * hidden]))]) as [string];
  const [, last] = layer('second', flat, directions * hidden);
  const [squares] = b.add('Mul', [last, last]) as [string];
  const [loss] = b.add('ReduceMean', [squares], { keepdims: 0 }) as [string];
  return { graph: b.finish([loss]), feeds, loss };
}

/** The graph's outputs, in order. */
async function onDevice(device: Device, graph: Graph, feeds: ReadonlyMap<string, NDArray>): Promise<NDArray[]> {
  const plan = makePlan(readyToPlan(graph, device.profile), { adapter: device.profile });
  const noFiles = () => {
    throw new Error('there are no files');
  };
  const runner = new Runner(await Executable.create(device, plan, noFiles));
  try {
    const inputs = plan.inputs.map(({ name }) => {
      return [name, { kind: 'bytes' as const, bytes: encode(feeds.get(name) as NDArray) }] as const;
    });
    const outputs = plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const }));
    const { bytes } = await runner.run(new Map(inputs), outputs);
    const arrays = new Map(
      plan.outputs.map(({ name, dims }) => [name, decode('float32', dims, bytes.get(name) as Uint8Array<ArrayBuffer>)]),
    );
    return graph.outputs.map((name) => arrays.get(name) as NDArray);
  } finally {
    runner.dispose();
  }
}

/** The largest difference, relative to the largest element. */
function furthest(got: NDArray, { data: expected }: NDArray): number {
  let [difference, scale] = [0, 0];
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs((got.data[i] as number) - value));
    scale = Math.max(scale, Math.abs(value));
  });
  return difference / scale;
}

describeDawn('training recurrent layers', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });
  const forms: readonly (readonly [CellName, Record<string, AttributeValue>])[] = [
    ['RNN', { activations: ['Relu'] }],
    ['LSTM', {}],
    ['LSTM', { direction: 'bidirectional' }],
    ['GRU', {}],
    ['GRU', { linear_before_reset: 1, direction: 'bidirectional' }],
  ];
  for (const [cell, attributes] of forms) {
    it(`gives the gradients that the references give: ${cell} ${JSON.stringify(attributes)}`, async () => {
      const { graph, feeds, loss } = network(cell, attributes);
      const variables = [...feeds.keys()];
      const { graph: both, gradients } = differentiate(graph, loss, variables);
      const outputs = [loss, ...variables.map((name) => gradients.get(name) as string)];
      const wanted = dropDeadCode({ ...both, outputs });
      // One forward pass serves both: it keeps what the backward pass reads.
      const ops = readyToPlan(wanted, device.profile).nodes.map(({ op }) => op);
      expect(ops.filter((op) => op === 'lepton.Recurrence').length).toBe(2);
      const expected = hostOutputs(wanted, feeds);
      const got = await onDevice(device, wanted, feeds);
      for (const [i, name] of ['loss', ...variables].entries()) {
        expect(furthest(got[i] as NDArray, expected[i] as NDArray), name).toBeLessThan(1e-4);
      }
    });
  }
});
