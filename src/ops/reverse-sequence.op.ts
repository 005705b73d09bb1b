// ReverseSequence: in each batch entry, the first elements along the time axis in reverse order; input 1 says
// how many, batch entry by batch entry. Inputs: data, sequence_lens [batch].

import { ndarray } from '../base/ndarray';
import { forEachIndex, sizeOf, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { lookupCopy, lookupCost } from './wgsl/lookup-copy';

type View = NodeView<{ readonly batch_axis: number; readonly time_axis: number }>;

function axesOf(n: View): { time: number; batch: number } {
  const { dims } = n.input(0);
  const time = axisOf(n, n.attributes.time_axis, dims.length);
  const batch = axisOf(n, n.attributes.batch_axis, dims.length);
  if (time === batch) n.fail(`has ${time} as both its time axis and its batch axis`);
  const { dtype, dims: lengths } = n.input(1);
  if (dtype !== 'int64' && dtype !== 'int32') n.fail(`has sequence_lens of type ${dtype}; expected int64`);
  if (sizeOf(lengths) !== dims[batch]) n.fail(`has ${sizeOf(lengths)} sequence_lens for a batch of ${dims[batch]}`);
  return { time, batch };
}

export default defineOp({
  name: 'ReverseSequence',
  attributes: { batch_axis: int(1), time_axis: int(0) },
  infer(n) {
    axesOf(n);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims }];
  },
  reference(n, [x, lengths]) {
    const [source, counts] = [x ?? n.fail('lacks its data'), lengths?.data ?? n.fail('lacks its sequence_lens')];
    const { time, batch } = axesOf(n);
    const step = stridesOf(source.dims)[time] as number;
    const out = ndarray(source.dtype, source.dims);
    forEachIndex(source.dims, (at, flat) => {
      const t = at[time] as number;
      const length = Math.min(counts[at[batch] as number] as number, source.dims[time] as number);
      out.data[flat] = source.data[t < length ? flat + (length - 1 - 2 * t) * step : flat] as number;
    });
    return [out];
  },
  // Turned again, everything is where it was.
  grad: (n, b, [gradient]) =>
    gradient === undefined
      ? []
      : b.add('ReverseSequence', [gradient, n.node.inputs[1] as string], { ...n.node.attributes }),
  kernels: [
    {
      name: 'lookup',
      cost: (n) => lookupCost(n, 1),
      dispatches(n) {
        const { time, batch } = axesOf(n);
        const { dims } = n.input(0);
        const strides = stridesOf(dims);
        return [
          lookupCopy(n, {
            label: 'ReverseSequence.lookup',
            fields: 'times: u32, time_step: u32, batches: u32, batch_step: u32',
            uniforms: {
              times: dims[time] as number,
              time_step: strides[time] as number,
              batches: dims[batch] as number,
              batch_step: strides[batch] as number,
            },
            code: `fn source_index(index: u32) -> u32 {
  let time = (index / params.time_step) % params.times;
  let length = min(u32(max(indices[(index / params.batch_step) % params.batches], 0)), params.times);
  if (time >= length) { return index; }
  return index - time * params.time_step + (length - 1u - time) * params.time_step;
}`,
          }),
        ];
      },
    },
  ],
});

const lengths = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values }) as const;

export const cases: OpCase[] = [
  { name: 'time first', inputs: [{ dims: [5, 3, 2] }, lengths(5, 1, 3)] },
  {
    name: 'batch first, uint8',
    inputs: [{ dtype: 'uint8', dims: [3, 43], range: [0, 255] }, lengths(43, 0, 17)],
    attributes: { time_axis: 1, batch_axis: 0 },
  },
  { name: 'axes in the middle', inputs: [{ dims: [2, 3, 4, 2] }, lengths(2, 3, 4)], attributes: { time_axis: 2 } },
];
