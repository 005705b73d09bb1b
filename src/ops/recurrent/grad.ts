// The backward rule of lepton.Recurrence: one operator goes back through time; what the weights get is then one product
// over all steps and sequences, of the gates' gradients with what the recurrent products read.

import { int64s } from '../../base/ndarray';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { Formula, reshape } from '../gradient';
import type { CellAttributes } from './cell';
import type { Recurrence } from './problem';

type Gradients = readonly (string | undefined)[];

/** Peepholes in their order, as gates and as the slots of a trace. */
const peepholes = { input: 0, output: 1, forget: 2 };
const lstmSlots = { input: 1, forget: 3, fresh: 4, memory: 5 };

export function recurrenceGrad(n: NodeView<CellAttributes>, b: LowerBuilder, given: Gradients, r: Recurrence) {
  const { cell, steps, batch, hidden } = r;
  if (Number.isFinite(cell.clip)) n.fail('cannot be trained with a clip', 'UNSUPPORTED_MODEL');
  if (cell.activations.flat().some(({ slope }) => !slope)) {
    n.fail('cannot be trained with an activation of which two derivatives belong to one value', 'UNSUPPORTED_MODEL');
  }
  const { inputs, attributes } = n.node;
  const f = new Formula(b, n.input(0).dtype);
  const [directions, rows, quads] = [cell.backwards.length, cell.gates * hidden, Math.ceil(hidden / 4)];
  const name = (i: number) => (n.has(i) ? (inputs[i] as string) : '');
  // Where the forward node does not keep its trace, one that does takes its place (transform/share-common.ts).
  const trace = n.wants(3)
    ? (n.node.outputs[3] as string)
    : (b.add('lepton.Recurrence', inputs, attributes, 4)[3] as string);
  const packed = reshape(b, name(1), [directions, quads, hidden, cell.gates, 4]);
  const byRow = reshape(b, f.node('Transpose', [packed], { perm: [0, 3, 2, 1, 4] }), [directions, rows, 4 * quads]);
  const apart = cell.name === 'GRU' && !cell.resetFirst;
  const peep = cell.name === 'LSTM' ? name(2) : '';
  const [delta, h, c, input = delta] = b.add(
    'lepton.RecurrenceGradient',
    [trace, byRow, peep, name(3), ...[0, 1, 2].map((i) => given[i] ?? '')],
    attributes,
    apart ? 4 : ([3, 2].find((count) => n.has(count + 2)) ?? 1),
  ) as [string, string, string, string?];

  const slice = (value: string, axis: number, start: number, end: number) =>
    f.node('Slice', [value, ...[[start], [end], [axis]].map((v) => b.constant(int64s(v)))]);
  const sequences = steps * batch;
  const kept = reshape(b, trace, [sequences, directions, cell.slots, hidden]);
  const ofGates = reshape(b, delta, [sequences, directions, cell.gates, hidden]);
  /** [sequences, directions, 1, hidden]. */
  const slot = (k: number) => slice(kept, 2, k, k + 1);
  const gate = (k: number) => slice(ofGates, 2, k, k + 1);

  /** [rows, hidden] of one direction. */
  const weightsOf = (d: number) => {
    const own = (value: string, columns: number) =>
      reshape(b, directions > 1 ? slice(value, 1, d, d + 1) : value, [sequences, columns]);
    const times = (gradients: string, operand: string) =>
      f.node('lepton.MatMul', [gradients, own(operand, hidden)], { transA: 1 });
    const gradients = own(ofGates, rows);
    if (!cell.resetFirst) return times(gradients, slot(0));
    const product = f.mul(slot(0), slot(2));
    const [outer, inner] = [slice(gradients, 1, 0, 2 * hidden), slice(gradients, 1, 2 * hidden, rows)];
    return f.node('Concat', [times(outer, slot(0)), times(inner, product)], { axis: 0 });
  };
  const all = cell.backwards.map((_, d) => weightsOf(d));
  const joined = all.length === 1 ? (all[0] as string) : f.node('Concat', all, { axis: 0 });
  const padded = hidden % 4 ? f.node('Pad', [joined, b.constant(int64s([0, 0, 0, 4 * quads - hidden]))]) : joined;
  const unpacked = reshape(b, padded, [directions, cell.gates, hidden, quads, 4]);
  const weights = reshape(b, f.node('Transpose', [unpacked], { perm: [0, 3, 2, 1, 4] }), n.input(1).dims);

  const extra = () => {
    const total = (value: string) => reshape(b, f.node('ReduceSum', [value, b.constant(int64s([0]))]), n.input(2).dims);
    if (apart) return total(gate(2));
    const memory = slot(lstmSlots.memory);
    const next = f.add(f.mul(slot(lstmSlots.forget), memory), f.mul(slot(lstmSlots.input), slot(lstmSlots.fresh)));
    const each = [
      f.mul(gate(peepholes.input), memory),
      f.mul(gate(peepholes.output), next),
      f.mul(gate(peepholes.forget), memory),
    ];
    return total(f.node('Concat', each, { axis: 2 }));
  };
  const state = (i: number, value: string) => (n.has(i) ? reshape(b, value, n.input(i).dims) : undefined);
  return [
    input,
    weights,
    n.has(2) && (apart || cell.name === 'LSTM') ? extra() : undefined,
    undefined,
    state(4, h),
    state(5, c),
  ];
}
