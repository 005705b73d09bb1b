// Transpose: axes in another order. Where the innermost axis moves, invocations turn blocks of whole quads in their
// registers, or workgroups turn squares of any size in their memory; otherwise a strided copy.

import blocksText from '../../shaders/transpose-blocks.wgsl?raw';
import tiledText from '../../shaders/transpose-tiled.wgsl?raw';
import { byteSize, deviceType } from '../base/dtype';
import { ceilDiv, type Dims, formatDims, sizeOf, stridesOf } from '../base/shape';
import { ints } from '../ir/attributes';
import type { Kernel } from '../ir/kernel';
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

/** Whether a kernel can move single elements. */
function wholeElements(n: NodeView<Attributes>): boolean {
  const type = deviceType(n.input(0).dtype);
  return byteSize(type) === 4 || type === 'float16';
}

/** Workgroups that own aTile elements of axis A, bTile of axis B. */
function tiles(n: NodeView<Attributes>, aTile: number, bTile: number) {
  const { a, b, batch } = squaresOf(n) as Squares;
  const aTiles = ceilDiv(a.size, aTile);
  const bTiles = ceilDiv(b.size, bTile);
  return { aTiles, bTiles, count: aTiles * bTiles * sizeOf(batch.dims) };
}

const elemAlias = (n: NodeView<Attributes>) =>
  `alias elem = ${deviceType(n.input(0).dtype) === 'float16' ? 'f16' : 'u32'};\n`;

const squareUniforms = ({ a, b, batch }: Squares) => ({
  a_size: a.size,
  b_size: b.size,
  a_stride: a.resultStride,
  b_stride: b.sourceStride,
  batch_dims: batch.dims,
  source_strides: batch.sourceStrides,
  result_strides: batch.resultStrides,
});

const wholeQuads = (sizes: readonly number[]) => sizes.every((size) => size % 4 === 0);

/** WGSL of how blocks are read and written: in quads where these are whole. */
function blockAccess({ a, b, batch }: Squares): string {
  const loads = wholeQuads([a.size, b.sourceStride, ...batch.sourceStrides])
    ? `alias source_unit = vec4<elem>;
fn load(at: u32, a: u32) -> vec4<elem> { return source[at >> 2u]; }
`
    : `alias source_unit = elem;
fn load(at: u32, a: u32) -> vec4<elem> {
  let k = min(vec4u(0u, 1u, 2u, 3u), vec4u(params.a_size - 1u - a));
  return vec4<elem>(source[at], source[at + k.y], source[at + k.z], source[at + k.w]);
}
`;
  const stores = [1, 2, 3].map((k) => `  if (b + ${k}u < params.b_size) { result[at + ${k}u] = value[${k}]; }`);
  return wholeQuads([b.size])
    ? `${loads}alias result_unit = vec4<elem>;
fn store(at: u32, b: u32, value: vec4<elem>) { result[at >> 2u] = value; }
`
    : `${loads}alias result_unit = elem;
fn store(at: u32, b: u32, value: vec4<elem>) {
  result[at] = value.x;
${stores.join('\n')}
}
`;
}

