// What stands in front of the shaders of lepton.Recurrence: the cell's arithmetic and the accesses to tensors that a
// node may lack. A cell's step takes its gates in the lanes of a vec4f.
//
// Inputs of lepton.Recurrence: 0 projected, 1 weights, 2 extra, 3 lengths, 4 initial h, 5 initial c; outputs: 0 y,
// 1 last h, 2 last c, 3 trace. Bindings 0 to 3 are the shader's own.

import type { NodeView } from '../../ir/node-view';
import { literal } from '../wgsl/elements';
import { type Accesses, accessesOf, type Read, type Write } from './access';
import type { Cell } from './cell';

const lane = ['x', 'y', 'z', 'w'] as const;

/** Gates whose recurrent products each turn computes: GRU with the reset applied first needs two turns. */
export function gatesOfTurns(cell: Cell): readonly (readonly number[])[] {
  return cell.resetFirst ? [[0, 1], [2]] : [Array.from({ length: cell.gates }, (_, g) => g)];
}

export function turnsOf(cell: Cell): number {
  return gatesOfTurns(cell).length;
}

/** `UnitRows`, `rows_of`, `products_of`, `inputs_of`, `advance`; the shader has `weights`, `projected`, `hidden`. */
export function cellText(cell: Cell): string {
  const byTurn = (value: (gates: readonly number[]) => string) => {
    const [first, second] = gatesOfTurns(cell).map((gates) => `return ${value(gates)};`);
    return second ? `if (turn == 0u) { ${first} }\n  ${second}` : first;
  };
  const lanes = (gates: readonly number[], value: (gate: number) => string, absent: string) =>
    lane.map((_, g) => (gates.includes(g) ? value(g) : absent)).join(', ');
  const all = Array.from({ length: cell.gates }, (_, g) => g);
  const one = cell.gates === 1;
  // A unit's rows are one load where all are wanted: a software adapter checks the bounds of each.
  const whole = `let all = weights[at]; return Rows(${lanes(all, (g) => `vec4f(all${one ? '' : `[${g}]`})`, 'vec4f()')});`;
  const some = byTurn((gates) => `Rows(${lanes(gates, (g) => `vec4f(weights[at][${g}])`, 'vec4f()')})`);
  return `const gates = ${cell.gates}u;
const slots = ${cell.slots}u;
alias UnitRows = ${one ? 'elem4' : `mat${cell.gates}x4<elem>`};
struct Rows { x: vec4f, y: vec4f, z: vec4f, w: vec4f }
fn rows_of(at: u32, turn: u32) -> Rows {
  ${cell.resetFirst ? some : whole}
}
fn products_of(rows: Rows, v: vec4f, turn: u32) -> vec4f {
  ${byTurn((gates) => `vec4f(${lanes(gates, (g) => `dot(rows.${lane[g]}, v)`, '0.0')})`)}
}
fn inputs_of(at: u32) -> vec4f {
  return vec4f(${lanes(all, (g) => `f32(projected[at + ${g}u * hidden])`, '0.0')});
}
${activationText(cell)}
${advanceText(cell)}
`;
}

/** Functions act_0, act_1, act_2: f, g and h of direction d. What the gates, f and g, are applied to is clipped. */
function activationText(cell: Cell): string {
  const [forward, backward] = cell.activations;
  const clipped = Number.isFinite(cell.clip)
    ? `let x = clamp(value, ${literal('float32', -cell.clip)}, ${literal('float32', cell.clip)});`
    : 'let x = value;';
  return (forward ?? [])
    .map(({ wgsl }, k) => {
      const other = backward?.[k]?.wgsl ?? wgsl;
      const branch = other === wgsl ? '' : `if (d == 1u) { return ${other}; }`;
      const argument = k < 2 ? clipped : 'let x = value;';
      return `fn act_${k}(value: f32, d: u32) -> f32 { ${argument} ${branch} return ${wgsl}; }`;
    })
    .join('\n');
}

/**
 * `advance(turn, d, row, unit, x, r, old)`: from (last output, memory) the next; `x`, `r` what input and output give.
 * Row is that of the trace, where it keeps what `Cell.slots` says.
 */
