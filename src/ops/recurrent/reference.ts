// The recurrence of RNN, LSTM and GRU in plain loops: what the input contributes to every gate of every step is
// given, the steps are walked here.

import type { Cell } from './cell';

export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
}

export interface RecurrenceData {
  /** [steps, batch, directions, gates, hidden]: input times weights, biases added. */
  readonly projected: ArrayLike<number>;
  /** Recurrent weight of a direction: row gate * hidden + unit, column k. */
  readonly weight: (direction: number, row: number, k: number) => number;
  /** LSTM: peepholes [directions, 3 * hidden]. GRU with linear_before_reset: recurrent bias [directions, hidden]. */
  readonly extra: ArrayLike<number> | undefined;
  /** [batch]: steps of each sequence; all where absent. */
  readonly lengths: ArrayLike<number> | undefined;
  /** [directions, batch, hidden]; zero where absent. */
  readonly hidden: ArrayLike<number> | undefined;
  readonly memory: ArrayLike<number> | undefined;
}

/** Steps of each sequence, kept within the steps there are. */
export function sequenceLength(lengths: ArrayLike<number> | undefined, batch: number, steps: number): number {
  return Math.min(Math.max(lengths?.[batch] ?? steps, 0), steps);
}

/**
 * y [steps, directions, batch, hidden], zero behind a sequence's end; the last h and c [directions, batch, hidden]; and
 * trace [steps, batch, directions, slots, hidden], of no meaning behind a sequence's end (`Cell.slots`).
 */
export function runRecurrence(cell: Cell, sizes: Sizes, data: RecurrenceData) {
  const { steps, batch, hidden } = sizes;
  const directions = cell.backwards.length;
  const y = new Float64Array(steps * directions * batch * hidden);
  const h = Float64Array.from(data.hidden ?? new Float64Array(directions * batch * hidden));
  const c = Float64Array.from(data.memory ?? new Float64Array(directions * batch * hidden));
  const trace = new Float64Array(steps * batch * directions * cell.slots * hidden);
  const units = Array.from({ length: hidden }, (_, j) => j);
  for (let d = 0; d < directions; d++) {
    for (let b = 0; b < batch; b++) {
      const state = (d * batch + b) * hidden;
      const length = sequenceLength(data.lengths, b, steps);
      for (let step = 0; step < length; step++) {
        const t = cell.backwards[d] ? length - 1 - step : step;
        const from = ((t * batch + b) * directions + d) * cell.gates * hidden;
        const x = (gate: number, j: number) => data.projected[from + gate * hidden + j] as number;
        const product = (gate: number, j: number, v: (k: number) => number) =>
          units.reduce((sum, k) => sum + data.weight(d, gate * hidden + j, k) * v(k), 0);
        const next = stepOf(cell, d, {
          units,
          x,
          product,
          h: (k) => h[state + k] as number,
          c: (k) => c[state + k] as number,
          extra: (k) => data.extra?.[d * (cell.name === 'LSTM' ? 3 : 1) * hidden + k] ?? 0,
        });
        const kept = [h.slice(state, state + hidden), ...next.gates, next.further ?? c.slice(state, state + hidden)];
        kept.slice(0, cell.slots).forEach((values, slot) => {
          trace.set(values, (((t * batch + b) * directions + d) * cell.slots + slot) * hidden);
        });
        h.set(next.h, state);
        c.set(next.c, state);
        y.set(next.h, ((t * directions + d) * batch + b) * hidden);
      }
    }
  }
  return { y, h, c, trace };
}

interface StepView {
  readonly units: readonly number[];
  readonly x: (gate: number, unit: number) => number;
  readonly product: (gate: number, unit: number, v: (k: number) => number) => number;
  readonly h: (k: number) => number;
  readonly c: (k: number) => number;
  readonly extra: (k: number) => number;
}

interface Stepped {
  readonly h: readonly number[];
  readonly c: readonly number[];
  readonly gates: readonly (readonly number[])[];
  /** What the reset gate is applied to. */
  readonly further?: readonly number[];
}

function stepOf(cell: Cell, direction: number, v: StepView): Stepped {
  const [plainF, plainG, h] = (cell.activations[direction] ?? []).map((a) => a.host) as [Map1, Map1, Map1];
  const clipped = (map: Map1) => (x: number) => map(Math.min(Math.max(x, -cell.clip), cell.clip));
  const [f, g] = [clipped(plainF), clipped(plainG)];
  const { units, x, extra } = v;
  const r = (gate: number, j: number) => v.product(gate, j, v.h);
  if (cell.name === 'RNN') {
    const next = units.map((j) => f(x(0, j) + r(0, j)));
    return { h: next, c: units.map(() => 0), gates: [next] };
  }
  if (cell.name === 'LSTM') {
    const hidden = units.length;
    const input = units.map((j) => f(x(0, j) + r(0, j) + extra(j) * v.c(j)));
    const forget = units.map((j) =>
      cell.coupled ? 1 - (input[j] as number) : f(x(2, j) + r(2, j) + extra(2 * hidden + j) * v.c(j)),
    );
    const fresh = units.map((j) => g(x(3, j) + r(3, j)));
    const c = units.map((j) => (forget[j] as number) * v.c(j) + (input[j] as number) * (fresh[j] as number));
    const output = units.map((j) => f(x(1, j) + r(1, j) + extra(hidden + j) * (c[j] as number)));
    const next = units.map((j) => (output[j] as number) * h(c[j] as number));
    return { h: next, c, gates: [input, output, forget, fresh] };
  }
  const update = units.map((j) => f(x(0, j) + r(0, j)));
  const reset = units.map((j) => f(x(1, j) + r(1, j)));
  const linear = cell.resetFirst ? [] : units.map((j) => r(2, j) + extra(j));
  const fresh = units.map((j) => {
    const recurrent = cell.resetFirst
      ? v.product(2, j, (k) => (reset[k] as number) * v.h(k))
      : (reset[j] as number) * (linear[j] as number);
    return g(x(2, j) + recurrent);
  });
  return {
    h: units.map((j) => (1 - (update[j] as number)) * (fresh[j] as number) + (update[j] as number) * v.h(j)),
    c: units.map(() => 0),
    gates: [update, reset, fresh],
    further: linear,
  };
}

type Map1 = (x: number) => number;
