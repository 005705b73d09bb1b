// The index arithmetic of a reduction: which dimensions stay and which are folded, merged to as few as
// possible, so that shaders walk the input in place instead of transposing it.

import { type Dims, sizeOf, stridesOf } from '../../base/shape';

/** Sizes and strides (in elements of the input), innermost first. */
interface Walk {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

export interface ReduceGeometry {
  readonly kept: Walk;
  readonly reduced: Walk;
  readonly outputs: number;
  /** Elements behind each output. */
  readonly length: number;
}

/** @param axes the reduced dimensions, each in [0, rank) */
export function reduceGeometry(dims: Dims, axes: readonly number[]): ReduceGeometry {
  const strides = stridesOf(dims);
  const kept: { sizes: number[]; strides: number[] } = { sizes: [], strides: [] };
  const reduced: { sizes: number[]; strides: number[] } = { sizes: [], strides: [] };
  let last: typeof kept | undefined;
  for (let d = dims.length - 1; d >= 0; d--) {
    const size = dims[d] as number;
    if (size === 1) continue;
    const walk = axes.includes(d) ? reduced : kept;
    if (walk === last) {
      // Next to a dimension of the same fate, with nothing but dimensions of size 1 between: one walk.
      walk.sizes[walk.sizes.length - 1] = (walk.sizes.at(-1) as number) * size;
    } else {
      walk.sizes.push(size);
      walk.strides.push(strides[d] as number);
    }
    last = walk;
  }
  return { kept, reduced, outputs: sizeOf(kept.sizes), length: sizeOf(reduced.sizes) };
}

/** Shape of the result. */
export function reducedDims(dims: Dims, axes: readonly number[], keepDims: boolean): number[] {
  return dims.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
}

/** The uniform fields of `offset_of`, for a walk of at most four dimensions. */
export function walkUniforms(name: string, { sizes, strides }: Walk): Record<string, number | number[]> {
  const fill = (list: readonly number[], rest: number) => [0, 1, 2, 3].map((i) => list[i] ?? rest);
  return {
    [`${name}_sizes`]: fill(sizes, 1),
    [`${name}_strides`]: sizes.length === 0 ? [0, 0, 0, 0] : fill(strides, 0),
  };
}

/**
 * WGSL: the offset of the `index`-th element of a walk. Most walks have one dimension, where `rank` is a constant that
 * saves the divisions, which take a software adapter long.
 */
export const walkHelpers = /* wgsl */ `
fn offset_of(index: u32, rank: u32, sizes: vec4u, strides: vec4u) -> u32 {
  if (rank <= 1u) { return index * strides.x; }
  let i1 = index / sizes.x;
  var offset = (index % sizes.x) * strides.x;
  if (rank == 2u) { return offset + i1 * strides.y; }
  offset += (i1 % sizes.y) * strides.y;
  let i2 = i1 / sizes.y;
  return offset + (i2 % sizes.z) * strides.z + (i2 / sizes.z) * strides.w;
}
`;
