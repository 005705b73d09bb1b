// How WGSL text reads and writes the elements of a tensor, whatever its type at rest. Elements are dealt
// with four at a time ("quads"): 32-bit types and f16 are stored as they are, 16-bit integers two and 8-bit
// ones four to a u32, so a quad is always whole words and no two invocations write one word.
//
// Compute types: every float is computed in f32, integers in i32 or u32, bool as bool. A float16 tensor
// reaches the GPU only where the adapter has shader-f16; elsewhere the plan has widened it to float32.

import { type DType, deviceType } from '../../base/dtype';

export type ComputeScalar = 'f32' | 'i32' | 'u32' | 'bool';

export function computeScalar(dtype: DType): ComputeScalar {
  const type = deviceType(dtype);
  if (type === 'float32' || type === 'float16') return 'f32';
  if (type === 'bool') return 'bool';
  return type.startsWith('int') ? 'i32' : 'u32';
}

/** WGSL type of four elements in registers. */
export function computeVec(dtype: DType): string {
  return `vec4<${computeScalar(dtype)}>`;
}

/** Words (4 bytes) that a quad of this type takes in memory: 4, 2 or 1. */
export function wordsPerQuad(dtype: DType): 1 | 2 | 4 {
  switch (deviceType(dtype)) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return 4;
    case 'float16':
    case 'int16':
    case 'uint16':
      return 2;
    default:
      return 1;
  }
}

const quadWords = { 1: 'u32', 2: 'vec2u', 4: 'vec4u' } as const;

/** Element type of an `array<…>` binding that is read and written in quads. */
export function quadType(dtype: DType): string {
  const scalar = computeScalar(dtype);
  if (deviceType(dtype) === 'float16') return 'vec4<f16>';
  return wordsPerQuad(dtype) === 4 ? `vec4<${scalar}>` : quadWords[wordsPerQuad(dtype)];
}

/** Element type of an `array<…>` binding that is read one element at a time. */
export function wordType(dtype: DType): string {
  if (deviceType(dtype) === 'float16') return 'f16';
  return wordsPerQuad(dtype) === 4 ? computeScalar(dtype) : 'u32';
}

/** The type of an array that is bound, of as many elements as are stated. */
export const arrayType = (element: string, length?: number) =>
  length === undefined ? `array<${element}>` : `array<${element}, ${length}>`;

/** Aliases that hand-written float kernels are written against: `elem` and `elem4`. Sums are always f32. */
export function elemAliases(dtype: DType): string {
  const elem = wordType(dtype);
  return `alias elem = ${elem};\nalias elem4 = vec4<${elem}>;\n`;
}

/** Expression: the quad `raw` (of quadType) as four elements of the compute type. */
export function unpackQuad(dtype: DType, raw: string): string {
  switch (deviceType(dtype)) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return raw;
    case 'float16':
      return `vec4f(${raw})`;
    case 'int16':
      return `((vec4i(vec4u(${raw}.x, ${raw}.x, ${raw}.y, ${raw}.y)) << vec4u(16u, 0u, 16u, 0u)) >> vec4u(16u))`;
    case 'uint16':
      return `((vec4u(${raw}.x, ${raw}.x, ${raw}.y, ${raw}.y) >> vec4u(0u, 16u, 0u, 16u)) & vec4u(0xffffu))`;
    case 'int8':
      return `((vec4i(vec4u(${raw})) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u))`;
    case 'uint8':
      return `((vec4u(${raw}) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu))`;
    case 'bool':
      return `(((vec4u(${raw}) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)) != vec4u(0u))`;
  }
}

/** Expression: four elements `value` of the compute type as a quad of words. */
export function packQuad(dtype: DType, value: string): string {
  switch (deviceType(dtype)) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return value;
    case 'float16':
      return `vec4<f16>(${value})`;
    case 'int16':
    case 'uint16':
      return `lepton_pack_16(vec4u(${value}))`;
    case 'int8':
    case 'uint8':
      return `lepton_pack_8(vec4u(${value}))`;
    case 'bool':
      return `lepton_pack_8(select(vec4u(0u), vec4u(1u), ${value}))`;
  }
}

/** Expression: element `index` of the binding `name` (an array of wordType), as the compute type. */
export function elementAt(dtype: DType, name: string, index: string): string {
  switch (deviceType(dtype)) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return `${name}[${index}]`;
    case 'float16':
      return `f32(${name}[${index}])`;
    case 'int16':
      return `extractBits(i32(${name}[(${index}) >> 1u]), ((${index}) & 1u) << 4u, 16u)`;
    case 'uint16':
      return `extractBits(${name}[(${index}) >> 1u], ((${index}) & 1u) << 4u, 16u)`;
    case 'int8':
      return `extractBits(i32(${name}[(${index}) >> 2u]), ((${index}) & 3u) << 3u, 8u)`;
    case 'uint8':
      return `extractBits(${name}[(${index}) >> 2u], ((${index}) & 3u) << 3u, 8u)`;
    case 'bool':
      return `(extractBits(${name}[(${index}) >> 2u], ((${index}) & 3u) << 3u, 8u) != 0u)`;
  }
}

/**
 * Statements: `var lanes: vec4u`, whose lane `k` is `expression`. A loop, since index arithmetic four times
 * in a row takes drivers long to compile.
 */
export function eachLane(expression: string): string {
  return `var lanes: vec4u;
  for (var k = 0u; k < 4u; k++) { lanes[k] = ${expression}; }`;
}

/** A literal of the compute type; non-finite floats are spelled as bits, which WGSL has no literals for. */
export function literal(dtype: DType, value: number): string {
  const scalar = computeScalar(dtype);
  if (scalar === 'bool') return value ? 'true' : 'false';
  if (scalar === 'u32') return `${Math.trunc(value)}u`;
  // -2147483648 cannot be written as a negated literal of i32.
  if (scalar === 'i32') return value === -2147483648 ? 'i32(-2147483647 - 1)' : `i32(${Math.trunc(value)})`;
  if (!Number.isFinite(value))
    return `lepton_bits(${Number.isNaN(value) ? '0x7fc00000u' : value > 0 ? '0x7f800000u' : '0xff800000u'})`;
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return `lepton_bits(${value > 0 ? '0x7f800000u' : '0xff800000u'})`;
  // Below the smallest normal number WGSL may refuse or flush the literal.
  if (Math.abs(rounded) < 1.1754943508222875e-38) return Object.is(rounded, -0) ? '-0.0f' : '0.0f';
  return `${rounded}f`;
}

/** Shared helper functions; put them in front of any text made with this file. */
export const elementHelpers = /* wgsl */ `
fn lepton_pack_16(v: vec4u) -> vec2u {
  let m = v & vec4u(0xffffu);
  return vec2u(m.x | (m.y << 16u), m.z | (m.w << 16u));
}
fn lepton_pack_8(v: vec4u) -> u32 {
  let m = (v & vec4u(0xffu)) << vec4u(0u, 8u, 16u, 24u);
  return m.x | m.y | m.z | m.w;
}
// Through a private variable, since a constant expression may not make a NaN or an infinity.
var<private> lepton_word: u32;
fn lepton_bits(bits: u32) -> f32 {
  lepton_word = bits;
  return bitcast<f32>(lepton_word);
}
`;
