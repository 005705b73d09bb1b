// WGSL that stands in front of the matmul shaders: element types, reads of four elements, and the store
// with its fused epilogue.

import operands from '../../../shaders/matmul-operands.wgsl?raw';
import params from '../../../shaders/matmul-params.wgsl?raw';
import type { DType } from '../../base/dtype';
import type { Operand } from '../../ir/kernel';
import { linearHelpers } from '../wgsl/dispatch';
import { computeVec, elemAliases } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { batchSize, type MatMulNode, type Problem, type Side } from './problem';

/** What every shader needs in front: element types, sizes, tiles. */
export const frontText = (dtype: DType) => [elemAliases(dtype), linearHelpers, params].join('\n');

/**
 * Everything up to the shader itself. Where every line of an operand starts at a multiple of four
 * elements it is read in whole quads, else element by element.
 */
export function operandsText(dtype: DType, p: Problem): string {
  const aLine = p.a.transposed ? p.m : p.k;
  const bLine = p.b.transposed ? p.k : p.n;
  return [
    frontText(dtype),
    quadText('a', 0, aLine % 4 === 0 || (p.m === 1 && isSingle(p.a))),
    quadText('b', 1, bLine % 4 === 0),
    operands,
  ].join('\n');
}

function isSingle(side: Side): boolean {
  return side.steps.every((s) => s === 0);
}

function quadText(name: string, binding: number, aligned: boolean): string {
  const body = aligned
    ? `${name}[at >> 2u]`
    : `elem4(${name}[at], ${name}[at + 1u], ${name}[at + 2u], ${name}[at + 3u])`;
  return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${aligned ? 'elem4' : 'elem'}>;
fn ${name}Quad(at: u32) -> elem4 { return ${body}; }`;
}

export interface Tail {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

/**
 * `store` into the node's output, epilogue included; rows and columns past the edge are left out.
 * @param factor WGSL of what sums of floats are times
 */
export function storeText(n: MatMulNode, p: Problem, factor = 'params.alpha'): Tail {
  const whole = p.n % 4 === 0 || (p.m === 1 && batchSize(p) === 1);
  const tail = epilogue(n, n.output(0).dims.length - 1, 'step', 4);
  const body = whole
    ? 'result[index >> 2u] = r;'
    : ['x', 'y', 'z', 'w']
        .map((lane, i) => `if (column + ${i}u < params.n) { result[index + ${i}u] = r.${lane}; }`)
        .join('\n    ');
  const vec = computeVec(n.input(0).dtype);
  const wholes = n.attributes.alpha === 1 ? 'v' : `${vec}(params.alpha * vec4f(v))`;
  const scaled = vec === 'vec4<f32>' ? `${factor} * v` : wholes;
  const text = `${tail.text}
@group(0) @binding(2) var<storage, read_write> result: array<${whole ? 'elem4' : 'elem'}>;
fn store(plane: u32, row: u32, column: u32, v: ${vec}) {
  if (row < params.m && column < params.n) {
    let index = (plane * params.m + row) * params.n + column;
    let r = elem4(epilogue(${scaled}, index, column));
    ${body}
  }
}
`;
  return { text, bindings: { result: { output: 0 }, ...tail.bindings } };
}

/** `store` of a split's partial sums into scratch, as matmul-sum.wgsl reads them. */
export function partialStore(p: Problem, splits: number): Tail & { readonly operand: Operand } {
  const bytes = 16 * batchSize(p) * splits * p.m * Math.ceil(p.n / 4);
  const operand: Operand = { scratch: 'partial', bytes };
  const text = `
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;
fn store(plane: u32, row: u32, column: u32, v: vec4f) {
  if (row < params.m && column < params.n) {
    result[(plane * params.m + row) * ((params.n + 3u) / 4u) + column / 4u] = v;
  }
}
`;
  return { text, bindings: { result: operand }, operand };
}
