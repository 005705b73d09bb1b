// lepton.Recurrence: the steps of an RNN, LSTM or GRU whose input products are done. Inputs and outputs are
// listed in recurrent/text.ts; weights come packed as [directions, ceil(hidden / 4), hidden, gates, 4], zeros
// past `hidden`, so that neighbouring invocations load neighbouring blocks, of all gates of a unit.

import { ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { required } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { recurrenceCases } from './recurrent/cases';
import { type CellAttributes, type CellName, cellAttributes, cellOf } from './recurrent/cell';
import { recurrenceGrad } from './recurrent/grad';
import { recurrenceKernels } from './recurrent/kernels';
import type { Recurrence } from './recurrent/problem';
import { runRecurrence } from './recurrent/reference';

type Attributes = CellAttributes & { readonly cell: string; readonly hidden_size: number };

/** Sizes from the projected input, [steps, batch, directions * gates * hidden]. */
function recurrenceOf(n: NodeView<Attributes>): Recurrence {
  const [steps, batch] = n.input(0).dims as [number, number, number];
  return { cell: cellOf(n, n.attributes.cell as CellName), steps, batch, hidden: n.attributes.hidden_size };
}

function outputTypes(n: NodeView<Attributes>): TensorType[] {
  const { cell, steps, batch, hidden } = recurrenceOf(n);
  const { dtype } = n.input(0);
  const directions = cell.backwards.length;
  const last = { dtype, dims: [directions, batch, hidden] };
  return [
    { dtype, dims: [steps, directions, batch, hidden] },
    last,
    last,
    { dtype, dims: [steps, batch, directions * cell.slots * hidden] },
  ];
}

function checkSizes(n: NodeView<Attributes>): void {
  const { cell, steps, batch, hidden } = recurrenceOf(n);
  if (n.input(0).dims.length !== 3) n.fail('needs a projected input of rank 3');
  const directions = cell.backwards.length;
  const rows = directions * cell.gates * hidden;
  const state = directions * batch * hidden;
  const extra = directions * (cell.name === 'LSTM' ? 3 : 1) * hidden;
  [steps * batch * rows, rows * 4 * Math.ceil(hidden / 4), extra, batch, state, state].forEach((size, i) => {
    const input = i < 2 ? n.input(i) : n.inputs[i];
    if (input && sizeOf(input.dims) !== size) n.fail(`needs ${size} elements in its input ${i}`);
  });
}

export default defineOp({
  name: 'lepton.Recurrence',
  attributes: { ...cellAttributes, cell: required('string'), hidden_size: required('int') },
  infer(n) {
    checkSizes(n);
    return outputTypes(n);
  },
  reference(n, inputs) {
    const recurrence = recurrenceOf(n);
    const { cell, hidden } = recurrence;
    const [projected, weights, extra, lengths, h0, c0] = inputs.map((a) => a?.data);
    const quads = Math.ceil(hidden / 4);
    const { y, h, c, trace } = runRecurrence(cell, recurrence, {
      projected: projected ?? [],
      weight(d, row, k) {
        const [gate, unit] = [Math.floor(row / hidden), row % hidden];
        return weights?.[(((d * quads + (k >> 2)) * hidden + unit) * cell.gates + gate) * 4 + (k & 3)] as number;
      },
      extra,
      lengths,
      hidden: h0,
      memory: c0,
    });
    return outputTypes(n).map(({ dtype, dims }, i) => ndarray(dtype, dims, [y, h, c, trace][i]));
  },
  kernels: recurrenceKernels(recurrenceOf),
  grad: (n, b, gradients) => recurrenceGrad(n, b, gradients, recurrenceOf(n)),
});

export const cases = recurrenceCases;
