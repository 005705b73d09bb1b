// The blocks of a dense constant that have a non-zero, packed at load: shaders/sparse-block-pack.wgsl says how they lie.
//
// Rows of blocks are dealt with by fours of rows ("quads"), in order of their length, so that neighbours are alike.
// Invariant: blocks of a quad follow each other, and a row of blocks begins at an even number.

import packText from '../../../shaders/sparse-block-pack.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { BlockShape, Pattern } from '../../ir/pattern';
import type { MatMulNode } from '../matmul/problem';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { fourText, fourType, putFourText, sourceText } from './bytes';
import { type Along, arrayText, roomFor, stepsOf } from './pack';
import { isOfBytes, valueSize, weightsOf } from './weights';

/** Rows of the result by elements that are summed up. */
export interface BlockSize {
  readonly rows: 1 | 4;
  readonly inputs: 1 | 4;
}

/** Where blocks lie, known from the pattern. */
export interface BlockRows {
  /** Of rows. */
  readonly quads: number;
  /** Places for blocks, padding included. */
  readonly places: number;
  /** Places that there is room for, a few more: shaders say how much, and serve matrices of like density alike. */
  readonly room: number;
  /** Blocks that a run computes with. */
  readonly blocks: number;
  /** [quads] in order of length, then of each row of blocks the beginning and the end. */
  readonly table: Uint32Array<ArrayBuffer>;
}

export interface PackedBlocks extends BlockRows {
  readonly dispatch: Dispatch;
  /** Bindings 0 to 2. */
  readonly bindings: Readonly<Record<'values' | 'columns' | 'table', Operand>>;
}

/** Of four elements, in a block. */
export const linesOf = ({ rows, inputs }: BlockSize) => (rows * inputs) / 4;

const known = new WeakMap<Pattern, Map<string, BlockRows>>();

export function blockRowsOf(pattern: Pattern, along: Along, size: BlockSize): BlockRows {
  const key = `${along} ${size.rows}x${size.inputs}`;
  const ofPattern = known.get(pattern) ?? new Map<string, BlockRows>();
  known.set(pattern, ofPattern);
  let made = ofPattern.get(key);
  if (!made) {
    made = makeRows(pattern, along, size);
    ofPattern.set(key, made);
  }
  return made;
}

function makeRows(pattern: Pattern, along: Along, size: BlockSize): BlockRows {
  const counts = countsOf(pattern, along, size);
  const perQuad = 4 / size.rows;
  const quads = ceilDiv(counts.length, perQuad);
  const table = new Uint32Array(quads + 2 * quads * perQuad);
  const lengths = new Float64Array(quads);
  let [places, blocks] = [0, 0];
  for (let row = 0; row < quads * perQuad; row++) {
    const count = counts[row] ?? 0;
    const even = 2 * ceilDiv(count, 2);
    // Small blocks are dealt with by twos, large ones one by one.
    const used = linesOf(size) === 1 ? even : count;
    table[quads + 2 * row] = places;
    table[quads + 2 * row + 1] = places + used;
    lengths[Math.floor(row / perQuad)] = (lengths[Math.floor(row / perQuad)] as number) + used;
    places += even;
    blocks += used;
  }
  const order = Uint32Array.from(lengths.keys());
  table.set(order.sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b));
  return { quads, places, room: 2 * roomFor(places / 2), blocks, table };
}

function countsOf({ blocks }: Pattern, along: Along, { rows, inputs }: BlockSize): Uint32Array {
  if (along === 'rows') return blocks[`${rows}x${inputs}` as BlockShape].perRow;
  return blocks[`${inputs}x${rows}` as BlockShape].perColumn;
}

/** Bytes of the packed values. */
export function valueBytes(n: MatMulNode, size: BlockSize): number {
  const { pattern, along } = weightsOf(n);
  return Math.max(64, blockRowsOf(pattern, along, size).room * size.rows * size.inputs * valueSize(n));
}

/** Rows of more elements would take an invocation too long to pack; columns of these take 16 bits. */
export const mostInputs = 1 << 15;

export function packBlocks(n: MatMulNode, size: BlockSize): PackedBlocks {
  const weights = weightsOf(n);
  const { input, pattern, along, rows, length } = weights;
  const found = blockRowsOf(pattern, along, size);
  const bytes = isOfBytes(n);
  const name = `blocks ${size.rows}x${size.inputs} ${along}`;
  const bindings = {
    values: { scratch: `${name} values`, bytes: valueBytes(n, size) },
    columns: { scratch: `${name} columns`, bytes: Math.max(16, 2 * found.room) },
    table: { table: `${name} table`, data: found.table },
  };
  const blockRows = ceilDiv(rows, size.rows);
  const { rowStep, columnStep } = stepsOf(weights);
  const lanes = 16;
  const dispatch: Dispatch = {
    label: 'MatMul.packBlocks',
    wgsl: sourceText(n.input(input).dtype, bytes) + putFourText(bytes) + linearHelpers + packText,
    constants: { ROWS: size.rows, INPUTS: size.inputs, LANES: lanes },
    bindings: { source: { input }, ...bindings },
    uniforms: {
      ...{ rows, length, blockRows, tableStart: found.quads },
      ...{ rowStep, inputStep: columnStep },
    },
    workgroups: oneEach(blockRows, lanes),
    once: true,
  };
  return { ...found, dispatch, bindings };
}

const wholeBlock = (bytes: boolean) => {
  const lines = [0, 1, 2, 3].map((i) => fourText(bytes, `block.lines[${i}]`));
  return `fn blockAt(i: u32) -> mat4x4f {
  let block = values[i];
  return mat4x4f(${lines.join(',\n    ')});
}`;
};

/**
 * WGSL of the bindings 0 to 2: `lineAt(i)`, the values of a small block; `blockAt(i)` of a large one, a column of the matrix for
 * each row, and `blockLine(i, row)`; `columnAt(i)`, and `columnPair(i)` of an even block and the next; `rangeOf` a row of blocks.
 */
export function blocksText(n: MatMulNode, size: BlockSize, room: number): string {
  const bytes = isOfBytes(n);
  // Places within a structure are found faster than as many places in an array.
  return `struct Block { lines: array<${fourType(bytes)}, ${linesOf(size)}> }
@group(0) @binding(0) var<storage, read> values: ${arrayText('Block', room, room)};
fn blockLine(i: u32, row: u32) -> vec4f { let line = values[i].lines[row]; return ${fourText(bytes, 'line')}; }
fn lineAt(i: u32) -> vec4f { let line = values[i].lines[0]; return ${fourText(bytes, 'line')}; }
${linesOf(size) === 4 ? wholeBlock(bytes) : 'fn blockAt(i: u32) -> mat4x4f { return mat4x4f(); }'}
@group(0) @binding(1) var<storage, read> columns: ${arrayText('u32', room / 2, room)};
@group(0) @binding(2) var<storage, read> table: array<u32>;
fn columnAt(i: u32) -> u32 { return extractBits(columns[i >> 1u], (i & 1u) << 4u, 16u); }
fn columnPair(i: u32) -> vec2u { let word = columns[i >> 1u]; return vec2u(word & 0xffffu, word >> 16u); }
fn rangeOf(blockRow: u32) -> vec2u {
  let at = params.quads + 2u * blockRow;
  return vec2u(table[at], table[at + 1u]);
}
`;
}
