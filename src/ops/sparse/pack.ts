// The non-zeros of a dense constant, packed at load: rows sorted by length, in slices of `slice` rows that are as long as
// their longest, four entries at a time (SELL: https://arxiv.org/abs/1307.6209). With one row a slice that is CSR whose rows
// are padded to four. shaders/sparse-pack.wgsl says how they lie.

import packText from '../../../shaders/sparse-pack.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import type { Pattern } from '../../ir/pattern';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';

export interface Packing {
  /** The constant's number among the node's inputs. */
  readonly input: number;
  readonly pattern: Pattern;
  /** What becomes a row: a row of the matrix that the pattern describes, or a column of it. */
  readonly along: Along;
  /** Rows of a slice. */
  readonly slice: number;
  /** What is kept in place of a column, where that is not its number. */
  readonly index?: PackedIndex;
}

export type Along = 'rows' | 'columns';

export interface PackedIndex {
  /** WGSL: `fn packedIndex(column: u32) -> u32`. */
  readonly text: string;
  readonly most: number;
}

/** Where slices and rows lie, known from the pattern. */
export interface Slices {
  readonly rows: number;
  /** Of a dense row. */
  readonly length: number;
  readonly slices: number;
  /** Of four entries, padding included. */
  readonly quads: number;
  /** [slices + 1] where a slice begins, in quads, then the row at each position: `rows` past the last. */
  readonly table: Uint32Array<ArrayBuffer>;
}

export interface Packed extends Slices {
  readonly dispatch: Dispatch;
  /** array<elem4>, one a quad. */
  readonly values: Operand;
  /** array<vec2u> of 16-bit columns, or array<vec4u> where `wide`. */
  readonly columns: Operand;
  readonly tableOperand: Operand;
  readonly wide: boolean;
}

/** Columns that 16 bits can number. */
export const narrow = 65_536;

const known = new WeakMap<Pattern, Map<string, Slices>>();

/** Rows in order of their length, the longest first, so that those of one slice are alike. */
export function slicesOf(pattern: Pattern, along: Along, slice: number): Slices {
  const key = `${along} ${slice}`;
  const ofPattern = known.get(pattern) ?? new Map<string, Slices>();
  known.set(pattern, ofPattern);
  let made = ofPattern.get(key);
  if (!made) {
    made = makeSlices(pattern, along, slice);
    ofPattern.set(key, made);
  }
  return made;
}

function makeSlices(pattern: Pattern, along: Along, slice: number): Slices {
  const lengths = along === 'rows' ? pattern.perRow : pattern.perColumn;
  const rows = lengths.length;
  const slices = ceilDiv(rows, slice);
  const table = new Uint32Array(slices + 1 + slices * slice).fill(rows);
  const order = table.subarray(slices + 1);
  order.set(Uint32Array.from(lengths.keys()).sort((a, b) => quadsAt(b) - quadsAt(a) || a - b));
  let quads = 0;
  for (let s = 0; s < slices; s++) {
    table[s] = quads;
    quads += slice * quadsAt(order[s * slice] as number);
  }
  table[slices] = quads;
  const length = along === 'rows' ? pattern.columns : pattern.rows;
  return { rows, length, slices, quads, table };

  function quadsAt(row: number): number {
    return ceilDiv(lengths[row] as number, 4);
  }
}

export function packSlices(n: NodeView, { input, pattern, along, slice, index }: Packing): Packed {
  const slices = slicesOf(pattern, along, slice);
  const { dtype } = n.input(input);
  const wide = (index?.most ?? slices.length) > narrow;
  const bytes = (perEntry: number) => Math.max(16, 4 * perEntry * slices.quads);
  const name = `sparse ${slice} ${along}`;
  const values: Operand = { scratch: `${name} values`, bytes: bytes(byteSize(deviceType(dtype))) };
  const columns: Operand = { scratch: `${name} columns`, bytes: bytes(wide ? 4 : 2) };
  const tableOperand: Operand = { table: `${name} table`, data: slices.table };
  const [rowStep, columnStep] = along === 'rows' ? [pattern.columns, 1] : [1, pattern.columns];
  const lanes = 64;
  const dispatch: Dispatch = {
    label: `${n.node.op.replace('lepton.', '')}.packSlices`,
    wgsl: [elemAliases(dtype), linearHelpers, index?.text ?? sameIndex, packText].join('\n'),
    constants: { SLICE: slice, WIDE: Number(wide), LANES: lanes },
    bindings: { source: { input }, table: tableOperand, values, columns },
    uniforms: { rows: slices.rows, length: slices.length, slices: slices.slices, rowStep, columnStep },
    workgroups: oneEach(slices.slices * slice, lanes),
    once: true,
  };
  return { ...slices, dispatch, values, columns, tableOperand, wide };
}

const sameIndex = 'fn packedIndex(column: u32) -> u32 { return column; }\n';

/** WGSL of the binding 2. */
export const tableText = '@group(0) @binding(2) var<storage, read> table: array<u32>;\n';

/** WGSL of the bindings 0 to 2, read by quads of entries: `values`, and `columnsAt(quad)` what stands for their columns. */
export function entryQuadsText({ wide }: Packed): string {
  return `@group(0) @binding(0) var<storage, read> values: array<elem4>;
@group(0) @binding(1) var<storage, read> columns: array<${wide ? 'vec4u' : 'vec2u'}>;
${tableText}fn columnsAt(quad: u32) -> vec4u {
  let c = columns[quad];
  return ${wide ? 'c' : '(c.xxyy >> vec4u(0u, 16u, 0u, 16u)) & vec4u(0xffffu)'};
}
`;
}

/**
 * WGSL of the bindings 0 to 2 where a slice is one row, read by entries: `valueAt(i)`, `columnAt(i)`, and `rowStart(position)`,
 * the first entry of the row at a position.
 */
export function entriesText({ wide }: Packed): string {
  return `@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
${tableText}fn valueAt(i: u32) -> f32 { return f32(values[i]); }
fn columnAt(i: u32) -> u32 { return ${wide ? 'columns[i]' : 'extractBits(columns[i >> 1u], (i & 1u) << 4u, 16u)'}; }
fn rowStart(position: u32) -> u32 { return 4u * table[position]; }
`;
}

/** WGSL: `rowAt(position)` where a slice is one row and the parameters say `rows`. */
export const rowAtText = 'fn rowAt(position: u32) -> u32 { return table[params.rows + 1u + position]; }\n';
