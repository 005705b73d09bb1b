// The cases of the recurrent operators. Kernels are exercised through lepton.Recurrence alone: every direction,
// optional input and attribute at least once, hidden sizes around the tiles. RNN, LSTM and GRU show the lowering.

import type { AttributeValue } from '../../ir/graph';
import type { CaseInput, OpCase } from '../../ir/opdef';
import type { CellName } from './cell';

export interface Form {
  readonly cell: CellName;
  readonly name: string;
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly attributes?: Record<string, AttributeValue>;
  /** Optional inputs, by their number in the operator's order. */
  readonly with?: readonly number[];
  readonly lengths?: readonly number[];
  readonly float16?: boolean;
  /** Asks for what the backward pass reads too. */
  readonly trace?: true;
  /** Weights are inputs, as in training. */
  readonly variable?: true;
  readonly differentiable?: false;
}

export const gates = { RNN: 1, LSTM: 4, GRU: 3 } as const;
const features = 7;

function sizesOf({ cell, batch, hidden, attributes, float16 }: Form) {
  const directions = attributes?.direction === 'bidirectional' ? 2 : 1;
  const batchFirst = attributes?.layout === 1;
  return {
    directions,
    batchFirst,
    rows: gates[cell] * hidden,
    state: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
    float: { dtype: float16 ? 'float16' : 'float32' } as const,
    // As large as in trained nets, so that a chain of steps neither dies out nor explodes.
    weight: 1 / Math.sqrt(hidden),
  };
}

const lengthsOf = ({ batch, steps, lengths }: Form): CaseInput => ({
  dtype: 'int32',
  dims: [batch],
  values: lengths ?? new Array<number>(batch).fill(steps),
});

/** A case of RNN, LSTM or GRU. */
function wholeCase(form: Form): OpCase {
  const { steps, batch, hidden, cell } = form;
  const { directions, batchFirst, rows, state, float, weight } = sizesOf(form);
  const constant = { ...float, constant: !form.variable };
  const inputs: CaseInput[] = [
    { ...float, dims: batchFirst ? [batch, steps, features] : [steps, batch, features] },
    { ...constant, dims: [directions, rows, features] },
    { ...constant, dims: [directions, rows, hidden], range: [-weight, weight] },
    { ...constant, dims: [directions, 2 * rows] },
    lengthsOf(form),
    { ...float, dims: state },
    { ...float, dims: state },
    { ...constant, dims: [directions, 3 * hidden] },
  ];
  return {
    name: form.name,
    inputs: inputs
      .slice(0, cell === 'LSTM' ? 8 : 6)
      .map((input, i) => (i < 3 || form.with?.includes(i) ? input : undefined)),
    attributes: { ...form.attributes, hidden_size: hidden },
    outputs: cell === 'LSTM' ? 3 : 2,
    tolerance: 1e-4,
    ...(form.differentiable === false && { differentiable: false }),
  };
}

/** The same recurrence behind its input product. */
function stepsCase(form: Form): OpCase {
  const { steps, batch, hidden, cell } = form;
  const { directions, rows, state, float } = sizesOf(form);
  const extra = cell === 'LSTM' ? 7 : 3;
  const optional: readonly (readonly [number, CaseInput])[] = [
    [extra, { ...float, dims: [directions, (cell === 'LSTM' ? 3 : 1) * hidden] }],
    [4, lengthsOf(form)],
    [5, { ...float, dims: state }],
    [6, { ...float, dims: state }],
  ];
  return {
    name: `${cell}, ${form.name}`,
    inputs: [
      { ...float, dims: [steps, batch, directions * rows] },
      {
        ...float,
        dims: [directions, Math.ceil(hidden / 4), hidden, gates[cell], 4],
        values: packedWeights(form),
        constant: !form.variable,
      },
      ...optional
        .slice(0, cell === 'LSTM' ? 4 : 3)
        .map(([number, input]) => (form.with?.includes(number) ? input : undefined)),
    ],
    attributes: { ...form.attributes, cell, hidden_size: hidden },
    outputs: form.trace ? 4 : cell === 'LSTM' ? 3 : 2,
    tolerance: form.float16 ? 1e-2 : 1e-4,
    ...(form.differentiable === false && { differentiable: false }),
  };
}

