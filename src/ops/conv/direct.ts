// Convolution and its transpose by register tiles without staging, the choice of software adapters: variant
// `direct` everywhere, `quad` where invocations can share weights through subgroups.

import directText from '../../../shaders/conv-direct.wgsl?raw';
import quadText from '../../../shaders/conv-quad.wgsl?raw';
import tileText from '../../../shaders/conv-tile.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { isFloating, packedWeights, storeText, tileUniforms, type WeightSteps } from './parts';
import { type ConvShape, hasWideGroups, isPointwise, packedQuads } from './shape';

const workgroup = 64;

/** What one invocation owns: quads of pixels and of output channels. */
interface Tile {
  readonly pixelQuads: number;
  readonly channelQuads: number;
  /** Four neighbours share outputs, so that each loads a quarter of the weights. */
  readonly shared: boolean;
}

interface TileVariant {
  readonly transposed: boolean;
  /** Where weights lie, if not in Conv's order. */
  readonly weightSteps?: (shape: ConvShape) => WeightSteps;
}

function tiling(shape: ConvShape, tile: Tile) {
  const quads = ceilDiv(shape.pixels, 4 * tile.pixelQuads);
  const pixelTiles = tile.shared ? 4 * ceilDiv(quads, 4) : quads;
  const channelTiles = ceilDiv(packedQuads(shape).outputs, tile.channelQuads);
  return { pixelTiles, channelTiles, tiles: pixelTiles * channelTiles * shape.groups * shape.planes };
}

function tileCost(n: NodeView, shape: ConvShape, tile: Tile): Cost {
  const { pixelQuads, channelQuads, shared } = tile;
  const { tiles } = tiling(shape, tile);
  const steps = shape.taps * packedQuads(shape).inputs;
  const loads = 16 * (pixelQuads + (shared ? 1 : channelQuads));
  return {
    // Besides its products a step has address and mask arithmetic, and the hand-over of shared weights.
    flops: tiles * steps * (128 * pixelQuads * channelQuads + 80 * pixelQuads + (shared ? 64 : 0)),
    traffic: byteSize(deviceType(n.input(0).dtype)) * tiles * (steps * loads + 16 * pixelQuads * channelQuads),
    workgroups: ceilDiv(tiles, workgroup),
  };
}

function tileDispatches(n: NodeView, shape: ConvShape, tile: Tile, variant: TileVariant): Dispatch[] {
  const { pixelTiles, channelTiles, tiles } = tiling(shape, tile);
  const packed = packedWeights(n, shape, variant.weightSteps?.(shape));
  const tail = storeText(n, shape.pixels % 4 === 0);
  const front = elemAliases(n.input(0).dtype) + linearHelpers + tail.text + tileText + windowText;
  const constants = {
    WORKGROUP: workgroup,
    TRANSPOSED: variant.transposed ? 1 : 0,
    POINTWISE: isPointwise(shape) ? 1 : 0,
  };
  return [
    packed.dispatch,
    {
      label: `${n.node.op}.${tile.shared ? 'quad' : 'direct'}`,
      wgsl: tile.shared ? `enable subgroups;\n${front}${quadText}` : front + directText,
      constants: tile.shared
        ? constants
        : { ...constants, PIXEL_QUADS: tile.pixelQuads, CHANNEL_QUADS: tile.channelQuads },
      bindings: { x: { input: 0 }, weights: packed.operand, ...tail.bindings },
      uniforms: tileUniforms(shape, packed.biasAt, { pixelTiles, channelTiles, tiles }),
      workgroups: oneEach(tiles, workgroup),
    },
  ];
}

const quadTile: Tile = { pixelQuads: 1, channelQuads: 4, shared: true };

/** The variants `direct` and `quad` of an operator whose sizes `shapeOf` reads. */
export function tileKernels<A>(shapeOf: (n: NodeView<A>) => ConvShape, variant: TileVariant): Kernel<A>[] {
  const tileOf = (t: Tunables): Tile => ({
    pixelQuads: t.pixelQuads ?? 1,
    channelQuads: t.channelQuads ?? 1,
    shared: false,
  });
  return [
    {
      name: 'direct',
      space: { pixelQuads: [2, 1], channelQuads: [2, 4, 1] },
      epilogueAxis: () => 1,
      when: isFloating,
      // Two quads of pixels pay only with two of channels; eight quads in all compile for too long.
      legal: (_, t) => t.pixelQuads === 1 || t.channelQuads === 2,
      cost: (n, t) => tileCost(n, shapeOf(n), tileOf(t)),
      dispatches: (n, t) => tileDispatches(n, shapeOf(n), tileOf(t), variant),
    },
    {
      name: 'quad',
      epilogueAxis: () => 1,
      // Real GPUs keep shared weights in cache, and need not number a quad's invocations in order.
      when: (n, adapter) =>
        adapter.software && adapter.features.includes('subgroups') && hasWideGroups(shapeOf(n)) && isFloating(n),
      cost: (n) => tileCost(n, shapeOf(n), quadTile),
      dispatches: (n) => tileDispatches(n, shapeOf(n), quadTile, variant),
    },
  ];
}
