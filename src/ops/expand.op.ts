// Expand and Tile: elements repeated along axes; the one broadcasts, the other lays whole copies in a row.

import { broadcastDims, broadcastStrides, formatDims, stridesOf } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { reshape, sumTo } from './gradient';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

function expandWalk(n: NodeView): Walk {
  const shape = n.numbers(1) ?? n.fail('lacks its shape (input 1)');
  const source = n.input(0).dims;
  const dims = broadcastDims(source, shape) ?? n.fail(`cannot broadcast its input to ${formatDims(shape)}`);
  return { dims, strides: broadcastStrides(source, dims), offset: 0 };
}

const expand = defineOp({
  name: 'Expand',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: expandWalk(n).dims }],
  reference: (n, [x]) => [walkCopy(x ?? n.fail('lacks its input'), expandWalk(n))],
  grad: (n, b, [gradient]) => [gradient && sumTo(b, gradient, n.input(0).dims)],
  kernels: [stridedKernel(expandWalk)],
});

function repeatsOf(n: NodeView): number[] {
  const repeats = n.numbers(1) ?? n.fail('lacks its repeats (input 1)');
  const rank = n.input(0).dims.length;
  if (repeats.length !== rank) n.fail(`has ${repeats.length} repeats for an input of rank ${rank}`);
  return repeats;
}

const tiledDims = (n: NodeView) => n.input(0).dims.map((d, i) => d * (repeatsOf(n)[i] as number));

/** Every axis stands twice: the copies, which the input does not move along, and the elements. */
function tileWalk(n: NodeView): Walk {
  const { dims } = n.input(0);
  const strides = stridesOf(dims);
  return {
    dims: repeatsOf(n).flatMap((repeat, i) => [repeat, dims[i] as number]),
    strides: strides.flatMap((s) => [0, s]),
    offset: 0,
  };
}

const tile = defineOp({
  name: 'Tile',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: tiledDims(n) }],
  reference: (n, [x]) => [{ ...walkCopy(x ?? n.fail('lacks its input'), tileWalk(n)), dims: tiledDims(n) }],
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { dims } = n.input(0);
    const copies = reshape(b, gradient, tileWalk(n).dims);
    const kept = dims.flatMap((size) => [1, size]);
    return [reshape(b, sumTo(b, copies, kept), dims)];
  },
  kernels: [stridedKernel(tileWalk)],
});

export default [expand, tile];

const list = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: Record<string, OpCase[]> = {
  Expand: [
    { name: 'rows', inputs: [{ dims: [128] }, list(3, 128)] },
    { name: 'columns', inputs: [{ dims: [3, 1] }, list(3, 8)] },
    { name: 'odd columns', inputs: [{ dims: [3, 1] }, list(3, 129)] },
    { name: 'both ways', inputs: [{ dims: [3, 1, 5] }, list(2, 1, 6, 1)] },
    { name: 'scalar', inputs: [{ dims: [] }, list(2, 3)] },
    { name: 'bool', inputs: [{ dtype: 'bool', dims: [2, 1, 3], range: [0, 1] }, list(2, 5, 3)] },
  ],
  Tile: [
    { name: 'both axes', inputs: [{ dims: [3, 5] }, list(2, 3)] },
    { name: 'quads', inputs: [{ dims: [3, 8] }, list(2, 3)] },
    { name: 'once', inputs: [{ dims: [3, 43] }, list(1, 1)] },
    { name: 'int8', inputs: [{ dtype: 'int8', dims: [2, 3, 2], range: [-9, 9] }, list(1, 2, 3)] },
  ],
};
