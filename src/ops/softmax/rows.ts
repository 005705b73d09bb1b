// What the kernels of Softmax and LogSoftmax share: how a tensor falls into rows, what becomes of the exponentials, and
// what lanes find in a row.

import { sizeOf } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';
import { axisOf } from '../axes';
import type { Part } from '../wgsl/join-lanes';
import type { RowAccess } from '../wgsl/row-access';

export type SoftmaxNode = NodeView<{ axis: number }>;

export interface Finish {
  readonly host: (shifted: number, sum: number) => number;
  /** WGSL of `sum`, that of the exponentials. */
  readonly scale: string;
  /** WGSL of `shifted`, elements less the row's largest, and `scale`. */
  readonly wgsl: string;
}

/** Rows of `length` elements, `inner` apart. */
export function rowsOf(n: SoftmaxNode) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const length = dims[axis] as number;
  return { length, inner: sizeOf(dims.slice(axis + 1)), rows: sizeOf(dims) / length };
}

/** WGSL of `scale_of` and `finish`. */
export function functionsOf(finish: Finish): string {
  return `
fn scale_of(sum: f32) -> f32 { return ${finish.scale}; }
fn finish(shifted: vec4f, scale: f32) -> vec4f { return ${finish.wgsl}; }
`;
}

export function accessOf(n: SoftmaxNode): RowAccess {
  const { length, inner } = rowsOf(n);
  return {
    dtype: n.input(0).dtype,
    inQuads: inner === 1 && length % 4 === 0,
    distance: inner === 1 ? '1u' : 'params.inner',
  };
}

/** Operations an element that a software adapter spends on exponentials, and on offsets where a row is no quads. */
export const emulatedWork = (n: SoftmaxNode) => (accessOf(n).inQuads ? 60 : 145);

/** Of a row: its largest element, and the sum of exponentials above it. */
export const found: Part = {
  type: 'vec2f',
  bytes: 8,
  join: 'join_sums(a, b)',
  nothing: 'vec2f(lowest, 0.0)',
  subgroup: 'let top = subgroupMax(v.x); return vec2f(top, subgroupAdd(v.y * exp(v.x - top)));',
};
