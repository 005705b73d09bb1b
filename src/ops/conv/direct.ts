// Conv.direct: register tiles without staging. Serves every convolution; the choice of software adapters.

import text from '../../../shaders/conv-direct.wgsl?raw';
import { byteSize } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel, Tunables } from '../../ir/kernel';
import { oneEach } from '../wgsl/dispatch';
import { canStore, elemText, packedWeights, storeText, windowUniforms } from './parts';
import { type ConvAttributes, type ConvNode, convShape, packedQuads } from './shape';

interface Tile {
  readonly pixelQuads: number;
  readonly channelQuads: number;
}

const workgroup = 64;

const tileOf = (t: Tunables) => t as unknown as Tile;

/** Tiles of pixels in a plane and of channels in a group, and how many invocations there are. */
function tiling(n: ConvNode, tile: Tile) {
  const shape = convShape(n);
  const pixelTiles = ceilDiv(shape.pixels, 4 * tile.pixelQuads);
  const channelTiles = ceilDiv(packedQuads(shape).outputs, tile.channelQuads);
  return { shape, pixelTiles, channelTiles, invocations: pixelTiles * channelTiles * shape.groups * shape.planes };
}

export const direct: Kernel<ConvAttributes> = {
  name: 'direct',
  space: { pixelQuads: [2, 1], channelQuads: [2, 4, 1] },
  epilogueAxis: () => 1,
  when: (n) => canStore(n, convShape(n).pixels % 4 === 0),
  legal: (_, t) => tileOf(t).pixelQuads * tileOf(t).channelQuads <= 4,
  cost(n, t) {
    const tile = tileOf(t);
    const { shape, invocations } = tiling(n, tile);
    const steps = shape.taps * packedQuads(shape).inputs;
    const loads = 16 * (tile.pixelQuads + tile.channelQuads);
    return {
      // Address and mask arithmetic of a step costs about as much as a third of a pixel quad's products.
      flops: invocations * steps * (128 * tile.pixelQuads * tile.channelQuads + 48 * tile.pixelQuads),
      traffic: byteSize(n.input(0).dtype) * invocations * (steps * loads + 16 * tile.pixelQuads * tile.channelQuads),
      workgroups: ceilDiv(invocations, workgroup),
    };
  },
  dispatches(n, t) {
    const tile = tileOf(t);
    const { shape, pixelTiles, channelTiles, invocations } = tiling(n, tile);
    const packed = packedWeights(n, shape);
    const tail = storeText(n, shape.pixels % 4 === 0);
    return [
      packed.dispatch,
      {
        label: 'Conv.direct',
        wgsl: elemText(n.input(0).dtype) + tail.text + text,
        constants: { WORKGROUP: workgroup, PIXEL_QUADS: tile.pixelQuads, CHANNEL_QUADS: tile.channelQuads },
        bindings: { x: { input: 0 }, weights: packed.operand, ...tail.bindings },
        uniforms: {
          ...windowUniforms(shape),
          inputStep: shape.inputStep,
          pixels: shape.pixels,
          outputStep: shape.outputStep,
          channels: shape.channels,
          groups: shape.groups,
          groupOut: shape.groupOut,
          outputQuads: packedQuads(shape).outputs,
          biasAt: packed.biasAt,
          pixelTiles,
          channelTiles,
          invocations,
        },
        workgroups: oneEach(invocations, workgroup),
      },
    ];
  },
};
