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
