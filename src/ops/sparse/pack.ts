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
import { arrayType } from '../wgsl/elements';
import { anyByteText, fourText, fourType, putValueText, sourceText } from './bytes';

export interface Packing {
  /** The constant's number among the node's inputs. */
  readonly input: number;
  readonly pattern: Pattern;
  /** What becomes a row: a row of the matrix that the pattern describes, or a column of it. */
  readonly along: Along;
  /** Rows of a slice. */
  readonly slice: number;
  /** Quads of a row that lie together, to be loaded at once; 1 unless stated. */
  readonly run?: number;
  /** What is kept in place of a column, where that is not its number. */
  readonly index?: PackedIndex;
  /**
   * Where the constant has its rows as bytes that are numbers raised by 128: bytes from one row to the next, a multiple of
   * four. Their rows become rows.
   */
  readonly rowBytes?: number;
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
  /** array<elem4>, one a quad; where `bytes` array<i32> of four int8, see bytes.ts. */
  readonly values: Operand;
  readonly bytes: boolean;
  /** array<vec2u> of 16-bit columns, or array<vec4u> where `wide`. */
  readonly columns: Operand;
  readonly tableOperand: Operand;
  readonly wide: boolean;
  /**
   * Quads that there is room for: a few more than there are, so that shaders which say how much (SwiftShader divides four times
   * for each load from an array that does not) serve matrices of like density alike.
   */
  readonly room: number;
}

/** Columns that 16 bits can number. */
export const narrow = 65_536;

const known = new WeakMap<Pattern, Map<string, Slices>>();

/** Rows in order of their length, the longest first, so that those of one slice are alike; rows end with a run of quads. */
export function slicesOf(pattern: Pattern, along: Along, slice: number, run = 1): Slices {
  const key = `${along} ${slice} ${run}`;
  const ofPattern = known.get(pattern) ?? new Map<string, Slices>();
  known.set(pattern, ofPattern);
  let made = ofPattern.get(key);
  if (!made) {
    made = makeSlices(pattern, along, slice, run);
    ofPattern.set(key, made);
  }
  return made;
}

function makeSlices(pattern: Pattern, along: Along, slice: number, run: number): Slices {
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
    return run * ceilDiv(lengths[row] as number, 4 * run);
  }
}

/** So many that there are 16 sizes up to twice a size. */
export function roomFor(quads: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, quads))) - 4);
  return Math.max(1, step * ceilDiv(quads, step));
}

/** Quads from which a text of its own for each length, and so a pipeline, is worth what it saves in a run. */
const manyToRead = 512;

/** The type of an array of as many elements as are told where there is that much `room`, see Packed. */
export const arrayText = (element: string, length: number, room: number) =>
  arrayType(element, room >= manyToRead ? length : undefined);

/** The longest slices, and runs, that any kernel has. */
const [mostRows, mostRun] = [32, 2];

/** Whether what is packed is small enough to be bound, whatever the slices and runs. @param elementBytes of a value */
export function fitsBinding(
  { pattern, along }: Pick<Packing, 'pattern' | 'along'>,
  elementBytes: number,
  most: number,
) {
  const { quads, length } = slicesOf(pattern, along, mostRows, mostRun);
  return 4 * roomFor(quads) * Math.max(elementBytes, length > narrow ? 4 : 2) <= most;
}

/** Elements, or bytes, from one row of what is packed to the next, and from one of its columns. */
export function stepsOf({ pattern, along, rowBytes }: Pick<Packing, 'pattern' | 'along' | 'rowBytes'>) {
  return along === 'rows'
    ? { rowStep: rowBytes ?? pattern.columns, columnStep: 1 }
    : { rowStep: 1, columnStep: pattern.columns };
}

export function packSlices(n: NodeView, { input, pattern, along, slice, run = 1, index, rowBytes }: Packing): Packed {
  const slices = slicesOf(pattern, along, slice, run);
  const room = run * roomFor(slices.quads / run);
  const { dtype } = n.input(input);
  const wide = (index?.most ?? slices.length) > narrow;
  const bytesOf = (perEntry: number) => Math.max(16, 4 * perEntry * room);
  const bytes = rowBytes !== undefined;
  const name = `sparse ${slice} ${run} ${along}`;
  const values: Operand = { scratch: `${name} values`, bytes: bytesOf(bytes ? 1 : byteSize(deviceType(dtype))) };
  const columns: Operand = { scratch: `${name} columns`, bytes: bytesOf(wide ? 4 : 2) };
  const tableOperand: Operand = { table: `${name} table`, data: slices.table };
  const lanes = 64;
  const dispatch: Dispatch = {
    label: `${n.node.op.replace('lepton.', '')}.packSlices`,
    wgsl: [sourceText(dtype, bytes), putValueText(bytes), linearHelpers, index?.text ?? sameIndex, packText].join('\n'),
    constants: { SLICE: slice, RUN: run, WIDE: Number(wide), LANES: lanes },
    bindings: { source: { input }, table: tableOperand, values, columns },
    uniforms: {
      rows: slices.rows,
      length: slices.length,
      slices: slices.slices,
      ...stepsOf({ pattern, along, rowBytes }),
    },
    workgroups: oneEach(slices.slices * slice, lanes),
    once: true,
  };
  return { ...slices, dispatch, values, bytes, columns, tableOperand, wide, room };
}

const sameIndex = 'fn packedIndex(column: u32) -> u32 { return column; }\n';

/** WGSL of the binding 2. */
export const tableText = '@group(0) @binding(2) var<storage, read> table: array<u32>;\n';

/** WGSL of the bindings 0 to 2, read by quads of entries: `valuesAt(quad)`, and `columnsAt(quad)` what stands for their columns. */
export function entryQuadsText({ wide, bytes, room }: Packed): string {
  return `@group(0) @binding(0) var<storage, read> values: ${arrayText(fourType(bytes), room, room)};
@group(0) @binding(1) var<storage, read> columns: ${arrayText(wide ? 'vec4u' : 'vec2u', room, room)};
${tableText}fn valuesAt(quad: u32) -> vec4f {
  let four = values[quad];
  return ${fourText(bytes, 'four')};
}
fn columnsAt(quad: u32) -> vec4u {
  let c = columns[quad];
  return ${wide ? 'c' : '(c.xxyy >> vec4u(0u, 16u, 0u, 16u)) & vec4u(0xffffu)'};
}
`;
}

/**
 * WGSL of the bindings 0 to 2 where a slice is one row, read by entries: `valueAt(i)`, `columnAt(i)`, and `rowStart(position)`,
 * the first entry of the row at a position.
 */
export function entriesText({ wide, bytes, room }: Packed): string {
  return `@group(0) @binding(0) var<storage, read> values: ${bytes ? arrayText('i32', room, room) : arrayText('elem', 4 * room, room)};
@group(0) @binding(1) var<storage, read> columns: ${arrayText('u32', (wide ? 4 : 2) * room, room)};
${tableText}${bytes ? anyByteText : 'fn valueAt(i: u32) -> f32 { return f32(values[i]); }'}
fn halfOf(word: u32, upper: bool) -> u32 { return select(word & 0xffffu, word >> 16u, upper); }
fn columnAt(i: u32) -> u32 { return ${wide ? 'columns[i]' : 'halfOf(columns[i >> 1u], (i & 1u) == 1u)'}; }
fn rowStart(position: u32) -> u32 { return 4u * table[position]; }
`;
}

/** WGSL: `rowAt(position)` where a slice is one row and the parameters say `rows`. */
export const rowAtText = 'fn rowAt(position: u32) -> u32 { return table[params.rows + 1u + position]; }\n';
