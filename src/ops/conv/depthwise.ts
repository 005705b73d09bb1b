// Convolutions whose every output reads a single input channel: `depthwise` for kernels up to 5 wide, and
// `depthwiseRows`, which shares what it loads among output rows, for 3×3. Wider, dilated or 3-D ones are left to the
// general variants.

import text from '../../../shaders/conv-depthwise.wgsl?raw';
import rowsText from '../../../shaders/conv-depthwise-rows.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { isFloating, storeText, windowUniforms } from './parts';
import { type ConvAttributes, type ConvNode, convShape } from './shape';

const workgroup = 64;

/** Quads of columns in an output row, and invocations: one a quad. */
function tiling(n: ConvNode) {
  const shape = convShape(n);
  const outputs = shape.groups * shape.groupOut;
  const [, outHeight, outWidth] = shape.window.output as [number, number, number];
  const rowQuads = ceilDiv(outWidth, 4);
  return { shape, outputs, outWidth, rowQuads, invocations: rowQuads * outHeight * shape.batch * outputs };
}

interface Variant {
  readonly name: string;
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Those that the variant has besides the common ones. */
  readonly uniforms: Readonly<Record<string, number>>;
  readonly invocations: number;
}

function dispatch(n: ConvNode, { name, text, constants, uniforms, invocations }: Variant): Dispatch {
  const { shape, outputs, outWidth, rowQuads } = tiling(n);
  const tail = storeText(n, outWidth % 4 === 0, 5);
  return {
    label: `Conv.${name}`,
    wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + text,
    constants: { WORKGROUP: workgroup, ...constants },
    bindings: { x: { input: 0 }, w: { input: 1 }, bias: { input: n.has(2) ? 2 : 1 }, ...tail.bindings },
    uniforms: {
      ...windowUniforms(shape.window),
      outputs,
      multiplier: shape.groupOut,
      hasBias: n.has(2) ? 1 : 0,
      rowQuads,
      invocations,
      ...uniforms,
    },
    workgroups: oneEach(invocations, workgroup),
  };
}

export const depthwise: Kernel<ConvAttributes> = {
  name: 'depthwise',
  epilogueAxis: () => 1,
  when(n) {
    const { channels, groups, window } = convShape(n);
    const [, , kernelX] = window.kernel as [number, number, number];
    const [, , strideX] = window.strides as [number, number, number];
    return (
      channels === 1 &&
      groups > 1 &&
      window.rank < 3 &&
      kernelX >= 2 &&
      kernelX <= 5 &&
      window.dilations[2] === 1 &&
      strideX <= 2 &&
      isFloating(n)
    );
  },
  cost(n) {
    const { shape, invocations } = tiling(n);
    const [, kernelY, kernelX] = shape.window.kernel as [number, number, number];
    const columns = kernelX + (shape.window.strides[2] === 1 ? 3 : 6);
    return {
      flops: invocations * (shape.taps * 8 + kernelY * 24 + 80),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * (kernelY * (columns + kernelX) + 5),
      workgroups: ceilDiv(invocations, workgroup),
    };
  },
  dispatches(n) {
    const { shape, invocations } = tiling(n);
    const [, , KERNEL_X] = shape.window.kernel as [number, number, number];
    const [, , STRIDE_X] = shape.window.strides as [number, number, number];
    return [dispatch(n, { name: 'depthwise', text, constants: { KERNEL_X, STRIDE_X }, uniforms: {}, invocations })];
  },
};

/** Strips of output rows that one invocation owns four columns of. */
function strips(n: ConvNode) {
  const { shape, outputs, rowQuads } = tiling(n);
  const [, outHeight] = shape.window.output as [number, number, number];
  const stride = shape.window.strides[2] as number;
  const rows = stride === 1 ? 4 : 2;
  const rowTiles = ceilDiv(outHeight, rows);
  return { stride, rows, rowTiles, invocations: rowQuads * rowTiles * shape.batch * outputs };
}

export const depthwiseRows: Kernel<ConvAttributes> = {
  name: 'depthwiseRows',
  epilogueAxis: () => 1,
  when(n, adapter) {
    const { kernel, strides, dilations } = convShape(n).window;
    const square = kernel[1] === 3 && kernel[2] === 3 && strides[1] === strides[2] && dilations[1] === 1;
    return square && depthwise.when?.(n, adapter) === true;
  },
  cost(n) {
    const { stride, rows, invocations } = strips(n);
    const inputRows = (rows - 1) * stride + 3;
    const loads = inputRows * (stride === 1 ? 6 : 9) + 10;
    return {
      flops: invocations * (rows * 72 + inputRows * 24 + 80),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * (loads + 4 * rows),
      workgroups: ceilDiv(invocations, workgroup),
    };
  },
  dispatches(n) {
    const { stride, rowTiles, invocations } = strips(n);
    const constants = { STRIDE: stride };
    return [dispatch(n, { name: 'depthwiseRows', text: rowsText, constants, uniforms: { rowTiles }, invocations })];
  },
};
