// The cases of lepton.RecurrenceGradient: every cell, direction and optional input at least once, hidden sizes around the
// tiles. The traces are any values.

import type { CaseInput, OpCase } from '../../ir/opdef';
import { type Form, gates } from './cases';

function gradientCase({ cell, steps, batch, hidden, attributes = {}, lengths, float16, ...form }: Form): OpCase {
  const directions = attributes.direction === 'bidirectional' ? 2 : 1;
  const linear = cell === 'GRU' && attributes.linear_before_reset === 1;
  const slots = 1 + gates[cell] + Number(cell === 'LSTM' || linear);
  const float = { dtype: float16 ? 'float16' : 'float32' } as const;
  const state: CaseInput = { ...float, dims: [directions, batch, hidden] };
  const columns = 4 * Math.ceil(hidden / 4);
  const rows = directions * gates[cell] * hidden;
  const weight = 1 / Math.sqrt(hidden);
  const inputs: CaseInput[] = [
    { ...float, dims: [steps, batch, directions * slots * hidden], range: [-0.9, 0.9] },
    {
      ...float,
      dims: [directions, gates[cell] * hidden, columns],
      // Zeros past the hidden size.
      values: Array.from({ length: rows * columns }, (_, i) =>
        i % columns < hidden ? weight * (((i * 37) % 101) / 50 - 1) : 0,
      ),
    },
    { ...float, dims: [directions, 3 * hidden] },
    { dtype: 'int32', dims: [batch], values: lengths ?? new Array<number>(batch).fill(steps) },
    { ...float, dims: [steps, directions, batch, hidden] },
    state,
    state,
  ];
  return {
    name: `${cell}, ${form.name}`,
    inputs: inputs.map((input, i) => (i < 2 || (form.with ?? [4]).includes(i) ? input : undefined)),
    attributes: { ...attributes, cell, hidden_size: hidden },
    outputs: linear ? 4 : cell === 'LSTM' ? 3 : 2,
    tolerance: float16 ? 1e-2 : 1e-4,
    // A loss has one derivative here, not two.
    differentiable: false,
  };
}

const cells = ['RNN', 'LSTM', 'GRU'] as const;
const linear = { linear_before_reset: 1 };
const both = { direction: 'bidirectional' };
const small = { steps: 3, batch: 2, hidden: 4 } as const;
const activations = (names: string, alpha: number[], beta: number[]) => ({
  activations: names.split(' '),
  activation_alpha: alpha,
  activation_beta: beta,
});

const forms: readonly Form[] = [
  ...cells.flatMap((cell): Form[] => [
    { cell, name: 'odd hidden size', steps: 3, batch: 1, hidden: 5 },
    {
      cell,
      name: 'both directions and final state',
      steps: 4,
      batch: 5,
      hidden: 18,
      attributes: both,
      with: [4, 5, 6],
    },
    {
      cell,
      name: 'backwards over sequences of their own lengths',
      steps: 5,
      batch: 4,
      hidden: 33,
      attributes: { direction: 'reverse' },
      with: [3, 4, 5],
      lengths: [5, 1, 0, 4],
    },
    { cell, name: 'float16', ...small, hidden: 10, with: [4, 5, 6], float16: true },
  ]),
  { cell: 'RNN', name: 'the final state alone', steps: 2, batch: 9, hidden: 131, with: [5] },
  { cell: 'GRU', name: 'many units', steps: 2, batch: 1, hidden: 130 },
  { cell: 'LSTM', ...small, name: 'all optional inputs', attributes: both, with: [2, 3, 4, 5, 6], lengths: [3, 2] },
  { cell: 'LSTM', ...small, name: 'coupled gates', attributes: { input_forget: 1 }, with: [2, 4] },
  {
    cell: 'LSTM',
    ...small,
    name: 'activations of each direction',
    attributes: { ...both, ...activations('HardSigmoid Tanh ScaledTanh Sigmoid Elu Affine', [0.3, 0.7, 0.9], [0.4]) },
  },
  {
    cell: 'LSTM',
    ...small,
    name: 'further activations',
    attributes: { ...both, ...activations('Relu LeakyRelu Softsign ThresholdedRelu Softplus tanh', [0.1, 0.2], []) },
  },
  { cell: 'GRU', name: 'linear before reset', steps: 4, batch: 3, hidden: 21, attributes: linear },
  {
    cell: 'GRU',
    name: 'linear before reset, both directions',
    steps: 3,
    batch: 2,
    hidden: 17,
    attributes: { ...both, ...linear },
    with: [3, 4, 5],
    lengths: [2, 3],
  },
];

export const gradientCases: OpCase[] = forms.map(gradientCase);
