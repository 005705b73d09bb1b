// lepton.RecurrenceGradient: lepton.Recurrence back through time. Inputs and outputs are listed in recurrent/retreat.ts;
// the recurrent weights come by rows, [directions, gates * hidden, 4 * ceil(hidden / 4)], zeros past `hidden`.

import { ndarray } from '../../base/ndarray';
import { sizeOf } from '../../base/shape';
import { required } from '../../ir/attributes';
import type { NodeView, TensorType } from '../../ir/node-view';
import { defineOp } from '../../ir/opdef';
import { type CellAttributes, type CellName, cellAttributes, cellOf } from '../recurrent/cell';
import { gradientCases } from '../recurrent/gradient-cases';
import { gradientKernels } from '../recurrent/gradient-kernels';
import { runRetreat } from '../recurrent/gradient-reference';
import type { Recurrence } from '../recurrent/problem';

type Attributes = CellAttributes & { readonly cell: string; readonly hidden_size: number };

/** Sizes from the trace, [steps, batch, directions * slots * hidden]. */
function recurrenceOf(n: NodeView<Attributes>): Recurrence {
  const [steps, batch] = n.input(0).dims as [number, number, number];
  return { cell: cellOf(n, n.attributes.cell as CellName), steps, batch, hidden: n.attributes.hidden_size };
}

function outputTypes(n: NodeView<Attributes>): TensorType[] {
  const { cell, steps, batch, hidden } = recurrenceOf(n);
  const { dtype } = n.input(0);
  const directions = cell.backwards.length;
  const gates = { dtype, dims: [steps, batch, directions * cell.gates * hidden] };
  const state = { dtype, dims: [directions, batch, hidden] };
  return [gates, state, state, gates];
}

function checkSizes(n: NodeView<Attributes>): void {
  const { cell, steps, batch, hidden } = recurrenceOf(n);
  if (n.input(0).dims.length !== 3) n.fail('needs a trace of rank 3');
  const directions = cell.backwards.length;
  const state = directions * batch * hidden;
  const weights = directions * cell.gates * hidden * 4 * Math.ceil(hidden / 4);
  const sizes = [steps * state * cell.slots, weights, 3 * directions * hidden, batch, steps * state, state, state];
  sizes.forEach((size, i) => {
    const input = i < 2 ? n.input(i) : n.inputs[i];
    if (input && sizeOf(input.dims) !== size) n.fail(`needs ${size} elements in its input ${i}`);
  });
}

export default defineOp({
  name: 'lepton.RecurrenceGradient',
  attributes: { ...cellAttributes, cell: required('string'), hidden_size: required('int') },
  infer(n) {
    checkSizes(n);
    return outputTypes(n);
  },
  reference(n, inputs) {
    const recurrence = recurrenceOf(n);
    const { cell, hidden } = recurrence;
    const [trace, weights, extra, lengths, y, h, c] = inputs.map((a) => a?.data);
    const columns = 4 * Math.ceil(hidden / 4);
    const found = runRetreat(cell, recurrence, {
      trace: trace ?? [],
      weight: (d, row, k) => weights?.[(d * cell.gates * hidden + row) * columns + k] as number,
      extra,
      lengths,
      y,
      h,
      c,
    });
    const values = [found.delta, found.h, found.c, found.input];
    return outputTypes(n).map(({ dtype, dims }, i) => ndarray(dtype, dims, values[i]));
  },
  kernels: gradientKernels(recurrenceOf),
});

export const cases = gradientCases;