/** Any weights, zeros past the hidden size. */
function packedWeights(form: Form): number[] {
  const { directions, rows, weight } = sizesOf(form);
  const quads = Math.ceil(form.hidden / 4);
  return Array.from({ length: directions * quads * rows * 4 }, (_, i) => {
    const column = 4 * (Math.floor(i / (4 * rows)) % quads) + (i % 4);
    return column < form.hidden ? weight * (((i * 37) % 101) / 50 - 1) : 0;
  });
}

const cells = ['RNN', 'LSTM', 'GRU'] as const;
const linear = { linear_before_reset: 1 };
const activations = (names: string, alpha: number[], beta: number[]) => ({
  activations: names.split(' '),
  activation_alpha: alpha,
  activation_beta: beta,
});
const small = { steps: 3, batch: 2, hidden: 4 } as const;
const both = { direction: 'bidirectional' };

const steps: readonly Form[] = [
  ...cells.flatMap((cell): Form[] => [
    { cell, name: 'odd hidden size', steps: 3, batch: 1, hidden: 5 },
    {
      cell,
      name: 'both directions and initial state',
      steps: 4,
      batch: 5,
      hidden: 18,
      attributes: both,
      with: [5, 6],
      variable: true,
    },
    // A trace has no gradient of its own.
    {
      cell,
      name: 'trace',
      steps: 3,
      batch: 3,
      hidden: 7,
      attributes: both,
      with: [5, 6],
      trace: true,
      differentiable: false,
    },
    {
      cell,
      name: 'backwards over sequences of their own lengths',
      steps: 5,
      batch: 4,
      hidden: 33,
      attributes: { direction: 'reverse' },
      with: [4],
      lengths: [5, 1, 0, 4],
      variable: true,
    },
    { cell, name: 'more units than invocations', steps: 2, batch: 1, hidden: 260 },
    // What was clipped cannot be told from the trace.
    { cell, name: 'clipped', ...small, attributes: { clip: 0.3 }, differentiable: false },
    { cell, name: 'float16', ...small, hidden: 10, with: [5, 6], float16: true },
  ]),
  { cell: 'LSTM', ...small, name: 'peepholes', with: [5, 6, 7] },
  {
    cell: 'LSTM',
    ...small,
    name: 'all optional inputs',
    with: [4, 5, 6, 7],
    lengths: [3, 2],
    attributes: both,
    variable: true,
  },
  { cell: 'LSTM', ...small, name: 'coupled gates', attributes: { input_forget: 1 }, with: [7] },
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
  { cell: 'GRU', ...small, name: 'linear before reset', attributes: linear, with: [3], variable: true },
  { cell: 'GRU', ...small, name: 'linear before reset, trace', attributes: linear, trace: true, differentiable: false },
  {
    cell: 'GRU',
    name: 'linear before reset, both directions',
    steps: 3,
    batch: 2,
    hidden: 17,
    attributes: { ...both, ...linear },
    with: [3, 4, 5],
    lengths: [2, 3],
    variable: true,
  },
];

const whole = (cell: CellName): Form[] => [
  { cell, ...small, name: 'weights only' },
  { cell, ...small, hidden: 5, name: 'all optional inputs', attributes: both, with: [3, 4, 5, 6, 7], variable: true },
  { cell, ...small, name: 'batch first', attributes: { ...both, layout: 1 }, with: [3, 5, 6], variable: true },
];

export const recurrenceCases: OpCase[] = steps.map(stepsCase);

export const recurrentCases: Record<CellName, OpCase[]> = {
  RNN: whole('RNN').map(wholeCase),
  LSTM: whole('LSTM').map(wholeCase),
  GRU: [
    ...whole('GRU'),
    {
      cell: 'GRU',
      ...small,
      name: 'linear before reset',
      attributes: { ...both, ...linear },
      with: [3],
      variable: true,
    } as const,
  ].map(wholeCase),
};
