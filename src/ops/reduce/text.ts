// WGSL put in front of the reduction shaders: how they read four elements and store four results.

import type { DType } from '../../base/dtype';
import { elementAt, packQuad, quadType, unpackQuad, wordType } from '../wgsl/elements';
import { accumulatorType } from './reducer';

/**
 * `alias word`, and `read_lanes(at)`: the elements at four offsets, as accumulators.
 * @param sideBySide the offsets are always at.x + 0, 1, 2, 3 with at.x a multiple of 4
 */
export function readLanesText(dtype: DType, sideBySide: boolean): string {
  const lanes = ['x', 'y', 'z', 'w'].map((lane) => elementAt(dtype, 'input', `at.${lane}`));
  const loaded = sideBySide ? unpackQuad(dtype, 'raw') : `vec4(${lanes.join(', ')})`;
  const value = dtype === 'bool' ? `select(vec4u(0u), vec4u(1u), ${loaded})` : loaded;
  return `
alias word = ${sideBySide ? quadType(dtype) : wordType(dtype)};
fn read_lanes(at: vec4u) -> vec4<${accumulatorType(dtype)}> {
  ${sideBySide ? 'let raw = input[at.x >> 2u];' : ''}
  return ${value};
}
`;
}

/** `alias quad`, and `pack_lanes(value)`: four accumulators as a quad of `dtype`. */
export function packLanesText(dtype: DType): string {
  const value = dtype === 'bool' ? 'value != vec4u(0u)' : 'value';
  return `
alias quad = ${quadType(dtype)};
fn pack_lanes(value: vec4<${accumulatorType(dtype)}>) -> quad { return ${packQuad(dtype, value)}; }
`;
}

/** `chunk`, and `read_chunk(base, r)`: that many quads of a row's elements from the r-th on, `lanes` quads apart. */
export const chunkOfQuads = `
const chunk = 4u;
fn read_chunk(base: u32, r: u32) -> acc4 {
  let near = combine(quad(base, r), quad(base, r + 4u * lanes));
  return combine(near, combine(quad(base, r + 8u * lanes), quad(base, r + 12u * lanes)));
}
`;

/**
 * The same for a single lane and float32 in rows of a multiple of 16, with `word` and `read_lanes`: software adapters take
 * less time for one load of a matrix than for four of its columns.
 */
export const chunkOfMatrices = `
alias word = mat4x4f;
const chunk = 8u;
fn read_lanes(at: vec4u) -> vec4f { return input[at.x >> 4u][(at.x >> 2u) & 3u]; }
fn combine_columns(m: mat4x4f) -> acc4 {
  return combine(combine(prepare(m[0]), prepare(m[1])), combine(prepare(m[2]), prepare(m[3])));
}
fn read_chunk(base: u32, r: u32) -> acc4 {
  let at = (base + r) >> 4u;
  let near = input[at];
  let far = input[at + 1u];
  return combine(combine_columns(near), combine_columns(far));
}
`;
