// Convolution and its transpose by register tiles whose weights four neighbouring invocations share through
// subgroups: variant `quad`, the choice of software adapters that have them.

import quadText from '../../../shaders/conv-quad.wgsl?raw';
import planesText from '../../../shaders/conv-quad-planes.wgsl?raw';
import quadWindowText from '../../../shaders/conv-quad-window.wgsl?raw';
import tileText from '../../../shaders/conv-tile.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { biasConstant, type Convolution, type Factors, isFloating, ownFactors, readingOf, tileUniforms } from './parts';
import { type ConvShape, hasWideGroups, packedQuads } from './shape';

const workgroup = 16;

/** A tile is one quad of pixels by four of outputs; four neighbours own tiles of the same outputs. */
function tiling(shape: ConvShape) {
  const pixelTiles = 4 * ceilDiv(shape.pixels, 16);
  const channelTiles = ceilDiv(packedQuads(shape).outputs, 4);
  return { pixelTiles, channelTiles, tiles: pixelTiles * channelTiles * shape.groups * shape.planes };
}

/** Whether x can be read in whole quads. */
function inQuads(shape: ConvShape, reading: Factors['reading']): boolean {
  return reading === 'planes' && shape.inputStep % 4 === 0;
}

/** Real GPUs keep shared weights in cache, and need not number a quad's invocations in order. */
export function hasQuads(adapter: AdapterProfile): boolean {
  return adapter.software && adapter.features.includes('subgroups');
}

export function quadCost(n: NodeView, shape: ConvShape, reading: Factors['reading']): Cost {
  const { tiles } = tiling(shape);
  const steps = shape.taps * packedQuads(shape).inputs;
  return {
    // Besides its products a step has the swap of weights, and addresses and masks of single pixels; a tile has to
    // find its place, and its store is spelt out.
    flops: tiles * (steps * (512 + 64 + (inQuads(shape, reading) ? 0 : 600)) + 2000),
    traffic: byteSize(deviceType(n.input(0).dtype)) * tiles * (steps * 32 + 64),
    workgroups: ceilDiv(tiles, workgroup),
  };
}

export function quadDispatch(n: NodeView, shape: ConvShape, factors: Factors): Dispatch {
  const counts = tiling(shape);
  const { x, weights, reading, biasAt, tail } = factors;
  const whole = inQuads(shape, reading);
  const pixels = whole ? planesText : windowText + quadWindowText;
  const gather = { TRANSPOSED: reading === 'transposed' ? 1 : 0, POINTWISE: reading === 'planes' ? 1 : 0 };
  return {
    label: `${n.node.op}.quad`,
    wgsl: `enable subgroups;\n${elemAliases(n.input(0).dtype)}${linearHelpers}${tail.text}${tileText}${quadText}${pixels}`,
    constants: { ...biasConstant(factors), WORKGROUP: workgroup, ...(whole ? {} : gather) },
    bindings: { x, weights, ...tail.bindings },
    uniforms: tileUniforms(shape, biasAt, counts),
    workgroups: oneEach(counts.tiles, workgroup),
    uniformFlow: true,
  };
}

export function quad<A>(kind: Convolution<A>): Kernel<A> {
  return {
    name: 'quad',
    epilogueAxis: () => 1,
    when: (n, adapter) => hasQuads(adapter) && hasWideGroups(kind.sizes(n)) && isFloating(n),
    cost: (n) => quadCost(n, kind.sizes(n), readingOf(n, kind)),
    dispatches(n) {
      const { factors, pack } = ownFactors(n, kind);
      return [pack, quadDispatch(n, kind.sizes(n), factors)];
    },
  };
}
