// Conv.winograd: 3×3 convolutions with stride 1 by Winograd's F(4×4, 3×3): input and weights are transformed in
// blocks, a product per point of the transform takes a quarter of the multiplications, and the sums are
// transformed back. https://arxiv.org/abs/1509.09308

import inputText from '../../../shaders/conv-winograd-input.wgsl?raw';
import outputText from '../../../shaders/conv-winograd-output.wgsl?raw';
import weightsText from '../../../shaders/conv-winograd-weights.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { storeText, sumsTail } from './parts';
import {
  mostScratch,
  pointWindow,
  productCost,
  productDispatch,
  productLegal,
  productSpace,
  together,
} from './product';
import { type ConvAttributes, type ConvNode, type ConvShape, convShape, hasWideGroups, packedQuads } from './shape';

const workgroup = 64;

/** Points of the transform: 6×6 inputs make a block of 4×4 outputs. */
const points = 36;

/** Below this many channels the transforms cost more than they save. */
const fewestChannels = 8;

function tiling(shape: ConvShape) {
  const [, outHeight, outWidth] = shape.window.output as [number, number, number];
  const tilesX = ceilDiv(outWidth, 4);
  const tilesY = ceilDiv(outHeight, 4);
  const tiles = shape.batch * tilesX * tilesY;
  // An odd number of quads: the 36 lines that an invocation walks must not all fall into the same lines of a cache.
  return { outWidth, outHeight, tilesX, tilesY, tiles, tileStep: 4 * (ceilDiv(tiles, 4) | 1) };
}

/** The product over channels, a group for each point: pixels are tiles. */
function pointsShape(shape: ConvShape): ConvShape {
  const { tiles, tileStep } = tiling(shape);
  return {
    batch: 1,
    groups: points * shape.groups,
    channels: shape.channels,
    groupOut: shape.groupOut,
    window: pointWindow([1, 1, tiles]),
    taps: 1,
    inputStep: tileStep,
    outputStep: tileStep,
    pixels: tiles,
    planes: 1,
  };
}

/** Bytes of transformed input, and of sums. */
function scratchBytes(shape: ConvShape): { v: number; sums: number } {
  const line = 4 * points * shape.groups * tiling(shape).tileStep;
  return { v: line * shape.channels, sums: line * shape.groupOut };
}

function weightsDispatch(n: ConvNode, shape: ConvShape, packed: Operand): Dispatch {
  const { inputs, outputs } = packedQuads(shape);
  const invocations = 4 * shape.groups * outputs * inputs;
  return {
    label: 'Conv.winogradWeights',
    wgsl: linearHelpers + weightsText,
    constants: { WORKGROUP: workgroup },
    bindings: { w: { input: 1 }, packed },
    uniforms: {
      groups: shape.groups,
      channels: shape.channels,
      groupOut: shape.groupOut,
      inputQuads: inputs,
      outputQuads: outputs,
    },
    workgroups: oneEach(invocations, workgroup),
    once: n.input(1).isConstant,
  };
}

function inputDispatch(shape: ConvShape, v: Operand): Dispatch {
  const { tilesX, tilesY, tiles, tileStep } = tiling(shape);
  const { input, begins } = shape.window;
  const channels = shape.groups * shape.channels;
  return {
    label: 'Conv.winogradInput',
    wgsl: linearHelpers + inputText,
    constants: { WORKGROUP: workgroup },
    bindings: { x: { input: 0 }, v },
    uniforms: {
      inHeight: input[1] as number,
      inWidth: input[2] as number,
      padY: begins[1] as number,
      padX: begins[2] as number,
      channels,
      tilesX,
      tilesY,
      tileStep,
      tiles,
    },
    workgroups: oneEach(channels * tiles, workgroup),
  };
}

function outputDispatch(n: ConvNode, shape: ConvShape, sums: Operand, weights: Operand): Dispatch {
  const { tilesX, tilesY, tiles, tileStep, outWidth, outHeight } = tiling(shape);
  const outputs = shape.groups * shape.groupOut;
  const tail = storeText(n, outWidth % 4 === 0);
  return {
    label: 'Conv.winogradOutput',
    wgsl: elemAliases('float32') + linearHelpers + tail.text + outputText,
    constants: { WORKGROUP: workgroup },
    // Without a bias anything stands in for it but the sums, which may be bound once only (plan/beside.ts).
    bindings: { sums, bias: n.has(2) ? { input: 2 } : weights, ...tail.bindings },
    uniforms: { outWidth, outHeight, outputs, hasBias: n.has(2) ? 1 : 0, tilesX, tilesY, tileStep, tiles },
    workgroups: oneEach(outputs * tiles, workgroup),
  };
}

export const winograd: Kernel<ConvAttributes> = {
  name: 'winograd',
  space: productSpace,
  epilogueAxis: () => 1,
  // Sums of transformed halves would overflow float16 and lose its few digits.
  when(n) {
    const shape = convShape(n);
    const { rank, kernel, strides, dilations } = shape.window;
    const square = [1, 2].every((i) => kernel[i] === 3 && strides[i] === 1 && dilations[i] === 1);
    const types = [n.input(0), n.output(0)].every((t) => t.dtype === 'float32');
    const { v, sums } = scratchBytes(shape);
    const fits = shape.channels >= fewestChannels && Math.max(v, sums) <= mostScratch;
    return types && rank === 2 && square && hasWideGroups(shape) && fits;
  },
  legal: (_, t, adapter) => productLegal(t, adapter),
  cost(n, t) {
    const shape = convShape(n);
    const { tiles } = tiling(shape);
    const inputs = tiles * shape.groups * shape.channels;
    const outputs = tiles * shape.groups * shape.groupOut;
    return together(
      productCost(n, pointsShape(shape), t),
      { flops: 500 * inputs, traffic: 4 * 2 * points * inputs, workgroups: ceilDiv(inputs, workgroup) },
      { flops: 300 * outputs, traffic: 4 * (points + 16) * outputs, workgroups: ceilDiv(outputs, workgroup) },
    );
  },
  dispatches(n, t) {
    const shape = convShape(n);
    const product = pointsShape(shape);
    const { inputs, outputs } = packedQuads(shape);
    const weights: Operand = { scratch: 'weights', bytes: 16 * product.groups * inputs * outputs * 4 };
    const bytes = scratchBytes(shape);
    const v: Operand = { scratch: 'transformed', bytes: bytes.v };
    const sums: Operand = { scratch: 'sums', bytes: bytes.sums };
    return [
      weightsDispatch(n, shape, weights),
      inputDispatch(shape, v),
      productDispatch(n, product, t, { x: v, reading: 'planes', weights, biasAt: undefined, tail: sumsTail(sums) }),
      outputDispatch(n, shape, sums, weights),
    ];
  },
};
