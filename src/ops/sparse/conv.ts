// Conv.sparse: convolution by constant weights that are mostly zeros, a product of their entries with strips of the input. See
// shaders/sparse-conv.wgsl. A 1×1 convolution reads the image itself (https://arxiv.org/abs/1911.09723); for any other one strips
// are written out first, once for every horizontal tap, where an entry has its offset (https://arxiv.org/abs/1608.01409).

import text from '../../../shaders/sparse-conv.wgsl?raw';
import stripsText from '../../../shaders/sparse-conv-strips.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand, Tunables } from '../../ir/kernel';
import type { Pattern } from '../../ir/pattern';
import { isFloating, storeText } from '../conv/parts';
import { mostScratch } from '../conv/product';
import { type ConvAttributes, type ConvNode, type ConvShape, convShape, isPointwise } from '../conv/shape';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { packSlices, slicesOf } from './pack';

const workgroup = 64;

/** Rows of a strip that one invocation writes. */
const stripRows = 8;

/** Storage buffers of the kernel itself, which leaves the rest to a fused program. */
const ownBuffers = 6;

const elementBytes = (n: ConvNode) => byteSize(deviceType(n.input(0).dtype));

function patternOf(n: ConvNode): Pattern {
  return n.input(1).pattern ?? n.fail('has no weights that are mostly zeros');
}

interface Strips {
  readonly outHeight: number;
  readonly outWidth: number;
  readonly strideY: number;
  readonly columnQuads: number;
  /** Horizontal taps, rows of a strip, and what a vertical tap moves by. */
  readonly kernelX: number;
  readonly rows: number;
  readonly dilationY: number;
  /** All quads that are written, and their bytes; 0 for an image that is read as it lies. */
  readonly quads: number;
  readonly bytes: number;
}

/** An image of whole quads is a strip of its own, of rows of four pixels: which pixel is where does not matter to 1×1. */
function stripsOf(n: ConvNode, shape: ConvShape): Strips {
  const { pixels, window, batch, groups, channels } = shape;
  if (isPointwise(shape) && pixels % 4 === 0) {
    const rows = pixels / 4;
    const taps = { kernelX: 1, rows, dilationY: 1 };
    return { ...taps, outHeight: rows, outWidth: 4, strideY: 1, columnQuads: 1, quads: 0, bytes: 0 };
  }
  const [, outHeight = 0, outWidth = 0] = window.output;
  const [, strideY = 1] = window.strides;
  const [, dilationY = 1] = window.dilations;
  const [, kernelY = 1, kernelX = 1] = window.kernel;
  const rows = Math.max(1, (outHeight - 1) * strideY + (kernelY - 1) * dilationY + 1);
  const columnQuads = ceilDiv(outWidth, 4);
  const quads = batch * columnQuads * groups * channels * kernelX * rows;
  const bytes = 4 * elementBytes(n) * quads;
  return { outHeight, outWidth, strideY, columnQuads, kernelX, rows, dilationY, quads, bytes };
}

function tiling(n: ConvNode, { quads = 1, line = 1 }: Tunables) {
  const shape = convShape(n);
  const strips = stripsOf(n, shape);
  const blocks = ceilDiv(strips.outHeight, line * quads);
  const parts = shape.batch * strips.columnQuads * blocks;
  return { shape, strips, blocks, parts, invocations: parts * line * patternOf(n).rows };
}

/**
 * Where an entry meets the first output row of a strip: an index times `columnStep`, which 16 bits hold more often where all
 * taps are horizontal.
 */
function placeOf({ channels, taps }: ConvShape, { kernelX, rows, dilationY }: Strips) {
  if (taps === kernelX) return { columnStep: rows };
  const text = `fn packedIndex(column: u32) -> u32 {
  let channel = column / ${taps}u;
  let tap = column % ${taps}u;
  return (channel * ${kernelX}u + tap % ${kernelX}u) * ${rows}u + tap / ${kernelX}u * ${dilationY}u;
}
`;
  return { index: { text, most: channels * kernelX * rows }, columnStep: 1 };
}

function biasText(n: ConvNode): string {
  if (!n.has(2)) return 'fn biasOf(channel: u32) -> f32 { return 0.0; }\n';
  return `@group(0) @binding(6) var<storage, read> bias: array<elem>;
fn biasOf(channel: u32) -> f32 { return f32(bias[channel]); }
`;
}

/** By position in the order of the packing: the first entry plus how many of the last four are padding; the output channel. */
function channelTable(pattern: Pattern): Uint32Array<ArrayBuffer> {
  const { table, slices, quads } = slicesOf(pattern, 'rows', 1);
  const channels = new Uint32Array(2 * slices + 2);
  for (let i = 0; i < slices; i++) {
    const channel = table[slices + 1 + i] as number;
    const padding = -(pattern.perRow[channel] as number) & 3;
    channels.set([4 * (table[i] as number) + padding, channel], 2 * i);
  }
  channels[2 * slices] = 4 * quads;
  return channels;
}

