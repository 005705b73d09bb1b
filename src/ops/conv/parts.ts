// What the convolution variants share: text in front of every shader (element types, the fused epilogue and
// the store of four consecutive pixels), and the dispatch that packs weights.

import pack from '../../../shaders/conv-pack.wgsl?raw';
import { isFloat } from '../../base/dtype';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import type { Window } from '../window';
import { type ConvShape, packedQuads } from './shape';

/** Sums are f32: the kernels know float32 and float16 tensors. A fused program keeps the type. */
export function isFloating(n: NodeView): boolean {
  return isFloat(n.input(0).dtype) && n.output(0).dtype === n.input(0).dtype;
}

export interface Tail {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

/**
 * Declares output 0 as `y` at binding 2 and the fused program's operands from `firstOperand` on, and
 *   store(index: u32, lanes: u32, channel: u32, v: vec4f)
 * which runs the epilogue on four consecutive pixels of one channel and writes the first `lanes` of them.
 * @param quadsAligned every `index` is a multiple of four: whole quads are written
 */
export function storeText(n: NodeView, quadsAligned: boolean, firstOperand = 4): Tail {
  const tail = epilogue(n, 1, 'same', firstOperand);
  const body = quadsAligned
    ? 'y[index >> 2u] = elem4(r);'
    : ['x', 'y', 'z', 'w'].map((lane, i) => `if (lanes > ${i}u) { y[index + ${i}u] = elem(r.${lane}); }`).join(' ');
  const text = `${tail.text}
@group(0) @binding(2) var<storage, read_write> y: array<${quadsAligned ? 'elem4' : 'elem'}>;
fn store(index: u32, lanes: u32, channel: u32, v: vec4f) {
  let r = epilogue(v, index, channel);
  ${body}
}
`;
  return { text, bindings: { y: { output: 0 }, ...tail.bindings } };
}

/** Elements between neighbours in the model's weights; taps are next to each other. */
export interface WeightSteps {
  readonly group: number;
  readonly output: number;
  readonly channel: number;
}

/** The packed weights as an operand, and the dispatch that makes them: at load where they are constant. */
export function packedWeights(
  n: NodeView,
  shape: ConvShape,
  steps: WeightSteps = {
    group: shape.groupOut * shape.channels * shape.taps,
    output: shape.channels * shape.taps,
    channel: shape.taps,
  },
): { operand: Operand; biasAt: number; dispatch: Dispatch } {
  const { inputs, outputs } = packedQuads(shape);
  const biasAt = shape.groups * shape.taps * inputs * outputs * 4;
  const quads = biasAt + shape.groups * outputs;
  const { dtype } = n.input(1);
  const operand: Operand = { scratch: 'weights', bytes: quads * (dtype === 'float16' ? 8 : 16) };
  return {
    operand,
    biasAt,
    dispatch: {
      label: `${n.node.op}.pack`,
      wgsl: elemAliases(dtype) + linearHelpers + pack,
      constants: { WORKGROUP: 64 },
      bindings: { w: { input: 1 }, bias: { input: n.has(2) ? 2 : 1 }, packed: operand },
      uniforms: {
        groups: shape.groups,
        taps: shape.taps,
        channels: shape.channels,
        groupOut: shape.groupOut,
        inputQuads: inputs,
        outputQuads: outputs,
        hasBias: n.has(2) ? 1 : 0,
        groupStep: steps.group,
        outputStep: steps.output,
        channelStep: steps.channel,
      },
      workgroups: oneEach(quads, 64),
      once: n.input(1).isConstant && (n.inputs[2]?.isConstant ?? true),
    },
  };
}

/** How many tiles there are: of pixels in a plane, of outputs in a group, and in all. */
export interface TileCounts {
  readonly pixelTiles: number;
  readonly channelTiles: number;
  readonly tiles: number;
}

/** The Params of conv-tile.wgsl. */
export function tileUniforms(shape: ConvShape, biasAt: number, counts: TileCounts): Record<string, number> {
  const { inputStep, pixels, outputStep, channels, groups, groupOut } = shape;
  return {
    ...windowUniforms(shape.window),
    inputStep,
    pixels,
    outputStep,
    channels,
    groups,
    groupOut,
    outputQuads: packedQuads(shape).outputs,
    biasAt,
    ...counts,
  };
}

/** A window's sizes by the names that shaders give them. */
export function windowUniforms(window: Window): Record<string, number> {
  const fields: Record<string, number> = {};
  ['Z', 'Y', 'X'].forEach((axis, i) => {
    fields[`kernel${axis}`] = window.kernel[i] as number;
    fields[`stride${axis}`] = window.strides[i] as number;
    fields[`dilation${axis}`] = window.dilations[i] as number;
    fields[`pad${axis}`] = window.begins[i] as number;
  });
  [fields.inDepth, fields.inHeight, fields.inWidth] = window.input as [number, number, number];
  [fields.outDepth, fields.outHeight, fields.outWidth] = window.output as [number, number, number];
  return fields;
}
