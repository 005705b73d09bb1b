// Transpose: axes in another order. Where the innermost axis moves, a variant stages squares through
// workgroup memory; otherwise, and on adapters where staging does not pay, a strided copy.

import text from '../../shaders/transpose-tiled.wgsl?raw';
import { byteSize, deviceType } from '../base/dtype';
import { ceilDiv, type Dims, formatDims, sizeOf, stridesOf } from '../base/shape';
import { ints } from '../ir/attributes';
import type { Dispatch, Tunables } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { collapse } from './wgsl/collapse';
import { foldWorkgroups, linearHelpers } from './wgsl/dispatch';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

type Attributes = { readonly perm: readonly number[] | undefined };

function permutation(n: NodeView<Attributes>): number[] {
  const rank = n.input(0).dims.length;
  const perm = n.attributes.perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const sorted = [...perm].sort((a, b) => a - b);
  if (perm.length !== rank || sorted.some((axis, i) => axis !== i)) {
    n.fail(`has perm ${formatDims(perm)}, which is no permutation of ${rank} axes`);
  }
  return [...perm];
}

function walkOf(n: NodeView<Attributes>): Walk {
  const { dims } = n.input(0);
  const strides = stridesOf(dims);
  const perm = permutation(n);
  return {
    dims: perm.map((axis) => dims[axis] as number),
    strides: perm.map((axis) => strides[axis] as number),
    offset: 0,
  };
}

/** The transposition as matrices: axis A is innermost in the input, axis B in the output. */
interface Squares {
  readonly a: { size: number; resultStride: number };
  readonly b: { size: number; sourceStride: number };
  readonly batch: { dims: number[]; sourceStrides: number[]; resultStrides: number[] };
}

function squaresOf(n: NodeView<Attributes>): Squares | undefined {
  const walk = walkOf(n);
  const { dims, strides } = collapse(walk.dims, [walk.strides]);
  const source = strides[0] as number[];
  const result = stridesOf(dims);
  const last = dims.length - 1;
  const a = source.indexOf(1);
  if (a < 0 || a === last) return undefined;
  const others = dims.flatMap((_, d) => (d === a || d === last ? [] : [d]));
  if (others.length > 8) return undefined;
  const pick = (from: Dims) => others.map((d) => from[d] as number);
  return {
    a: { size: dims[a] as number, resultStride: result[a] as number },
    b: { size: dims[last] as number, sourceStride: source[last] as number },
    batch: { dims: pick(dims), sourceStrides: pick(source), resultStrides: pick(result) },
  };
}

// Narrower axes would leave most of a square empty.
const narrowest = 8;
const invocations = 256;

function tiles(n: NodeView<Attributes>, tile: number) {
  const { a, b, batch } = squaresOf(n) as Squares;
  const aTiles = ceilDiv(a.size, tile);
  const bTiles = ceilDiv(b.size, tile);
  return { aTiles, bTiles, count: aTiles * bTiles * sizeOf(batch.dims) };
}

function tiled(n: NodeView<Attributes>, t: Tunables): Dispatch {
  const { a, b, batch } = squaresOf(n) as Squares;
  const tile = t.tile as number;
  const { aTiles, bTiles, count } = tiles(n, tile);
  const elem = deviceType(n.input(0).dtype) === 'float16' ? 'f16' : 'u32';
  return {
    label: 'Transpose.tiled',
    wgsl: `alias elem = ${elem};\n${linearHelpers}\n${text}`,
    constants: { tile, lines: invocations / tile, block_length: tile * (tile + 1) },
    bindings: { source: { input: 0 }, result: { output: 0 } },
    uniforms: {
      a_size: a.size,
      b_size: b.size,
      a_stride: a.resultStride,
      b_stride: b.sourceStride,
      a_tiles: aTiles,
      b_tiles: bTiles,
      workgroups: count,
      batch_rank: batch.dims.length,
      batch_dims: batch.dims,
      source_strides: batch.sourceStrides,
      result_strides: batch.resultStrides,
    },
    workgroups: foldWorkgroups(count),
  };
}

export default defineOp({
  name: 'Transpose',
  attributes: { perm: ints() },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: walkOf(n).dims }],
  reference: (n, [x]) => [walkCopy(x ?? n.fail('lacks its input'), walkOf(n))],
  kernels: [
    stridedKernel(walkOf),
    {
      name: 'tiled',
      space: { tile: [16, 32] },
      when(n) {
        const type = deviceType(n.input(0).dtype);
        const squares = byteSize(type) === 4 || type === 'float16' ? squaresOf(n) : undefined;
        return squares !== undefined && Math.min(squares.a.size, squares.b.size) >= narrowest;
      },
      cost(n, t) {
        const bytes = byteSize(deviceType(n.input(0).dtype));
        const tile = t.tile as number;
        const { count } = tiles(n, tile);
        const elements = count * tile ** 2;
        return {
          flops: 8 * elements,
          traffic: 2 * bytes * sizeOf(n.output(0).dims),
          shared: 2 * bytes * elements,
          cleared: count * invocations * bytes * tile * (tile + 1),
          workgroups: count,
        };
      },
      dispatches: (n, t) => [tiled(n, t)],
    },
  ],
});

export const cases: OpCase[] = [
  { name: 'reversed axes by default', inputs: [{ dims: [3, 5, 7] }] },
  { name: 'matrix 129x127', inputs: [{ dims: [129, 127] }] },
  { name: 'NCHW to NHWC', inputs: [{ dims: [2, 12, 5, 9] }], attributes: { perm: [0, 2, 3, 1] } },
  { name: 'NHWC to NCHW', inputs: [{ dims: [2, 5, 9, 12] }], attributes: { perm: [0, 3, 1, 2] } },
  { name: 'heads, last axis kept', inputs: [{ dims: [1, 5, 3, 8] }], attributes: { perm: [0, 2, 1, 3] } },
  { name: 'heads, last axis moves', inputs: [{ dims: [1, 17, 3, 33] }], attributes: { perm: [0, 2, 3, 1] } },
  { name: 'five axes', inputs: [{ dims: [2, 9, 2, 3, 10] }], attributes: { perm: [3, 4, 0, 2, 1] } },
  { name: 'narrow axis', inputs: [{ dims: [1, 3, 128] }], attributes: { perm: [0, 2, 1] } },
  { name: 'scalar', inputs: [{ dims: [] }] },
  { name: 'identity', inputs: [{ dims: [3, 3] }], attributes: { perm: [0, 1] } },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [33, 18] }] },
  { name: 'int64', inputs: [{ dtype: 'int64', dims: [9, 18] }] },
  { name: 'uint8', inputs: [{ dtype: 'uint8', dims: [2, 9, 11] }], attributes: { perm: [2, 0, 1] } },
  { name: 'bool', inputs: [{ dtype: 'bool', dims: [7, 4], range: [0, 1] }] },
  { name: 'int16', inputs: [{ dtype: 'int16', dims: [7, 5] }] },
  { name: 'int4', inputs: [{ dtype: 'int4', dims: [7, 5], range: [-8, 7] }] },
  { name: 'uint2', inputs: [{ dtype: 'uint2', dims: [3, 5], range: [0, 3] }] },
  { name: 'float8', inputs: [{ dtype: 'float8e4m3fn', dims: [7, 5] }] },
  { name: 'bfloat16', inputs: [{ dtype: 'bfloat16', dims: [7, 5] }] },
];
