// What stands in front of the shaders of lepton.RecurrenceGradient: the cell's step back, and the accesses to tensors
// that a node may lack.
//
// Inputs: 0 trace (`Cell.slots`), 1 weights by rows, 2 peepholes, 3 lengths; of y, the last h and the last c the gradients
// 4, 5 and 6. Outputs, all of them gradients: 0 of the recurrent products, 1 of the initial h, 2 of the initial c, 3 of what
// the input gives the gates, which is output 0 for all cells but GRU with linear_before_reset.

import type { NodeView } from '../../ir/node-view';
import { type Accesses, accessesOf, type Read, type Write } from './access';
import type { Cell } from './cell';
import { gatesOfTurns } from './text';

const reads = [
  { variable: 'extra', operand: { input: 2 }, function: 'extra_of' },
  { variable: 'of_y', operand: { input: 4 }, function: 'gradient_y' },
  { variable: 'of_hidden', operand: { input: 5 }, function: 'initial_h' },
  { variable: 'of_memory', operand: { input: 6 }, function: 'initial_c' },
] as const satisfies readonly Read[];

const writes = [
  { variable: 'to_hidden', operand: { output: 1 }, function: 'store_h' },
  { variable: 'to_memory', operand: { output: 2 }, function: 'store_c' },
  { variable: 'to_input', operand: { output: 3 }, function: 'store_input' },
] as const satisfies readonly Write[];

export type RetreatAccess = 'lengths' | (typeof reads)[number]['function'] | (typeof writes)[number]['function'];

/** What a dispatch that runs all steps reads and writes. */
export const wholeRetreat: readonly RetreatAccess[] = [
  'extra_of',
  'gradient_y',
  'initial_h',
  'initial_c',
  'store_h',
  'store_c',
  'store_input',
  'lengths',
];

/** @param first binding behind the shader's own */
export function retreatAccesses(n: NodeView, names: readonly RetreatAccess[], first = 4): Accesses {
  return accessesOf(n, { reads, writes }, names, first);
}

/**
 * `retreat(turn, at, up, memory)`: from the gradients of a step's output and memory those of its gates' arguments, which go
 * through `put`, and of the memory and the output before, the latter as far as no product leads there. GRU with the reset
 * first has two turns, the second with what the product of the third gate's gradients gives. `rest(turn, at)` puts zeros.
 * The shader has `trace`, `hidden` and `put(at, gate, recurrent, own)`.
 */
export function retreatText(cell: Cell): string {
  const zeros = (gates: readonly number[]) => gates.map((g) => `put(at, ${g}u, 0.0, 0.0);`).join(' ');
  const all = Array.from({ length: cell.gates }, (_, g) => g);
  const [first, last] = cell.resetFirst ? [[0, 2], [1]] : [all, []];
  const turns = gatesOfTurns(cell).map((gates) => `vec2u(${gates[0]}u, ${(gates.at(-1) as number) + 1}u)`);
  return `const gates = ${cell.gates}u;
const slots = ${cell.slots}u;
struct Place { trace: u32, row: u32, vector: u32, d: u32, unit: u32 }
fn kept(at: Place, slot: u32) -> f32 { return f32(trace[at.trace + slot * hidden]); }
${slopeText(cell)}
// From which gate to which the products of a turn read.
fn gates_of(turn: u32) -> vec2u { return ${turns.length > 1 ? `select(${turns[1]}, ${turns[0]}, turn == 0u)` : turns[0]}; }
fn rest(turn: u32, at: Place) { if (turn == 0u) { ${zeros(first)} } else { ${zeros(last)} } }
fn retreat(turn: u32, at: Place, up: f32, old: vec2f) -> vec2f {
  ${stepText(cell)}
}
`;
}

/** Functions slope_0, slope_1, slope_2 of the values of f, g and h in direction d, and for LSTM h itself. */
function slopeText(cell: Cell): string {
  const [forward = [], backward] = cell.activations;
  const choose = (name: string, argument: string, here: string, there: string | undefined) => {
    const branch = there === undefined || there === here ? '' : `if (d == 1u) { return ${there}; } `;
    return `fn ${name}(${argument}: f32, d: u32) -> f32 { ${branch}return ${here}; }`;
  };
  const slopes = forward.map(({ slope }, k) =>
    choose(`slope_${k}`, 'y', slope?.wgsl ?? '0.0', backward?.[k]?.slope?.wgsl),
  );
  const squash = forward[2] ? [choose('squash', 'x', forward[2].wgsl, backward?.[2]?.wgsl)] : [];
  return [...slopes, ...squash].join('\n');
}