function stripsDispatch(n: ConvNode, operand: Operand): Dispatch {
  const shape = convShape(n);
  const { columnQuads, rows, kernelX } = stripsOf(n, shape);
  const { input, strides, dilations, begins } = shape.window;
  const channels = shape.groups * shape.channels;
  const blocks = ceilDiv(rows, stripRows);
  const invocations = shape.batch * columnQuads * channels * blocks;
  return {
    label: 'Conv.strips',
    wgsl: [elemAliases(n.input(0).dtype), linearHelpers, stripsText].join(''),
    constants: { WORKGROUP: workgroup, ROWS: stripRows },
    bindings: { x: { input: 0 }, strips: operand },
    uniforms: {
      inWidth: input[2] as number,
      inHeight: input[1] as number,
      channels,
      columnQuads,
      rows,
      blocks,
      kernelX,
      strideX: strides[2] as number,
      dilationX: dilations[2] as number,
      padX: begins[2] as number,
      padY: begins[1] as number,
      invocations,
    },
    workgroups: oneEach(invocations, workgroup),
  };
}

export const sparse: Kernel<ConvAttributes> = {
  name: 'sparse',
  sparse: true,
  space: { quads: [8, 7, 4, 1], line: [1, 32, 8] },
  epilogueAxis: () => 1,
  when(n, { limits }) {
    const { isConstant, pattern } = n.input(1);
    const shape = convShape(n);
    const fits = shape.window.rank < 3 && stripsOf(n, shape).bytes <= mostScratch;
    const known = isConstant && pattern !== undefined && isFloating(n);
    return known && fits && ownBuffers + n.operands.length <= limits.maxStorageBuffersPerShaderStage;
  },
  // On a GPU neighbours read neighbouring quads; what a software adapter executes at once may as well be several channels.
  legal(n, { quads = 1, line = 1 }, { software }) {
    const suits = software ? line < 32 : line > 1 && quads < 7;
    return suits && line * quads < 2 * Math.max(8, stripsOf(n, convShape(n)).outHeight);
  },
  cost(n, t) {
    const { quads = 1 } = t;
    const { strips, invocations } = tiling(n, t);
    const { rows, nonZeros } = patternOf(n);
    const bytes = elementBytes(n);
    // Each entry meets every block.
    const meetings = (invocations / rows) * nonZeros;
    return {
      flops: meetings * 8 * quads + strips.quads * 60,
      // A turn of the loop carries its sums along; an invocation has to find its place, and to store.
      emulated: meetings * 100 + invocations * (400 + 100 * quads),
      traffic: meetings * (4 + bytes + 4 * bytes * quads) + invocations * (12 + 4 * bytes * quads) + 2 * strips.bytes,
      workgroups: ceilDiv(invocations, workgroup),
      dispatches: strips.bytes > 0 ? 2 : 1,
    };
  },
  dispatches(n, t) {
    const { quads = 1, line = 1 } = t;
    const { shape, strips, blocks, parts, invocations } = tiling(n, t);
    const { outHeight, outWidth, strideY, columnQuads, kernelX, rows, bytes } = strips;
    const pattern = patternOf(n);
    const { index, columnStep } = placeOf(shape, strips);
    const packed = packSlices(n, { input: 1, pattern, along: 'rows', slice: 1, ...(index && { index }) });
    const operand: Operand = bytes > 0 ? { scratch: 'strips', bytes } : { input: 0 };
    const tail = storeText(n, outWidth % 4 === 0, ownBuffers + 1);
    const product: Dispatch = {
      label: 'Conv.sparse',
      wgsl: [elemAliases(n.input(0).dtype), linearHelpers, tail.text, biasText(n), text].join(''),
      constants: { WORKGROUP: workgroup, LINE: line, QUADS: quads, WIDE: Number(packed.wide) },
      bindings: {
        values: packed.values,
        columns: packed.columns,
        strips: operand,
        channels: { table: 'channels', data: channelTable(pattern) },
        ...(n.has(2) && { bias: { input: 2 } }),
        ...tail.bindings,
      },
      uniforms: {
        ...{ outputs: pattern.rows, groups: shape.groups, groupOut: shape.groupOut },
        ...{ groupStep: shape.channels * kernelX * rows, columnStep, outHeight, outWidth, strideY },
        ...{ columnQuads, blocks, parts },
      },
      workgroups: oneEach(invocations, workgroup),
    };
    return [packed.dispatch, ...(bytes > 0 ? [stripsDispatch(n, operand)] : []), product];
  },
};