const blocks: Kernel<Attributes> = {
  name: 'blocks',
  // Wide ones for few lines.
  space: { width: [4, 16], depth: [16, 64, 4, 1] },
  legal: (_, t) => (t.width === 4 ? [16, 64] : [4, 1]).includes(t.depth as number),
  when(n, { limits, software }) {
    const squares = wholeElements(n) ? squaresOf(n) : undefined;
    if (!squares) return false;
    const { a, b, batch } = squares;
    const most = Math.max(a.size, b.size, sizeOf(batch.dims));
    // Elements one by one leave most of a GPU's memory accesses half used.
    return most <= limits.maxComputeWorkgroupsPerDimension && (software || wholeQuads([a.size, b.size]));
  },
  cost(n, t) {
    const { a, b } = squaresOf(n) as Squares;
    const [width, depth] = [t.width as number, t.depth as number];
    const { count } = tiles(n, 4 * width, 4 * depth);
    return {
      // The last workgroups leave part of an adapter idle, the more so the larger they are.
      flops: count * width * depth * (wholeQuads([a.size, b.size]) ? 40 : 400) + 2000 * width * depth,
      traffic: 2 * byteSize(deviceType(n.input(0).dtype)) * sizeOf(n.output(0).dims),
      workgroups: count,
    };
  },
  dispatches(n, t) {
    const squares = squaresOf(n) as Squares;
    const { a, batch } = squares;
    const [width, depth] = [t.width as number, t.depth as number];
    const { aTiles, bTiles } = tiles(n, 4 * width, 4 * depth);
    return [
      {
        label: 'Transpose.blocks',
        wgsl: elemAlias(n) + blockAccess(squares) + blocksText,
        constants: { width, depth, batch_rank: batch.dims.length, whole_quads: wholeQuads([a.size]) ? 1 : 0 },
        bindings: { source: { input: 0 }, result: { output: 0 } },
        uniforms: squareUniforms(squares),
        workgroups: [aTiles, bTiles, sizeOf(batch.dims)],
      },
    ];
  },
};

const tiled: Kernel<Attributes> = {
  name: 'tiled',
  space: { tile: [16, 32] },
  when(n) {
    const squares = wholeElements(n) ? squaresOf(n) : undefined;
    return squares !== undefined && Math.min(squares.a.size, squares.b.size) >= narrowest;
  },
  cost(n, t) {
    const bytes = byteSize(deviceType(n.input(0).dtype));
    const tile = t.tile as number;
    const { count } = tiles(n, tile, tile);
    const elements = count * tile ** 2;
    return {
      flops: 8 * elements,
      traffic: 2 * bytes * sizeOf(n.output(0).dims),
      shared: 2 * bytes * elements,
      cleared: count * invocations * bytes * tile * (tile + 1),
      workgroups: count,
    };
  },
  dispatches(n, t) {
    const squares = squaresOf(n) as Squares;
    const { batch } = squares;
    const tile = t.tile as number;
    const { aTiles, bTiles, count } = tiles(n, tile, tile);
    return [
      {
        label: 'Transpose.tiled',
        wgsl: `${elemAlias(n)}${linearHelpers}${tiledText}`,
        constants: { tile, lines: invocations / tile, block_length: tile * (tile + 1) },
        bindings: { source: { input: 0 }, result: { output: 0 } },
        uniforms: {
          a_tiles: aTiles,
          b_tiles: bTiles,
          workgroups: count,
          batch_rank: batch.dims.length,
          ...squareUniforms(squares),
        },
        workgroups: foldWorkgroups(count),
      },
    ];
  },
};

export default defineOp({
  name: 'Transpose',
  attributes: { perm: ints() },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: walkOf(n).dims }],
  reference: (n, [x]) => [walkCopy(x ?? n.fail('lacks its input'), walkOf(n))],
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const perm = permutation(n);
    return b.add('Transpose', [gradient], { perm: perm.map((_, axis) => perm.indexOf(axis)) });
  },
  kernels: [stridedKernel(walkOf), blocks, tiled],
});

export const cases: OpCase[] = [
  { name: 'reversed axes by default', inputs: [{ dims: [3, 5, 7] }] },
  { name: 'matrix 129x127', inputs: [{ dims: [129, 127] }] },
  { name: 'matrix of quads 132x68', inputs: [{ dims: [132, 68] }] },
  { name: 'batches of quads', inputs: [{ dims: [3, 2, 20, 12] }], attributes: { perm: [1, 3, 0, 2] } },
  { name: 'float16 quads', inputs: [{ dtype: 'float16', dims: [2, 36, 8] }], attributes: { perm: [0, 2, 1] } },
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
