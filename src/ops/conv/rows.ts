// Conv.rows: convolutions of few input channels along output rows. See shaders/conv-rows.wgsl.

import text from '../../../shaders/conv-rows.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import type { Window } from '../window';
import { lineColumns, lineText, mostColumns, tapSum } from './lines';
import { isFloating, storeText, windowUniforms } from './parts';
import { hasQuads } from './quad';
import { type ConvAttributes, type ConvNode, convShape } from './shape';

const workgroup = 64;

/** Products of one step that are spelt out, above which the text takes too long to compile. */
const mostProducts = 64;

function tiling(n: ConvNode, { own = 1, lanes = 1 }: { own?: number; lanes?: number }) {
  const shape = convShape(n);
  const [, outHeight, outWidth] = shape.window.output as [number, number, number];
  const rowQuads = ceilDiv(outWidth, 4);
  const pixelTiles = lanes * ceilDiv(rowQuads * outHeight, lanes);
  const channelTiles = ceilDiv(shape.groupOut, lanes * own);
  return {
    shape,
    outWidth,
    rowQuads,
    pixelTiles,
    channelTiles,
    tiles: pixelTiles * channelTiles * shape.groups * shape.batch,
  };
}

/** Who an invocation is, and how it adds a line to the sums of its own outputs and of those whose weights it is lent. */
function outputsText(window: Window, own: number, lanes: number): string {
  const swaps = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'].slice(0, lanes);
  const outputs = Array.from({ length: own }, (_, i) => i);
  const taps = Array.from({ length: window.kernel[2] as number }, (_, k) => k);
  const adds = outputs.flatMap((i) => [
    ...taps.map((k) => `  let k${i}_${k} = f32(w[weights[${i}] + ${k}u]);`),
    ...swaps.map((swap, turn) => `  sums[${turn}][${i}] += ${tapSum('line', window, (k) => `${swap}(k${i}_${k})`)};`),
  ]);
  return `
struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,${lanes === 1 ? '' : ' @builtin(subgroup_invocation_id) lane: u32,'}
}
fn laneOf(at: Invocation) -> u32 { return ${lanes === 1 ? '0u' : 'at.lane & 3u'}; }
const OWN = ${own}u;
const LANES = ${lanes}u;
var<private> sums: array<array<vec4f, OWN>, LANES>; // by turn, then by own output
fn addLine(line: Line, weights: vec4u) {
${adds.join('\n')}
}
fn storeOwn(at: Place) {
${outputs.map((i) => `  storeRow(at, at.output + ${i}u, sums[0][${i}]);`).join('\n')}
${swaps
  .slice(1)
  .map((_, turn) => `  sums[${turn}] = sums[${turn + 1}];`)
  .join('\n')}
}
`;
}

export const rows: Kernel<ConvAttributes> = {
  name: 'rows',
  space: { own: [4, 2, 1], lanes: [4, 1] },
  epilogueAxis: () => 1,
  when(n) {
    const { taps, window } = convShape(n);
    return window.rank < 3 && taps > 0 && lineColumns(window) <= mostColumns && isFloating(n);
  },
  legal: (n, { own = 1, lanes = 1 }, adapter) =>
    (lanes === 1 || hasQuads(adapter)) && own * lanes * (convShape(n).window.kernel[2] as number) <= mostProducts,
  cost(n, t) {
    const { shape, tiles } = tiling(n, t);
    const { own = 1, lanes = 1 } = t;
    const { window, channels } = shape;
    const steps = channels * (window.kernel[1] as number);
    const kernelX = window.kernel[2] as number;
    const loads = steps * (lineColumns(window) + own * kernelX);
    return {
      // Besides its products a step has addresses and masks; a tile has to find its place, and stores output by output.
      flops: tiles * (steps * (own * lanes * kernelX * 8 + 60) + 800 + 160 * own * lanes),
      traffic: byteSize(deviceType(n.input(0).dtype)) * tiles * (loads + 4 * own * lanes),
      workgroups: ceilDiv(tiles, workgroup),
    };
  },
  dispatches(n, t) {
    const { shape, outWidth, rowQuads, pixelTiles, channelTiles, tiles } = tiling(n, t);
    const { own = 1, lanes = 1 } = t;
    const { window, channels, inputStep, taps, groups, groupOut } = shape;
    const tail = storeText(n, outWidth % 4 === 0, 5);
    const outputs = outputsText(window, own, lanes);
    const front = [lanes > 1 ? 'enable subgroups;\n' : '', elemAliases(n.input(0).dtype), linearHelpers, tail.text];
    return [
      {
        label: 'Conv.rows',
        wgsl: [...front, lineText(window), outputs, text].join(''),
        constants: { WORKGROUP: workgroup },
        bindings: { x: { input: 0 }, w: { input: 1 }, bias: { input: n.has(2) ? 2 : 1 }, ...tail.bindings },
        uniforms: {
          ...windowUniforms(window),
          channels,
          inputStep,
          taps,
          groups,
          groupOut,
          hasBias: n.has(2) ? 1 : 0,
          rowQuads,
          pixelTiles,
          channelTiles,
          tiles,
        },
        workgroups: oneEach(tiles, workgroup),
        uniformFlow: true,
      },
    ];
  },
};
