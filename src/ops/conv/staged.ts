// Convolution staged through workgroup memory, the choice of real GPUs: Conv.implicitGemm for every
// convolution, Conv.pointwise for 1×1 kernels with stride 1.

import gatherText from '../../../shaders/conv-gather.wgsl?raw';
import pointwiseText from '../../../shaders/conv-pointwise.wgsl?raw';
import stagedText from '../../../shaders/conv-staged.wgsl?raw';
import tileText from '../../../shaders/conv-tile.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { isFloating, packedWeights, storeText, tileUniforms } from './parts';
import { type ConvAttributes, type ConvNode, convShape, hasWideGroups, isPointwise, packedQuads } from './shape';

/** Steps that are staged at a time; a step is four channels of one tap. */
const stage = 4;

function tiling(n: ConvNode, t: Tunables) {
  const { side = 16, pixelQuads = 1, channelQuads = 1 } = t;
  const shape = convShape(n);
  const quads = packedQuads(shape);
  const pixelTiles = ceilDiv(shape.pixels, 4 * side * pixelQuads);
  const channelTiles = ceilDiv(quads.outputs, side * channelQuads);
  return {
    shape,
    side,
    pixelQuads,
    channelQuads,
    pixelTiles,
    channelTiles,
    tiles: pixelTiles * channelTiles * shape.groups * shape.planes,
    stages: ceilDiv(shape.taps * quads.inputs, stage),
  };
}

/** Bytes of workgroup memory: lines of four pixels and of four channels, 16 bytes each. */
function sharedBytes({ side = 16, pixelQuads = 1, channelQuads = 1 }: Tunables): number {
  return 16 * stage * 4 * (side * pixelQuads + 1 + side * channelQuads);
}

function cost(n: ConvNode, t: Tunables): Cost {
  const { side, pixelQuads, channelQuads, tiles, stages } = tiling(n, t);
  const steps = tiles * stages * stage;
  const invocationSteps = steps * side * side;
  const staged = 16 * side * (pixelQuads + channelQuads);
  return {
    flops: invocationSteps * 128 * pixelQuads * channelQuads + steps * staged * 8,
    traffic:
      byteSize(deviceType(n.input(0).dtype)) * (steps * staged + tiles * 16 * side * side * pixelQuads * channelQuads),
    shared: 4 * steps * staged + invocationSteps * 64 * (pixelQuads + channelQuads),
    workgroups: tiles,
  };
}

function dispatches(n: ConvNode, t: Tunables, pointwise: boolean): Dispatch[] {
  const { shape, side, pixelQuads, channelQuads, pixelTiles, channelTiles, tiles } = tiling(n, t);
  const packed = packedWeights(n, shape);
  const tail = storeText(n, shape.pixels % 4 === 0);
  const pixels = pointwise ? loadPixelsText(shape.pixels % 4 === 0) + pointwiseText : windowText + gatherText;
  return [
    packed.dispatch,
    {
      label: `Conv.${pointwise ? 'pointwise' : 'implicitGemm'}`,
      wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + tileText + stagedText + pixels,
      constants: { SIDE: side, PIXEL_QUADS: pixelQuads, CHANNEL_QUADS: channelQuads, STAGE: stage },
      bindings: { x: { input: 0 }, weights: packed.operand, ...tail.bindings },
      uniforms: tileUniforms(shape, packed.biasAt, { pixelTiles, channelTiles, tiles }),
      workgroups: foldWorkgroups(tiles),
    },
  ];
}

/** `loadPixels`: one load where every channel starts at a whole quad, else four. */
function loadPixelsText(quadsAligned: boolean): string {
  const body = quadsAligned ? 'vec4f(x[at >> 2u])' : 'vec4f(vec4<elem>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]))';
  return `
@group(0) @binding(0) var<storage, read> x: array<${quadsAligned ? 'elem4' : 'elem'}>;
fn loadPixels(at: u32) -> vec4f { return ${body}; }
`;
}

const space = { side: [16, 8], pixelQuads: [2, 1], channelQuads: [2, 1] };

export const implicitGemm: Kernel<ConvAttributes> = {
  name: 'implicitGemm',
  space,
  epilogueAxis: () => 1,
  when: (n) => isFloating(n) && hasWideGroups(convShape(n)),
  legal: (_, t, { limits }) => sharedBytes(t) <= limits.maxComputeWorkgroupStorageSize,
  cost,
  dispatches: (n, t) => dispatches(n, t, false),
};

export const pointwise: Kernel<ConvAttributes> = {
  ...implicitGemm,
  name: 'pointwise',
  when: (n) => isFloating(n) && hasWideGroups(convShape(n)) && isPointwise(convShape(n)),
  // The gather's address arithmetic, which is left out, costs about as much as its loads.
  cost(n, t) {
    const whole = cost(n, t);
    return { ...whole, flops: 0.95 * whole.flops, traffic: 0.95 * whole.traffic };
  },
  dispatches: (n, t) => dispatches(n, t, true),
};