function advanceText(cell: Cell): string {
  const keep = (values: readonly (readonly [slot: number, value: string])[]) =>
    values.map(([slot, value]) => `store_trace(at + ${slot}u * hidden, ${value});`).join(' ');
  const body = {
    RNN: `let next = act_0(x.x + r.x, d);
  ${keep([
    [0, 'old.x'],
    [1, 'next'],
  ])}
  return vec2f(next, 0.0);`,
    LSTM: `let peep = d * 3u * hidden + unit;
  let input = act_0(x.x + r.x + extra_of(peep) * old.y, d);
  let forget = ${cell.coupled ? '1.0 - input' : 'act_0(x.z + r.z + extra_of(peep + 2u * hidden) * old.y, d)'};
  let fresh = act_1(x.w + r.w, d);
  let cell = forget * old.y + input * fresh;
  let output = act_0(x.y + r.y + extra_of(peep + hidden) * cell, d);
  ${keep(['old.x', 'input', 'output', 'forget', 'fresh', 'old.y'].map((value, slot) => [slot, value]))}
  return vec2f(output * act_2(cell, d), cell);`,
    // Turn 0 leaves reset * h for the products of turn 1, and until then the update gate in memory.
    GRU: cell.resetFirst
      ? `if (turn == 0u) {
    let update = act_0(x.x + r.x, d);
    let reset = act_0(x.y + r.y, d);
    ${keep(['old.x', 'update', 'reset'].map((value, slot) => [slot, value]))}
    return vec2f(reset * old.x, update);
  }
  let fresh = act_1(x.z + r.z, d);
  ${keep([[3, 'fresh']])}
  return vec2f(mix(fresh, old.x, old.y), 0.0);`
      : `let update = act_0(x.x + r.x, d);
  let reset = act_0(x.y + r.y, d);
  let linear = r.z + extra_of(d * hidden + unit);
  let fresh = act_1(x.z + reset * linear, d);
  ${keep(['old.x', 'update', 'reset', 'fresh', 'linear'].map((value, slot) => [slot, value]))}
  return vec2f(mix(fresh, old.x, update), 0.0);`,
  }[cell.name];
  return `fn advance(turn: u32, d: u32, row: u32, unit: u32, x: vec4f, r: vec4f, old: vec2f) -> vec2f {
  let at = row * slots * hidden + unit;
  ${body}
}`;
}

const reads = [
  { variable: 'extra', operand: { input: 2 }, function: 'extra_of' },
  { variable: 'initial_hidden', operand: { input: 4 }, function: 'initial_h' },
  { variable: 'initial_memory', operand: { input: 5 }, function: 'initial_c' },
] as const satisfies readonly Read[];

const writes = [
  { variable: 'y', operand: { output: 0 }, function: 'store_y' },
  { variable: 'last_hidden', operand: { output: 1 }, function: 'store_h' },
  { variable: 'last_memory', operand: { output: 2 }, function: 'store_c' },
  { variable: 'trace', operand: { output: 3 }, function: 'store_trace' },
] as const satisfies readonly Write[];

export type AccessName = 'lengths' | (typeof reads)[number]['function'] | (typeof writes)[number]['function'];

/** What a dispatch that runs all steps reads and writes. */
export const wholeNames: readonly AccessName[] = [
  'extra_of',
  'initial_h',
  'initial_c',
  'store_y',
  'store_h',
  'store_c',
  'store_trace',
  'lengths',
];

/** Declares the tensors behind the named functions, as far as the node has them. */
export function accesses(n: NodeView, names: readonly AccessName[]): Accesses {
  return accessesOf(n, { reads, writes }, names);
}

/**
 * The vectors that the workgroups of `sequences` work on, one each: `vectors_of` says where a workgroup's begins,
 * `settle` lets all its invocations see what was set. They lie in storage at binding 3, or in workgroup memory.
 */
export function vectorsText(inStorage: boolean, slots: number, sequences: number): string {
  const [declared, start, barrier] = inStorage
    ? [
        // Of a fixed size, which is cheaper to check an index against.
        `@group(0) @binding(3) var<storage, read_write> vectors: array<f32, ${slots * sequences}>;`,
        `(group.y * params.batch + group.x) * ${slots}u`,
        'storageBarrier',
      ]
    : [`var<workgroup> vectors: array<f32, ${slots}>;`, '0u', 'workgroupBarrier'];
  return `${declared}
fn vectors_of(group: vec3u) -> u32 { return ${start}; }
fn vector(i: u32) -> f32 { return vectors[i]; }
fn set_vector(i: u32, v: f32) { vectors[i] = v; }
fn settle() { ${barrier}(); }`;
}
