// The backward pass of a recurrence through time in plain loops. From the last step to the first: the gradient of a step's
// output gives those of its gates' arguments, and these through the recurrent weights that of the output before.

import type { Activation } from './activations';
import type { Cell } from './cell';
import { type Sizes, sequenceLength } from './reference';

export interface RetreatData {
  /** [steps, batch, directions, slots, hidden]; see `Cell.slots`. */
  readonly trace: ArrayLike<number>;
  /** Recurrent weight of a direction: row gate * hidden + unit, column k. */
  readonly weight: (direction: number, row: number, k: number) => number;
  /** LSTM: peepholes [directions, 3 * hidden]. */
  readonly extra: ArrayLike<number> | undefined;
  /** [batch]; all steps where absent. */
  readonly lengths: ArrayLike<number> | undefined;
  /** Gradients of y [steps, directions, batch, hidden] and of the last h and c [directions, batch, hidden]. */
  readonly y: ArrayLike<number> | undefined;
  readonly h: ArrayLike<number> | undefined;
  readonly c: ArrayLike<number> | undefined;
}

/**
 * delta: gradients of the recurrent products, [steps, batch, directions, gates, hidden], zero behind a sequence's end;
 * h, c: of the initial state; input: of what the input gives the gates, which differs for GRU with linear_before_reset.
 */
export function runRetreat(cell: Cell, { steps, batch, hidden }: Sizes, data: RetreatData) {
  const directions = cell.backwards.length;
  const delta = new Float64Array(steps * batch * directions * cell.gates * hidden);
  const input = new Float64Array(delta.length);
  const h = Float64Array.from(data.h ?? new Float64Array(directions * batch * hidden));
  const c = Float64Array.from(data.c ?? new Float64Array(directions * batch * hidden));
  for (let d = 0; d < directions; d++) {
    for (let b = 0; b < batch; b++) {
      const state = (d * batch + b) * hidden;
      const length = sequenceLength(data.lengths, b, steps);
      for (let step = length - 1; step >= 0; step--) {
        const t = cell.backwards[d] ? length - 1 - step : step;
        const row = (t * batch + b) * directions + d;
        const from = row * cell.gates * hidden;
        const through = (gates: readonly number[], k: number) => {
          let sum = 0;
          for (const gate of gates) {
            for (let j = 0; j < hidden; j++) {
              sum += (delta[from + gate * hidden + j] as number) * data.weight(d, gate * hidden + j, k);
            }
          }
          return sum;
        };
        const put = (gate: number, k: number, [recurrent, own = recurrent]: readonly [number, number?]) => {
          delta[from + gate * hidden + k] = recurrent;
          input[from + gate * hidden + k] = own;
        };
        const carried: number[] = [];
        for (let k = 0; k < hidden; k++) {
          const up = (h[state + k] as number) + (data.y?.[((t * directions + d) * batch + b) * hidden + k] ?? 0);
          const found = retreat(cell, d, up, c[state + k] as number, {
            kept: (slot) => data.trace[(row * cell.slots + slot) * hidden + k] as number,
            peephole: (i) => data.extra?.[(d * 3 + i) * hidden + k] ?? 0,
          });
          for (const [g, gate] of found.gates.entries()) put(g, k, gate);
          carried.push(found.h);
          c[state + k] = found.c;
        }
        const kept = (slot: number, k: number) => data.trace[(row * cell.slots + slot) * hidden + k] as number;
        const all = Array.from({ length: cell.gates }, (_, g) => g);
        if (cell.resetFirst) {
          // What the product of the third gate reads is reset * h.
          for (let k = 0; k < hidden; k++) {
            const product = through([2], k);
            put(1, k, [product * kept(0, k) * slopesOf(cell, d)[0](kept(2, k))]);
            carried[k] = (carried[k] as number) + product * kept(2, k);
          }
        }
        const gates = cell.resetFirst ? [0, 1] : all;
        h.set(
          carried.map((value, k) => value + through(gates, k)),
          state,
        );
      }
    }
  }
  return { delta, h, c, input };
}

/** The activations' slopes f, g and h, none where the cell has no such activation. */
function slopesOf(cell: Cell, direction: number): readonly [Map1, Map1, Map1] {
  const of = (k: number) => cell.activations[direction]?.[k]?.slope?.host ?? (() => 0);
  return [of(0), of(1), of(2)];
}

interface UnitView {
  readonly kept: (slot: number) => number;
  readonly peephole: (i: number) => number;
}

interface Retreated {
  /** Of each gate, in order: what the recurrent product gets, and what the input gets where that differs. */
  readonly gates: readonly (readonly [number, number?])[];
  readonly h: number;
  readonly c: number;
}

/** Of one unit: gradients of its gates' arguments, and of the last output and memory so far as no product leads there. */
function retreat(cell: Cell, direction: number, up: number, memory: number, { kept, peephole }: UnitView): Retreated {
  const [f, g, h] = slopesOf(cell, direction);
  const [last, first, second, third] = [kept(0), kept(1), kept(2), kept(3)] as const;
  if (cell.name === 'RNN') return { gates: [[up * f(first)]], h: 0, c: 0 };
  if (cell.name === 'GRU') {
    const [update, reset, fresh] = [first, second, third];
    const own = up * (1 - update) * g(fresh);
    const linear = cell.resetFirst ? 0 : kept(4);
    const gates: Retreated['gates'] = [
      [up * (last - fresh) * f(update)],
      [own * linear * f(reset)],
      cell.resetFirst ? [own] : [own * reset, own],
    ];
    return { gates, h: up * update, c: 0 };
  }
  const [input, output, forget, fresh, before] = [first, second, third, kept(4), kept(5)];
  const squash = cell.activations[direction]?.[2] as Activation;
  const squashed = squash.host(forget * before + input * fresh);
  const ofOutput = up * squashed * f(output);
  const ofMemory = memory + up * output * h(squashed) + ofOutput * peephole(1);
  const ofForget = cell.coupled ? 0 : ofMemory * before * f(forget);
  const ofInput = ofMemory * (cell.coupled ? fresh - before : fresh) * f(input);
  return {
    gates: [[ofInput], [ofOutput], [ofForget], [ofMemory * input * g(fresh)]],
    h: 0,
    c: ofMemory * forget + ofInput * peephole(0) + ofForget * peephole(2),
  };
}

type Map1 = (y: number) => number;
