// Packing the operands of a product of 8-bit integers, such that a word holds four factors of one sum: at load
// where they are constant, else before every product.

import packPixels from '../../../shaders/integer-pack-pixels.wgsl?raw';
import packWeights from '../../../shaders/integer-pack-weights.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { type ConvShape, packedQuads } from '../conv/shape';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elementAt } from '../wgsl/elements';

const workgroup = 64;

/** A product as a convolution, and which inputs of the node play which part. */
export interface IntegerProduct {
  readonly shape: ConvShape;
  readonly x: number;
  readonly w: number;
  /** Zero points; these inputs may be absent, which means 0. */
  readonly xZero: number;
  readonly wZero: number;
}

/** uint8 is shifted by 128 into the range of int8, and its zero point with it: the differences stay. */
function packText(n: NodeView, input: number): string {
  const shift = n.input(input).dtype === 'uint8' ? ' ^ 0x80u' : '';
  return `
@group(0) @binding(0) var<storage, read> source: array<u32>;
fn element(at: u32) -> u32 { return ${elementAt('uint8', 'source', 'at')}${shift}; }
`;
}

interface Packed {
  readonly packed: Operand;
  readonly dispatch: Dispatch;
  readonly words: number;
}

/** Both operands as words in scratch memory, and the dispatches that put them there. */
export function packing(n: NodeView, { shape, x, w }: IntegerProduct): { x: Packed; w: Packed } {
  const { inputs: quads, outputs: outputQuads } = packedQuads(shape);
  const { batch, groups, channels, groupOut, taps, inputStep: pixels } = shape;
  const pack = (part: string, text: string, input: number, words: number, sizes: Record<string, number>): Packed => {
    const packed: Operand = { scratch: part, bytes: 16 * Math.max(1, ceilDiv(words, 4)) };
    const dispatch: Dispatch = {
      label: `${n.node.op}.${part}`,
      wgsl: linearHelpers + packText(n, input) + text,
      constants: { WORKGROUP: workgroup },
      bindings: { source: { input }, packed },
      uniforms: { ...sizes, channels, quads, words },
      workgroups: oneEach(words, workgroup),
      once: n.input(input).isConstant,
    };
    return { packed, dispatch, words };
  };
  return {
    x: pack('pixels', packPixels, x, batch * groups * quads * pixels, { pixels }),
    w: pack('weights', packWeights, w, groups * outputQuads * taps * quads * 4, {
      outputs: groupOut,
      taps,
      outputQuads,
    }),
  };
}
