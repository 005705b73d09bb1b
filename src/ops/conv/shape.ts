// A convolution's sizes, read off its node once: what every variant, the reference and the shape rule use.

import { ceilDiv, type Dims, sizeOf } from '../../base/shape';
import { type AttributesOf, int } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { perAxis, slidingWindow, spatialDims, type Window, windowAttributes } from '../window';

export const convAttributes = { ...windowAttributes, group: int(1) };
export type ConvAttributes = AttributesOf<typeof convAttributes>;
export type ConvNode = NodeView<ConvAttributes>;

export interface ConvShape {
  readonly batch: number;
  readonly groups: number;
  /** Input channels of one group. */
  readonly channels: number;
  /** Output channels of one group. */
  readonly groupOut: number;
  readonly window: Window;
  /** Taps of the window, in all axes. */
  readonly taps: number;
  /** Elements between input channels, between output channels. */
  readonly inputStep: number;
  readonly outputStep: number;
  /** Pixels of one output plane: one image at one depth. */
  readonly pixels: number;
  /** Output planes: images × output depth. */
  readonly planes: number;
}

const shapes = new WeakMap<ConvNode, ConvShape>();

export function convShape(n: ConvNode): ConvShape {
  let shape = shapes.get(n);
  if (!shape) {
    shape = readShape(n);
    shapes.set(n, shape);
  }
  return shape;
}

function readShape(n: ConvNode): ConvShape {
  const { spatial, weights, kernel } = weightsOf(n);
  const [outputs = 0, channels = 0] = weights;
  const groups = n.attributes.group;
  const inputs = n.input(0).dims[1];
  if (channels * groups !== inputs) {
    n.fail(`has ${inputs} input channels, but weights and group ${groups} need ${channels * groups}`);
  }
  if (outputs % groups !== 0) n.fail(`has ${outputs} output channels, which ${groups} groups do not divide`);
  return sizes(n, groups, channels, outputs / groups, kernel, slidingWindow(n, spatial, kernel));
}

/** What every kind of convolution demands of its weights: rank and type of the input, and the stated kernel. */
export function weightsOf(n: ConvNode): { spatial: Dims; weights: Dims; kernel: Dims } {
  const x = n.input(0);
  const w = n.input(1);
  const spatial = spatialDims(n, x.dims);
  if (w.dims.length !== x.dims.length) {
    n.fail(`has weights of rank ${w.dims.length}, but ${x.dims.length} was expected`);
  }
  if (w.dtype !== x.dtype) n.fail(`has weights of type ${w.dtype}, but its input is ${x.dtype}`);
  const kernel = w.dims.slice(2);
  const stated = perAxis(n, 'kernel_shape', n.attributes.kernel_shape, kernel.length, 1);
  if (n.attributes.kernel_shape && stated.some((k, i) => k !== kernel[i])) {
    n.fail(`has kernel_shape [${stated}], but its weights are [${kernel}]`);
  }
  return { spatial, weights: w.dims, kernel };
}

/** All sizes of a convolution from its window and the channels of one group. Checks the bias on the way. */
export function sizes(
  n: ConvNode,
  groups: number,
  channels: number,
  groupOut: number,
  kernel: Dims,
  window: Window,
): ConvShape {
  const [batch = 0, , ...spatial] = n.input(0).dims;
  const outputs = groups * groupOut;
  const bias = n.inputs[2];
  if (bias && (bias.dims.length !== 1 || bias.dims[0] !== outputs)) {
    n.fail(`has a bias that is not of shape [${outputs}]`);
  }
  const outputStep = sizeOf(window.output);
  const depth = window.output[0] as number;
  return {
    batch,
    groups,
    channels,
    groupOut,
    window,
    taps: sizeOf(kernel),
    inputStep: sizeOf(spatial),
    outputStep,
    pixels: outputStep / depth,
    planes: batch * depth,
  };
}

/** Input channels in fours, output channels of a group in fours: weights are packed, and padded, so. */
export function packedQuads(shape: ConvShape): { inputs: number; outputs: number } {
  return { inputs: ceilDiv(shape.channels, 4), outputs: ceilDiv(shape.groupOut, 4) };
}

/** A 1×1 kernel over the whole image in one plane: output pixels are input pixels, by number. */
export function isPointwise({ window, taps, inputStep, pixels }: ConvShape): boolean {
  const unmoved = window.strides.every((s, i) => (s === 1 || window.output[i] === 1) && window.begins[i] === 0);
  return taps === 1 && inputStep === pixels && unmoved;
}

/** Whether groups are wide enough that quads of channels and of outputs are not mostly padding. */
export function hasWideGroups({ groups, channels, groupOut }: ConvShape): boolean {
  return groups === 1 || (channels > 2 && groupOut > 2);
}
