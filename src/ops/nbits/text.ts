// WGSL in front of the shaders of products with quantised weights: operands, their dequantisation in chunks of
// sixteen weights (a block is one or more whole chunks), and the store with its fused epilogue. Shaders that read packed
// weights (packed.ts) bring the text of rows and weights themselves.

import type { Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers } from '../wgsl/dispatch';
import { elemAliases, elementAt } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import type { NBitsProblem } from './problem';

export interface NBitsText {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

/** How A, the weights, scales and zero points are read. */
export interface Reads {
  readonly text: string;
  /** Of weights, scales and zero points. */
  readonly bindings: Readonly<Record<string, Operand>>;
}

/** Weights, scales and zero points where they lie. */
const chunks = (p: NBitsProblem): Reads => ({
  text: scalesText + weightsText(p.bits) + zerosText(p),
  bindings: { weights: { input: 1 }, scales: { input: 2 }, ...(p.zeros === 'none' ? {} : { zeros: { input: 3 } }) },
});

export function nbitsText(n: NodeView, p: NBitsProblem, reads = inChunks(p)): NBitsText {
  const tail = epilogue(n, n.output(0).dims.length - 1, 'step', p.zeros === 'none' ? 5 : 6);
  return {
    text: [elemAliases(p.dtype), linearHelpers, params, reads.text, tail.text, storeText(p)].join('\n'),
    bindings: { a: { input: 0 }, ...reads.bindings, result: { output: 0 }, ...tail.bindings },
  };
}

function inChunks(p: NBitsProblem): Reads {
  const { text, bindings } = chunks(p);
  return { text: rowsText(p) + text, bindings };
}

/** Declares sizes alone. */
export const frontText = (p: NBitsProblem) => [elemAliases(p.dtype), linearHelpers, params].join('\n');

/** Declares sizes, weights, scales and zero points alone, read in chunks. */
export function chunksText(p: NBitsProblem): NBitsText {
  const { text, bindings } = chunks(p);
  return { text: frontText(p) + text, bindings };
}

const params = /* wgsl */ `
struct Params {
  m: u32, n: u32, k: u32,
  // Of a column: chunks that k fills, and the blocks that lie in memory.
  chunks: u32, blocks: u32, chunksPerBlock: u32, zeroBytes: u32,
  // Of packed weights: vectors that k fills.
  steps: u32, stepsPerBlock: u32,
  columnTiles: u32, workgroups: u32,
}
@group(0) @binding(3) var<uniform> params: Params;
`;

/** Declares `scaleOf`. */
export const scalesText = /* wgsl */ `
@group(0) @binding(4) var<storage, read> scales: array<elem>;
fn scaleOf(column: u32, chunk: u32) -> f32 {
  return f32(scales[column * params.blocks + chunk / params.chunksPerBlock]);
}
`;

/** `aQuad`: whole quads where rows are such, and no test for the end where rows are whole chunks. */
export function rowsText({ k }: NBitsProblem): string {
  const aligned = k % 4 === 0;
  const load = aligned ? 'vec4f(a[start + quad])' : 'vec4f(vec4<elem>(a[at], a[at + 1u], a[at + 2u], a[at + 3u]))';
  const inside = '4u * quad + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k)';
  return `
@group(0) @binding(0) var<storage, read> a: array<${aligned ? 'elem4' : 'elem'}>;
fn rowStart(row: u32) -> u32 { return min(row, params.m - 1u) * params.k${aligned ? ' / 4u' : ''}; }
fn quadOf(start: u32, quad: u32) -> vec4f {
  ${aligned ? '' : 'let at = start + 4u * quad;'}
  return ${k % 16 === 0 ? load : `select(vec4f(), ${load}, ${inside})`};
}
fn aQuad(row: u32, quad: u32) -> vec4f { return quadOf(rowStart(row), quad); }
`;
}

/** Of weights, by their bits: the words of sixteen. */
export const chunkTypes = { 2: 'u32', 4: 'vec2u', 8: 'vec4u' } as const;
/** Words and shifts of a chunk's quads. */
const chunkLanes = {
  2: ['c, 0u', 'c, 8u', 'c, 16u', 'c, 24u'],
  4: ['c.x, 0u', 'c.x, 16u', 'c.y, 0u', 'c.y, 16u'],
  8: ['c.x, 0u', 'c.y, 0u', 'c.z, 0u', 'c.w, 0u'],
} as const;

function weightsText(width: number): string {
  const bits = width as 2 | 4 | 8;
  return `
@group(0) @binding(1) var<storage, read> weights: array<${chunkTypes[bits]}>;
fn lanesOf(word: u32, shift: u32) -> vec4f {
  return vec4f((vec4u(word) >> (vec4u(0u, ${bits}u, ${2 * bits}u, ${3 * bits}u) + shift)) & vec4u(${2 ** bits - 1}u));
}
fn weightsOf(column: u32, chunk: u32) -> array<vec4f, 4> {
  let c = weights[column * params.blocks * params.chunksPerBlock + chunk];
  let zero = vec4f(zeroOf(column, chunk / params.chunksPerBlock));
  return array<vec4f, 4>(${chunkLanes[bits].map((lanes) => `lanesOf(${lanes}) - zero`).join(', ')});
}
`;
}

/** `zeroOf` alone, with the declaration of what it reads. */
export function zerosText({ zeros, bits, dtype }: NBitsProblem): string {
  if (zeros === 'none') return `fn zeroOf(column: u32, block: u32) -> f32 { return ${2 ** (bits - 1)}.0; }`;
  if (zeros === 'float') {
    return `@group(0) @binding(5) var<storage, read> zeros: array<elem>;
fn zeroOf(column: u32, block: u32) -> f32 { return ${elementAt(dtype, 'zeros', 'column * params.blocks + block')}; }
`;
  }
  return `@group(0) @binding(5) var<storage, read> zeros: array<u32>;
fn zeroOf(column: u32, block: u32) -> f32 {
  let bit = 8u * column * params.zeroBytes + block * ${bits}u;
  return f32(extractBits(zeros[bit / 32u], bit % 32u, ${bits}u));
}
`;
}

function storeText({ m, n }: NBitsProblem): string {
  const whole = n % 4 === 0 || m === 1;
  const body = whole
    ? 'result[index >> 2u] = r;'
    : 'for (var lane = 0u; lane < min(4u, params.n - column); lane++) { result[index + lane] = r[lane]; }';
  return `
@group(0) @binding(2) var<storage, read_write> result: array<${whole ? 'elem4' : 'elem'}>;
fn store(row: u32, column: u32, v: vec4f) {
  if (row >= params.m || column >= params.n) { return; }
  let index = row * params.n + column;
  var r = elem4(epilogue(v, index, column));
  ${body}
}
`;
}
