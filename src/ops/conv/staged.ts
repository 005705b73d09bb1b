// Convolution and its transpose staged through workgroup memory, the choice of real GPUs: `implicitGemm` for
// every window, `pointwise` for 1×1 kernels with stride 1.

import gatherText from '../../../shaders/conv-gather.wgsl?raw';
import pointwiseText from '../../../shaders/conv-pointwise.wgsl?raw';
import stagedText from '../../../shaders/conv-staged.wgsl?raw';
import tileText from '../../../shaders/conv-tile.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { biasConstant, type Convolution, type Factors, isFloating, ownFactors, tileUniforms } from './parts';
import { type ConvShape, hasWideGroups, isPointwise, packedQuads } from './shape';

/** Steps that are staged at a time; a step is four channels of one tap. */
const stage = 4;

function tiling(shape: ConvShape, { side = 16, pixelQuads = 1, channelQuads = 1 }: Tunables) {
  const quads = packedQuads(shape);
  const pixelTiles = ceilDiv(shape.pixels, 4 * side * pixelQuads);
  const channelTiles = ceilDiv(quads.outputs, side * channelQuads);
  const counts = { pixelTiles, channelTiles, tiles: pixelTiles * channelTiles * shape.groups * shape.planes };
  return { side, pixelQuads, channelQuads, counts, stages: ceilDiv(shape.taps * quads.inputs, stage) };
}

/** Bytes of workgroup memory: lines of four pixels and of four channels, 16 bytes each. */
function sharedBytes({ side = 16, pixelQuads = 1, channelQuads = 1 }: Tunables): number {
  return 16 * stage * 4 * (side * pixelQuads + 1 + side * channelQuads);
}

export function stagedFits(t: Tunables, { limits }: AdapterProfile): boolean {
  return sharedBytes(t) <= limits.maxComputeWorkgroupStorageSize;
}

export function stagedCost(n: NodeView, shape: ConvShape, t: Tunables, reading: Factors['reading']): Cost {
  const { side, pixelQuads, channelQuads, counts, stages } = tiling(shape, t);
  const { tiles } = counts;
  const steps = tiles * stages * stage;
  const invocationSteps = steps * side * side;
  const staged = 16 * side * (pixelQuads + channelQuads);
  // Planes need no address arithmetic, which costs about as much as a gather's loads.
  const gathered = reading === 'planes' ? 0.95 : 1;
  const stores = tiles * 16 * side * side * pixelQuads * channelQuads;
  return {
    flops: gathered * (invocationSteps * 128 * pixelQuads * channelQuads + steps * staged * 8),
    traffic: byteSize(deviceType(n.input(0).dtype)) * (gathered * steps * staged + stores),
    shared: 4 * steps * staged + invocationSteps * 64 * (pixelQuads + channelQuads),
    workgroups: tiles,
  };
}

export function stagedDispatch(n: NodeView, shape: ConvShape, t: Tunables, factors: Factors): Dispatch {
  const { side, pixelQuads, channelQuads, counts } = tiling(shape, t);
  const { x, weights, reading, biasAt, tail } = factors;
  const planes = reading === 'planes';
  const pixels = planes ? loadPixelsText(shape.inputStep % 4 === 0) + pointwiseText : windowText + gatherText;
  const constants = {
    ...biasConstant(factors),
    SIDE: side,
    PIXEL_QUADS: pixelQuads,
    CHANNEL_QUADS: channelQuads,
    STAGE: stage,
  };
  return {
    label: `${n.node.op}.${planes ? 'pointwise' : 'implicitGemm'}`,
    wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + tileText + stagedText + pixels,
    constants: planes ? constants : { ...constants, TRANSPOSED: reading === 'transposed' ? 1 : 0 },
    bindings: { x, weights, ...tail.bindings },
    uniforms: tileUniforms(shape, biasAt, counts),
    workgroups: foldWorkgroups(counts.tiles),
    uniformFlow: true,
  };
}

/** `loadPixels`: one load where every channel starts at a whole quad, else four. */
function loadPixelsText(quadsAligned: boolean): string {
  const body = quadsAligned ? 'vec4f(x[at >> 2u])' : 'vec4f(vec4<elem>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]))';
  return `
@group(0) @binding(0) var<storage, read> x: array<${quadsAligned ? 'elem4' : 'elem'}>;
fn loadPixels(at: u32) -> vec4f { return ${body}; }
`;
}

/** Variants `pointwise`, where x can be read in planes, and `implicitGemm`, which gathers. */
export function staged<A>(kind: Convolution<A>, reading: 'planes' | 'windows'): Kernel<A> {
  const planes = reading === 'planes';
  return {
    name: planes ? 'pointwise' : 'implicitGemm',
    space: { side: [16, 8], pixelQuads: [2, 1], channelQuads: [2, 1] },
    epilogueAxis: () => 1,
    when(n) {
      const shape = kind.sizes(n);
      return isFloating(n) && hasWideGroups(shape) && (!planes || isPointwise(shape));
    },
    legal: (_, t, adapter) => stagedFits(t, adapter),
    cost: (n, t) => stagedCost(n, kind.sizes(n), t, reading),
    dispatches(n, t) {
      const { factors, pack } = ownFactors(n, kind);
      const windows = kind.transposed ? 'transposed' : 'windows';
      return [pack, stagedDispatch(n, kind.sizes(n), t, { ...factors, reading: planes ? 'planes' : windows })];
    },
  };
}
