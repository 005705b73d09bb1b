// What the convolution variants share: text in front of every shader (element types, the fused epilogue and
// the store of four consecutive pixels), what they multiply, and the dispatch that packs weights.

import pack from '../../../shaders/conv-pack.wgsl?raw';
import { isFloat } from '../../base/dtype';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import type { Window } from '../window';
import { type ConvShape, isPointwise, packedQuads } from './shape';

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
  /** Taps that count as channels of their own: with `taps` of 1, the channels are channels × rowTaps. */
  readonly rowTaps?: number;
}

/** Of Conv's weights, [outputs, channels / group, kernel…]. */
export function convWeightSteps({ groupOut, channels, taps }: ConvShape): WeightSteps {
  return { group: groupOut * channels * taps, output: channels * taps, channel: taps };
}

/** What a kernel multiplies by: weights, and where the bias lies behind them. */
export interface Packed {
  readonly operand: Operand;
  readonly biasAt: number;
  readonly dispatch: Dispatch;
}

/** The packed weights as an operand, and the dispatch that makes them: at load where they are constant. */
export function packedWeights(n: NodeView, shape: ConvShape, steps: WeightSteps = convWeightSteps(shape)): Packed {
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
        rowTaps: steps.rowTaps ?? 1,
      },
      workgroups: oneEach(quads, 64),
      once: n.input(1).isConstant && (n.inputs[2]?.isConstant ?? true),
    },
  };
}

/** What Conv and ConvTranspose differ in. */
export interface Convolution<A> {
  readonly sizes: (n: NodeView<A>) => ConvShape;
  readonly weightSteps: (shape: ConvShape) => WeightSteps;
  readonly transposed: boolean;
}

/** What a kernel multiplies, and what becomes of the sums. */
export interface Factors {
  readonly x: Operand;
  /**
   * How x is read: in windows, in those of a transposed convolution, or, for 1×1 kernels, in planes: x is
   * [planes, groups × channels, inputStep], and output pixels are input pixels, by number.
   */
  readonly reading: 'windows' | 'transposed' | 'planes';
  readonly weights: Operand;
  /** Quad of the weights from which the bias lies; undefined where it is added later. */
  readonly biasAt: number | undefined;
  readonly tail: Tail;
}

/** The part of the constants of conv-tile.wgsl that factors decide. */
export function biasConstant({ biasAt }: Factors): { BIAS: number } {
  return { BIAS: biasAt === undefined ? 0 : 1 };
}

/** Stores whole quads of sums as they are, for what adds them up later: lines of them are padded. */
export function sumsTail(sums: Operand): Tail {
  const text = `@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
fn store(index: u32, lanes: u32, channel: u32, v: vec4f) { y[index >> 2u] = v; }
`;
  return { text, bindings: { y: sums } };
}

export function readingOf<A>(n: NodeView<A>, kind: Convolution<A>): Factors['reading'] {
  if (isPointwise(kind.sizes(n))) return 'planes';
  return kind.transposed ? 'transposed' : 'windows';
}

/** The operator's own input and output, and the dispatch that packs its weights. */
export function ownFactors<A>(n: NodeView<A>, kind: Convolution<A>): { factors: Factors; pack: Dispatch } {
  const shape = kind.sizes(n);
  const packed = packedWeights(n, shape, kind.weightSteps(shape));
  const tail = storeText(n, shape.pixels % 4 === 0);
  return {
    factors: { x: { input: 0 }, reading: readingOf(n, kind), weights: packed.operand, biasAt: packed.biasAt, tail },
    pack: packed.dispatch,
  };
}

/** How many tiles there are: of pixels in a plane, of outputs in a group, and in all. */
export interface TileCounts {
  readonly pixelTiles: number;
  readonly channelTiles: number;
  readonly tiles: number;
}

/** The Params of conv-tile.wgsl. */
export function tileUniforms(shape: ConvShape, biasAt: number | undefined, counts: TileCounts): Record<string, number> {
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
    biasAt: biasAt ?? 0,
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
