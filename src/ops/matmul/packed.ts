// Operands as matmul-quad.wgsl and matmul-row.wgsl read them: A in rows of quads along k, B in 4×4 blocks.
// What lies in memory like that, or can be read as easily, stays where it is; the rest is packed, at load where it
// is constant. Invariant: k past the edge reads as zero in both.

import packText from '../../../shaders/matmul-pack.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { arrayType, elemAliases } from '../wgsl/elements';
import type { MatMulNode, Problem, Side } from './problem';

export interface Pack {
  readonly dispatch: Dispatch;
  /** Written by it. */
  readonly bytes: number;
}

export interface PackedOperand {
  readonly operand: Operand;
  /** The operand's place in the problem, its steps counted in packed elements. */
  readonly side: Side;
  /** Declares the binding, for A `aRow(start, row)` and `aQuad(row, kQuad)`, for B `bBlock(start, kQuad, columnQuad)`. */
  readonly text: string;
  /** Absent where the operand is read where it lies. */
  readonly pack?: Pack;
}

const quadsDeclared = (name: string, binding: number) =>
  `@group(0) @binding(${binding}) var<storage, read> ${name}: array<elem4>;\n`;

/**
 * Reads of a 4×4 block of B: from packed blocks, from rows of whole quads, from columns where B is transposed.
 * By shifts, since a software adapter divides lane by lane.
 */
const blocksText = (count?: number) => /* wgsl */ `
struct Block { lines: array<elem4, 4> }
@group(0) @binding(1) var<storage, read> b: ${arrayType('Block', count)};
fn bBlock(start: u32, kQuad: u32, columnQuad: u32) -> mat4x4f {
  let block = b[(start >> 4u) + kQuad * ((params.n + 3u) >> 2u) + columnQuad];
  return mat4x4f(vec4f(block.lines[0]), vec4f(block.lines[1]), vec4f(block.lines[2]), vec4f(block.lines[3]));
}
`;
const rowsText = /* wgsl */ `${quadsDeclared('b', 1)}
fn bBlock(start: u32, kQuad: u32, columnQuad: u32) -> mat4x4f {
  let step = params.n >> 2u;
  let at = (start >> 2u) + 4u * kQuad * step + columnQuad;
  return mat4x4f(vec4f(b[at]), vec4f(b[at + step]), vec4f(b[at + 2u * step]), vec4f(b[at + 3u * step]));
}
`;
const columnsText = /* wgsl */ `${quadsDeclared('b', 1)}
fn bBlock(start: u32, kQuad: u32, columnQuad: u32) -> mat4x4f {
  let step = params.k >> 2u;
  let at = (start >> 2u) + 4u * columnQuad * step + kQuad;
  return transpose(mat4x4f(vec4f(b[at]), vec4f(b[at + step]), vec4f(b[at + 2u * step]), vec4f(b[at + 3u * step])));
}
`;

/** Reads of a quad of A, of a row that was found ahead of the loop along k: from whole quads, or where it lies. */
const quadsText = /* wgsl */ `${quadsDeclared('a', 0)}
fn aRow(start: u32, row: u32) -> u32 { return (start >> 2u) + row * ((params.k + 3u) >> 2u); }
fn aQuad(row: u32, kQuad: u32) -> elem4 { return a[row + kQuad]; }
`;
const raggedText = /* wgsl */ `@group(0) @binding(0) var<storage, read> a: array<elem>;
fn aRow(start: u32, row: u32) -> u32 { return start + row * params.k; }
fn aQuad(row: u32, kQuad: u32) -> elem4 {
  let at = row + 4u * kQuad;
  let four = elem4(a[at], a[at + 1u], a[at + 2u], a[at + 3u]);
  return select(elem4(), four, vec4u(0u, 1u, 2u, 3u) < vec4u(params.k - 4u * kQuad));
}
`;

/** Columns up to which a ragged A is read so few times that packing it takes longer than it saves. */
const fewColumns = 64;

export function packedRows(n: MatMulNode, p: Problem): PackedOperand {
  const lies = { operand: { input: p.a.input }, side: p.a };
  if (!p.a.transposed && p.k % 4 === 0) return { ...lies, text: quadsText };
  if (!p.a.transposed && p.n <= fewColumns) return { ...lies, text: raggedText };
  const { side, operand, pack } = packed(n, p.a, { name: 'rows', lines: p.m, width: p.k, blocks: false });
  return { operand, side, text: quadsText, pack };
}

/** @param stated says in the text how many packed blocks there are: faster to read on a CPU, and no text for other sizes */
export function packedBlocks(n: MatMulNode, p: Problem, stated = false): PackedOperand {
  const operand = { input: p.b.input };
  if (!n.input(p.b.input).isConstant && p.k % 4 === 0) {
    if (p.b.transposed) return { operand, side: p.b, text: columnsText };
    if (p.n % 4 === 0) return { operand, side: p.b, text: rowsText };
  }
  const blocks = packed(n, p.b, { name: 'blocks', lines: p.k, width: p.n, blocks: true });
  const bytes = 16 * byteSize(deviceType(n.input(p.b.input).dtype));
  return { ...blocks, text: blocksText(stated ? blocks.pack.bytes / bytes : undefined) };
}

interface Form {
  readonly name: string;
  readonly lines: number;
  readonly width: number;
  readonly blocks: boolean;
}

/** Lines that an invocation packs. */
const each = 8;

function packed(n: MatMulNode, side: Side, form: Form) {
  const { name, lines, width, blocks } = form;
  const { dtype, dims, isConstant } = n.input(side.input);
  const matrix = lines * width;
  const [packedLines, quads] = [blocks ? 4 * ceilDiv(lines, 4) : lines, ceilDiv(width, 4)];
  const batch = sizeOf(dims) / matrix;
  const bytes = 4 * byteSize(deviceType(dtype)) * packedLines * quads * batch;
  const operand: Operand = { scratch: name, bytes };
  // A's transposed form has its rows, B's its columns next to each other along k.
  const [lineStep, step] = side.transposed ? [1, lines] : [width, 1];
  const tileWidth = [16, 4, 1].find((w) => w <= quads) as number;
  const tileHeight = 64 / tileWidth;
  const [lineTiles, quadTiles] = [ceilDiv(packedLines, tileHeight * each), ceilDiv(quads, tileWidth)];
  const workgroups = lineTiles * quadTiles * batch;
  const dispatch: Dispatch = {
    label: 'MatMul.pack',
    wgsl: elemAliases(dtype) + linearHelpers + packText,
    constants: { WIDTH: tileWidth, HEIGHT: tileHeight, EACH: each, BLOCKS: Number(blocks) },
    bindings: { source: { input: side.input }, packed: operand },
    uniforms: { lines, width, lineStep, step, packedLines, quads, lineTiles, quadTiles, workgroups },
    workgroups: foldWorkgroups(workgroups),
    once: isConstant,
  };
  return {
    operand,
    side: { ...side, steps: side.steps.map((s) => (s / matrix) * 4 * packedLines * quads) },
    pack: { dispatch, bytes },
  };
}