function stepText(cell: Cell): string {
  const d = 'at.d';
  const put = (gate: number, value: string, own = value) => `put(at, ${gate}u, ${value}, ${own});`;
  if (cell.name === 'RNN') return `${put(0, `up * slope_0(kept(at, 1u), ${d})`)} return vec2f();`;
  if (cell.name === 'LSTM') {
    const forget = cell.coupled ? '0.0' : `ofMemory * before * slope_0(forget, ${d})`;
    return `let peep = at.d * 3u * hidden + at.unit;
  let input = kept(at, 1u); let output = kept(at, 2u); let forget = kept(at, 3u);
  let fresh = kept(at, 4u); let before = kept(at, 5u);
  let squashed = squash(forget * before + input * fresh, ${d});
  let ofOutput = up * squashed * slope_0(output, ${d});
  let ofMemory = old.y + up * output * slope_2(squashed, ${d}) + ofOutput * extra_of(peep + hidden);
  let ofForget = ${forget};
  let ofInput = ofMemory * ${cell.coupled ? '(fresh - before)' : 'fresh'} * slope_0(input, ${d});
  ${put(0, 'ofInput')} ${put(1, 'ofOutput')} ${put(2, 'ofForget')}
  ${put(3, `ofMemory * input * slope_1(fresh, ${d})`)}
  return vec2f(0.0, ofMemory * forget + ofInput * extra_of(peep) + ofForget * extra_of(peep + 2u * hidden));`;
  }
  const start = `let before = kept(at, 0u); let update = kept(at, 1u); let fresh = kept(at, 3u);
  let own = up * (1.0 - update) * slope_1(fresh, ${d});
  ${put(0, `up * (before - fresh) * slope_0(update, ${d})`)}`;
  if (cell.resetFirst) {
    return `let reset = kept(at, 2u);
  if (turn == 1u) {
    ${put(1, `up * kept(at, 0u) * slope_0(reset, ${d})`)}
    return vec2f(old.x + up * reset, 0.0);
  }
  ${start} ${put(2, 'own')}
  return vec2f(up * update, 0.0);`;
  }
  return `${start} let reset = kept(at, 2u);
  ${put(1, `own * kept(at, 4u) * slope_0(reset, ${d})`)} ${put(2, 'own * reset', 'own')}
  return vec2f(up * update, 0.0);`;
}

/**
 * `multiply(turn, d, column, part, operands)`: the sums over a part of the rows of `gates_of(turn)`, for the four columns
 * from 4 * column on, times what `rows_at(operands, i, gate, quad)` gives of the tile's sequence i.
 * @param split whether there are parts; without, all invocations walk the rows alike
 */
export function multiplyText(tile: number, split: boolean): string {
  const each = (line: (i: number) => string, between = '\n      ') =>
    Array.from({ length: tile }, (_, i) => line(i)).join(between);
  return `const batch_tile = ${tile}u;
alias Sums = array<vec4f, ${tile}>;
fn multiply(turn: u32, d: u32, column: u32, part: u32, operands: Operands) -> Sums {
  let range = gates_of(turn);
  ${each((i) => `var s${i} = vec4f();`, ' ')}
  for (var gate = range.x; gate < range.y; gate++) {
    let row = (d * gates + gate) * hidden;
    for (var q = ${split ? 'part; q < quads; q += parts' : '0u; q < quads; q++'}) {
      let w0 = vec4f(weights[(row + 4u * q) * quads + column]);
      let w1 = vec4f(weights[(row + min(4u * q + 1u, hidden - 1u)) * quads + column]);
      let w2 = vec4f(weights[(row + min(4u * q + 2u, hidden - 1u)) * quads + column]);
      let w3 = vec4f(weights[(row + min(4u * q + 3u, hidden - 1u)) * quads + column]);
      ${each((i) => `let v${i} = rows_at(operands, ${i}u, gate, q);`)}
      ${each((i) => `s${i} += w0 * v${i}.x + w1 * v${i}.y + w2 * v${i}.z + w3 * v${i}.w;`)}
    }
  }
  return Sums(${each((i) => `s${i}`, ', ')});
}
`;
}
