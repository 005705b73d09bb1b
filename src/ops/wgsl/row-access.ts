// How shaders that work on rows (softmax, normalisation) read and write four elements of a row: as one quad where
// a row is whole quads that lie side by side, else element by element, with nothing past the row's end.

import type { DType } from '../../base/dtype';
import { wordType } from './elements';

export interface RowAccess {
  readonly dtype: DType;
  /** The row's neighbours lie side by side, and four divides its length. */
  readonly inQuads: boolean;
  /** WGSL of the distance between a row's elements; `1u` where in quads. */
  readonly distance: string;
}

/**
 * `alias unit`, `load(base, quad, fill)`, `load_within(base, quad, end, fill)`, `inside(quad)`, `store(base, quad, value)`
 * for the bindings `input` and `result`, arrays of `unit`. `base` is the row's first element; past the row's end `load` gives
 * `fill`, and `load_within` also from quad `end` on, which is not 0. Where not in quads `params` has the row's `length`.
 */
export function rowAccessText(access: RowAccess): string {
  return rowLoadText(access) + storeText(access, '', 'result');
}

/** The same without `store`. */
export function rowLoadText(access: RowAccess): string {
  return unitText(access) + loadText(access, '', 'input');
}

/** `load_NAME` and `load_NAME_within`, beside those, for the binding NAME. */
export const moreLoadText = (access: RowAccess, name: string) => loadText(access, `_${name}`, name);

/** `store_NAME`, beside `store`, for the binding NAME. */
export const moreStoreText = (access: RowAccess, name: string) => storeText(access, `_${name}`, name);

function unitText({ dtype, inQuads }: RowAccess): string {
  const elem = wordType(dtype);
  if (inQuads) {
    return `alias unit = vec4<${elem}>;
fn inside(quad: u32) -> vec4<bool> { return vec4<bool>(true); }
`;
  }
  return `alias unit = ${elem};
fn positions(quad: u32) -> vec4u { return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u); }
fn inside(quad: u32) -> vec4<bool> { return positions(quad) < vec4u(params.length); }
`;
}

function loadText({ inQuads, distance }: RowAccess, suffix: string, from: string): string {
  const load = inQuads
    ? `fn load${suffix}(base: u32, quad: u32, fill: f32) -> vec4f { return vec4f(${from}[(base >> 2u) + quad]); }
`
    : `fn load${suffix}(base: u32, quad: u32, fill: f32) -> vec4f {
  let at = vec4u(base) + min(positions(quad), vec4u(params.length - 1u)) * ${distance};
  let value = vec4f(vec4(${from}[at.x], ${from}[at.y], ${from}[at.z], ${from}[at.w]));
  return select(vec4f(fill), value, inside(quad));
}
`;
  return `${load}fn load${suffix}_within(base: u32, quad: u32, end: u32, fill: f32) -> vec4f {
  return select(vec4f(fill), load${suffix}(base, min(quad, end - 1u), fill), quad < end);
}
`;
}

function storeText({ inQuads, distance }: RowAccess, suffix: string, to: string): string {
  if (inQuads) {
    return `fn store${suffix}(base: u32, quad: u32, value: vec4f) { ${to}[(base >> 2u) + quad] = unit(value); }
`;
  }
  const stores = [0, 1, 2, 3].map(
    (k) => `  if (i + ${k}u < params.length) { ${to}[base + (i + ${k}u) * ${distance}] = unit(value[${k}]); }`,
  );
  return `fn store${suffix}(base: u32, quad: u32, value: vec4f) {
  let i = quad * 4u;
${stores.join('\n')}
}
`;
}
