// Values of sparse weights that stay int8 on the GPU: four in a word, the first three raised by 128, so that a mask and a factor
// open them. A software adapter shifts lane by lane.

import type { DType } from '../../base/dtype';
import { elemAliases } from '../wgsl/elements';

/** Operations that opening one is worth on a software adapter. */
export const openingFlops = 15;

/** WGSL of what is packed, at binding 0: `number`, `number4`, `numberAt(at)` and `numbersAt(at, step)`. */
export const sourceText = (dtype: DType, bytes: boolean) => (bytes ? bytesSource : floatsSource(dtype));

const floatsSource = (dtype: DType) => /* wgsl */ `${elemAliases(dtype)}
alias number = elem;
alias number4 = elem4;
@group(0) @binding(0) var<storage, read> source: array<elem>;
fn numberAt(at: u32) -> number { return source[at]; }
fn numbersAt(at: u32, step: u32) -> number4 {
  return number4(source[at], source[at + step], source[at + 2u * step], source[at + 3u * step]);
}
`;
/** Four follow each other, from a multiple of four on. */
const bytesSource = /* wgsl */ `
alias number = i32;
alias number4 = vec4i;
@group(0) @binding(0) var<storage, read> source: array<u32>;
fn numberAt(at: u32) -> number { return i32(extractBits(source[at >> 2u], (at & 3u) << 3u, 8u)) - 128; }
fn numbersAt(at: u32, step: u32) -> number4 {
  return vec4i((vec4u(source[at >> 2u]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)) - vec4i(128);
}
`;

/** WGSL of where they go, at binding 2: `putValue(place, value)` of entries in order. */
export const putValueText = (bytes: boolean) =>
  bytes
    ? /* wgsl */ `@group(0) @binding(2) var<storage, read_write> values: array<u32>;
/** The values of four entries, as far as they are known. */
var<private> four: u32;
fn putValue(place: u32, value: number) {
  four = insertBits(select(four, 0u, (place & 3u) == 0u), u32(value), (place & 3u) << 3u, 8u);
  values[place >> 2u] = four ^ 0x808080u;
}
`
    : /* wgsl */ `@group(0) @binding(2) var<storage, read_write> values: array<number>;
fn putValue(place: u32, value: number) { values[place] = value; }
`;

/** As putValueText: `putFour(place, four)`, places counted in fours. */
export const putFourText = (bytes: boolean) =>
  bytes
    ? /* wgsl */ `@group(0) @binding(2) var<storage, read_write> values: array<u32>;
fn putFour(place: u32, four: number4) {
  let b = vec4u(four) & vec4u(0xffu);
  values[place] = (b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u)) ^ 0x808080u;
}
`
    : /* wgsl */ `@group(0) @binding(2) var<storage, read_write> values: array<number4>;
fn putFour(place: u32, four: number4) { values[place] = four; }
`;

/** WGSL of the type that holds four values, and of those of an expression of that type as vec4f. */
export const fourType = (bytes: boolean) => (bytes ? 'i32' : 'elem4');
export const fourText = (bytes: boolean, four: string) =>
  `vec4f(${bytes ? ([0, 1, 2, 3] as const).map((lane) => byteText(four, lane)).join(', ') : four})`;

/** WGSL of the value of a lane in a word of four. A byte that is raised needs no sign, and the last one has it where a word has its own. */
export function byteText(word: string, lane: 0 | 1 | 2 | 3): string {
  if (lane === 3) return `f32(${word} & -0x1000000) * 0x1p-24f`;
  return `f32(${word} & ${0xff * 2 ** (8 * lane)})${lane === 0 ? '' : ` * 0x1p-${8 * lane}f`} - 128.0`;
}

/** WGSL: `valueAt(i)` of any entry, where `values` has words. */
export const anyByteText = /* wgsl */ `fn valueAt(i: u32) -> f32 {
  let odd = (i & 1u) != 0u;
  let upper = (i & 2u) != 0u;
  let own = values[i >> 2u] & select(0xff00ff, -0xff0100, odd) & select(0xffff, -0x10000, upper);
  let factor = select(1.0, 0x1p-8f, odd) * select(1.0, 0x1p-16f, upper);
  return f32(own) * factor - select(128.0, 0.0, odd && upper);
}`;
