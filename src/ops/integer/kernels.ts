// The kernels of products of 8-bit integers: operands are packed so that a word holds four factors of one sum,
// at load where they are constant, and then multiplied four at a time. Variant `dot4` multiplies in one
// instruction where WGSL has it; `float` takes words apart and sums in f32 for as long as that is exact.

import windowText from '../../../shaders/conv-window.wgsl?raw';
import productText from '../../../shaders/integer-product.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { tileUniforms } from '../conv/parts';
import { type ConvShape, isPointwise, packedQuads } from '../conv/shape';
import { packedDot } from '../dot4/kernels';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { packQuad, quadType, wordsPerQuad, wordType } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { type Arithmetic, dot4, float } from './arithmetic';
import { type IntegerProduct, packing } from './pack';
import { zeroPoint } from './zero-point';

const workgroup = 64;

function tiling(shape: ConvShape, { outputQuads = 1 }: Tunables) {
  const pixelTiles = ceilDiv(shape.pixels, 4);
  const channelTiles = ceilDiv(packedQuads(shape).outputs, outputQuads);
  return { pixelTiles, channelTiles, tiles: pixelTiles * channelTiles * shape.groups * shape.planes };
}

function cost(n: NodeView, p: IntegerProduct, t: Tunables, { open, product, emulated }: Arithmetic): Cost {
  const { outputQuads = 1 } = t;
  const { tiles } = tiling(p.shape, t);
  const { x, w } = packing(n, p);
  const steps = tiles * p.shape.taps * packedQuads(p.shape).inputs;
  const packed = [x, w].reduce((words, { dispatch, words: own }) => words + (dispatch.once ? 0 : own), 0);
  // Besides those of the result there are the sums of the weights themselves.
  const products = steps * outputQuads * 20;
  return {
    flops: steps * (80 + open + outputQuads * open) + products * (product + 1) + packed * 20,
    emulated: products * emulated,
    traffic: steps * 16 * (1 + outputQuads) + tiles * 64 * outputQuads + packed * 20,
    workgroups: ceilDiv(tiles, workgroup),
    dispatches: 1 + Number(!x.dispatch.once) + Number(!w.dispatch.once),
  };
}

function dispatches<A>(
  n: NodeView<A>,
  p: IntegerProduct,
  t: Tunables,
  variant: string,
  { text, round }: Arithmetic,
  axis: EpilogueAxis<A>,
): Dispatch[] {
  const { x, w } = packing(n, p);
  const { shape } = p;
  const counts = tiling(shape, t);
  const xZero = zeroPoint(n, 'xZero', 4, p.x, p.xZero);
  const wZero = zeroPoint(n, 'wZero', 5, p.w, p.wZero);
  const tail = epilogue(n, axis.of(n), axis.lanes, 6, 'int32');
  const { dtype } = n.output(0);
  const store = inQuads(shape)
    ? `y[index >> 2u] = ${packQuad(dtype, 'r')};`
    : 'for (var lane = 0u; lane < min(4u, lanes); lane++) { y[index + lane] = r[lane]; }';
  const front = `alias elem = u32;
${tail.text}
@group(0) @binding(2) var<storage, read_write> y: array<${inQuads(shape) ? quadType(dtype) : wordType(dtype)}>;
fn store(index: u32, lanes: u32, output: u32, pixel: u32, v: vec4i) {
  var r = epilogue(v, index, ${axis.lanes === 'same' ? 'output' : 'pixel'});
  ${store}
}
`;
  return [
    x.dispatch,
    w.dispatch,
    {
      label: `${n.node.op}.${variant}`,
      wgsl: linearHelpers + front + xZero.text + wZero.text + text + windowText + productText,
      constants: {
        WORKGROUP: workgroup,
        OUTPUT_QUADS: t.outputQuads ?? 1,
        ROUND: round,
        POINTWISE: Number(isPointwise(shape)),
        X_ZERO: Number(xZero.mayDiffer),
        W_ZERO: Number(wZero.mayDiffer),
      },
      bindings: {
        x: x.packed,
        weights: w.packed,
        y: { output: 0 },
        ...xZero.bindings,
        ...wZero.bindings,
        ...tail.bindings,
      },
      uniforms: { ...tileUniforms(shape, 0, counts), xZeros: xZero.count, wZeros: wZero.count },
      workgroups: oneEach(counts.tiles, workgroup),
    },
  ];
}

/** The axis that per-channel operands follow: of the outputs, or of the pixels, which the four lanes are. */
interface EpilogueAxis<A> {
  readonly of: (n: NodeView<A>) => number;
  readonly lanes: 'same' | 'step';
}

/** Whether every quad of pixels is a whole quad of the result. */
function inQuads({ pixels, groups, groupOut, planes }: ConvShape): boolean {
  return pixels % 4 === 0 || groups * groupOut * planes === 1;
}

/** The variants of an operator whose product `productOf` reads. Its inputs are int8 or uint8, its output int32. */
export function integerKernels<A>(
  productOf: (n: NodeView<A>) => IntegerProduct,
  axis: EpilogueAxis<A>,
): readonly Kernel<A>[] {
  // Results of 8 bits lie four to a word, which only whole quads fill. Five buffers of eight are the kernel's own.
  const canRun = (n: NodeView<A>) =>
    n.operands.length <= 3 && (wordsPerQuad(n.output(0).dtype) === 4 || inQuads(productOf(n).shape));
  const variant = (name: string, arithmetic: Arithmetic, extension?: string): Kernel<A> => ({
    name,
    space: { outputQuads: [2, 1] },
    epilogueAxis: axis.of,
    converts: true,
    when: (n, adapter) => canRun(n) && (!extension || adapter.features.includes(extension)),
    cost: (n, t) => cost(n, productOf(n), t, arithmetic),
    dispatches: (n, t) => dispatches(n, productOf(n), t, name, arithmetic, axis),
  });
  return [variant('float', float), variant('dot4', dot4, packedDot)];
}
