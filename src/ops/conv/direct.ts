// Convolution and its transpose by register tiles without staging and without subgroups: variant `direct`, for
// software adapters and for whatever no other variant takes.

import directText from '../../../shaders/conv-direct.wgsl?raw';
import tileText from '../../../shaders/conv-tile.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { biasConstant, type Convolution, type Factors, isFloating, ownFactors, tileUniforms } from './parts';
import { type ConvShape, packedQuads } from './shape';

const workgroup = 64;

function tiling(shape: ConvShape, { pixelQuads = 1, channelQuads = 1 }: Tunables) {
  const pixelTiles = ceilDiv(shape.pixels, 4 * pixelQuads);
  const channelTiles = ceilDiv(packedQuads(shape).outputs, channelQuads);
  const counts = { pixelTiles, channelTiles, tiles: pixelTiles * channelTiles * shape.groups * shape.planes };
  return { pixelQuads, channelQuads, counts };
}

export function directCost(n: NodeView, shape: ConvShape, t: Tunables): Cost {
  const { pixelQuads, channelQuads, counts } = tiling(shape, t);
  const { tiles } = counts;
  const steps = shape.taps * packedQuads(shape).inputs;
  const loads = 16 * (pixelQuads + channelQuads);
  return {
    // Besides its products a step has address and mask arithmetic; a tile has to find its place and to store.
    flops: tiles * (steps * (128 * pixelQuads * channelQuads + 200 * pixelQuads) + 2000),
    traffic: byteSize(deviceType(n.input(0).dtype)) * tiles * (steps * loads + 16 * pixelQuads * channelQuads),
    workgroups: ceilDiv(tiles, workgroup),
  };
}

export function directDispatch(n: NodeView, shape: ConvShape, t: Tunables, factors: Factors): Dispatch {
  const { pixelQuads, channelQuads, counts } = tiling(shape, t);
  const { x, weights, reading, biasAt, tail } = factors;
  return {
    label: `${n.node.op}.direct`,
    wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + tileText + windowText + directText,
    constants: {
      ...biasConstant(factors),
      WORKGROUP: workgroup,
      TRANSPOSED: reading === 'transposed' ? 1 : 0,
      POINTWISE: reading === 'planes' ? 1 : 0,
      PIXEL_QUADS: pixelQuads,
      CHANNEL_QUADS: channelQuads,
    },
    bindings: { x, weights, ...tail.bindings },
    uniforms: tileUniforms(shape, biasAt, counts),
    workgroups: oneEach(counts.tiles, workgroup),
  };
}

export function direct<A>(kind: Convolution<A>): Kernel<A> {
  return {
    name: 'direct',
    space: { pixelQuads: [2, 1], channelQuads: [2, 4, 1] },
    epilogueAxis: () => 1,
    when: isFloating,
    // Two quads of pixels pay only with two of channels; eight quads in all compile for too long.
    legal: (_, t) => t.pixelQuads === 1 || t.channelQuads === 2,
    cost: (n, t) => directCost(n, kind.sizes(n), t),
    dispatches(n, t) {
      const { factors, pack } = ownFactors(n, kind);
      return [pack, directDispatch(n, kind.sizes(n), t, factors)];
    },
  };
}
