// The cells of RNN, LSTM and GRU: how many gates, which activations, and how attributes are read. A cell sees,
// for one unit of one time step, what the input gives each gate (x), what the last output gives it (r), and the
// unit's own memory.
//
// Order of the gates, as in ONNX: RNN one; LSTM input, output, forget, cell; GRU update, reset, hidden.

import { float, floats, int, string, strings } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { type Activation, bindActivations } from './activations';

export const cellNames = ['RNN', 'LSTM', 'GRU'] as const;
export type CellName = (typeof cellNames)[number];

/** Attributes that decide what a step computes. */
export const cellAttributes = {
  activation_alpha: floats([]),
  activation_beta: floats([]),
  activations: strings(),
  clip: float(),
  direction: string('forward'),
  input_forget: int(0),
  linear_before_reset: int(0),
};

export interface CellAttributes {
  readonly activation_alpha: readonly number[];
  readonly activation_beta: readonly number[];
  readonly activations: readonly string[] | undefined;
  readonly clip: number | undefined;
  readonly direction: string;
  readonly input_forget: number;
  readonly linear_before_reset: number;
}

const forms = {
  RNN: { gates: 1, activations: ['Tanh'] },
  LSTM: { gates: 4, activations: ['Sigmoid', 'Tanh', 'Tanh'] },
  GRU: { gates: 3, activations: ['Sigmoid', 'Tanh'] },
} as const;

export interface Cell {
  readonly name: CellName;
  readonly gates: number;
  /** For each direction the activations f, g, h. */
  readonly activations: readonly (readonly Activation[])[];
  /** Whether each direction runs from the end of the sequence. */
  readonly backwards: readonly boolean[];
  /** The arguments of the gates' activations stay within ± this. */
  readonly clip: number;
  /** LSTM: the forget gate is 1 - the input gate. */
  readonly coupled: boolean;
  /** GRU: the reset gate is applied before the recurrent product, which then needs a pass of its own. */
  readonly resetFirst: boolean;
  /**
   * What a step keeps of each unit for the backward pass, in its trace: slot 0 the last output, then the value of each
   * gate, then for LSTM the last memory, for GRU with linear_before_reset what the reset gate is applied to.
   */
  readonly slots: number;
}

const directions: Readonly<Record<string, readonly boolean[]>> = {
  forward: [false],
  reverse: [true],
  bidirectional: [false, true],
};

/** Throws INVALID_MODEL on a direction or activation that ONNX does not have. */
export function cellOf(n: NodeView<CellAttributes>, name: CellName): Cell {
  const { attributes: a } = n;
  const { gates, activations } = forms[name];
  const backwards =
    directions[a.direction] ?? n.fail(`has the direction "${a.direction}"; expected forward, reverse or bidirectional`);
  const given = a.activations ?? [];
  const names = given.length > 0 ? given : backwards.flatMap(() => activations);
  const count = activations.length;
  if (names.length !== count * backwards.length)
    n.fail(`names ${names.length} activations; expected ${count} for each of ${backwards.length} directions`);
  const bound = bindActivations(names, a.activation_alpha, a.activation_beta);
  if (typeof bound === 'string') n.fail(`names the activation "${bound}", which ONNX does not have`);
  const resetFirst = name === 'GRU' && a.linear_before_reset === 0;
  return {
    name,
    gates,
    activations: backwards.map((_, d) => bound.slice(d * count, (d + 1) * count)),
    backwards,
    clip: a.clip ?? Number.POSITIVE_INFINITY,
    coupled: name === 'LSTM' && a.input_forget !== 0,
    resetFirst,
    slots: 1 + gates + Number(name === 'LSTM' || (name === 'GRU' && !resetFirst)),
  };
}
