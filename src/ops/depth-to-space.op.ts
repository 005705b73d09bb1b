// DepthToSpace and SpaceToDepth: blocks of pixels to channels and back. Both are one transposition of the
// tensor with its block axes split off, so one strided copy does each.

import { formatDims, stridesOf } from '../base/shape';
import { required, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { reshape } from './gradient';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

type Dims4 = readonly [number, number, number, number];

function imageDims(n: NodeView): Dims4 {
  const { dims } = n.input(0);
  if (dims.length !== 4) n.fail(`needs an input of rank 4, but got ${formatDims(dims)}`);
  return dims as unknown as Dims4;
}

/** The split axes `dims` in the order `perm`. */
function permuted(dims: readonly number[], perm: readonly number[]): Walk {
  const strides = stridesOf(dims);
  return { dims: perm.map((i) => dims[i] as number), strides: perm.map((i) => strides[i] as number), offset: 0 };
}

type DepthView = NodeView<{ readonly blocksize: number; readonly mode: string }>;

function depthToSpaceDims(n: DepthView): number[] {
  const [b, c, h, w] = imageDims(n);
  const r = n.attributes.blocksize;
  if (r < 1 || c % (r * r) !== 0) n.fail(`has ${c} channels, which blocks of ${r}x${r} do not divide`);
  return [b, c / (r * r), h * r, w * r];
}

function depthToSpaceWalk(n: DepthView): Walk {
  const [b, c, h, w] = imageDims(n);
  const r = n.attributes.blocksize;
  return n.attributes.mode === 'CRD'
    ? permuted([b, c / (r * r), r, r, h, w], [0, 1, 4, 2, 5, 3])
    : permuted([b, r, r, c / (r * r), h, w], [0, 3, 4, 1, 5, 2]);
}

const depthToSpace = defineOp({
  name: 'DepthToSpace',
  attributes: { blocksize: required('int'), mode: string('DCR') },
  infer(n) {
    const { mode } = n.attributes;
    if (mode !== 'DCR' && mode !== 'CRD') n.fail(`has the mode "${mode}"; expected DCR or CRD`);
    return [{ dtype: n.input(0).dtype, dims: depthToSpaceDims(n) }];
  },
  reference: (n, [x]) => [
    { ...walkCopy(x ?? n.fail('lacks its input'), depthToSpaceWalk(n)), dims: depthToSpaceDims(n) },
  ],
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { blocksize: r, mode } = n.attributes;
    if (mode === 'DCR') return b.add('SpaceToDepth', [gradient], { blocksize: r });
    const [batch, c, h, w] = imageDims(n);
    const blocks = reshape(b, gradient, [batch, c / (r * r), h, r, w, r]);
    return [reshape(b, b.add('Transpose', [blocks], { perm: [0, 1, 3, 5, 2, 4] })[0] as string, n.input(0).dims)];
  },
  kernels: [stridedKernel(depthToSpaceWalk)],
});

type SpaceView = NodeView<{ readonly blocksize: number }>;

function spaceToDepthDims(n: SpaceView): number[] {
  const [b, c, h, w] = imageDims(n);
  const r = n.attributes.blocksize;
  if (r < 1 || h % r !== 0 || w % r !== 0) n.fail(`has images of ${h}x${w}, which blocks of ${r}x${r} do not divide`);
  return [b, c * r * r, h / r, w / r];
}

function spaceToDepthWalk(n: SpaceView): Walk {
  const [b, c, h, w] = imageDims(n);
  const r = n.attributes.blocksize;
  return permuted([b, c, h / r, r, w / r, r], [0, 3, 5, 1, 2, 4]);
}

const spaceToDepth = defineOp({
  name: 'SpaceToDepth',
  attributes: { blocksize: required('int') },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: spaceToDepthDims(n) }],
  reference: (n, [x]) => [
    { ...walkCopy(x ?? n.fail('lacks its input'), spaceToDepthWalk(n)), dims: spaceToDepthDims(n) },
  ],
  grad: (n, b, [gradient]) =>
    gradient === undefined ? [] : b.add('DepthToSpace', [gradient], { blocksize: n.attributes.blocksize }),
  kernels: [stridedKernel(spaceToDepthWalk)],
});

export default [depthToSpace, spaceToDepth];

export const cases: Record<string, OpCase[]> = {
  DepthToSpace: [
    { name: 'DCR', inputs: [{ dims: [2, 8, 3, 5] }], attributes: { blocksize: 2 } },
    { name: 'CRD 3x3', inputs: [{ dims: [1, 9, 4, 4] }], attributes: { blocksize: 3, mode: 'CRD' } },
  ],
  SpaceToDepth: [{ name: '2x2', inputs: [{ dims: [2, 3, 4, 6] }], attributes: { blocksize: 2 } }],
};
