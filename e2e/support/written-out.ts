// Small graphs as exporters write them, which passes turn into something else, and what they turn into. The tests of the
// passes run them on the host, those of the GPU on Dawn: the answer must stay the same.

import { int64s, type NDArray, ndarray, scalar } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { GraphBuilder } from '../../src/ir/builder';
import type { AttributeValue, Graph } from '../../src/ir/graph';
import { inferNode } from '../../src/ops/registry';
import { mulberry32 } from './random';

export interface WrittenOut {
  readonly name: string;
  /** The nodes left, each with what is fused into it, as Plan.nodes says it. */
  readonly becomes: readonly string[];
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, NDArray>;
}

/** Adds nodes of one output, and tensors with elements drawn from a seed. */
class Writer {
  readonly feeds = new Map<string, NDArray>();
  private readonly random = mulberry32(3);

  constructor(private readonly builder: GraphBuilder) {}

  op(name: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.builder.add(name, inputs, attributes)[0] as string;
  }

  feed(name: string, dims: readonly number[]): string {
    this.feeds.set(name, this.drawn(dims));
    return this.builder.input(name, 'float32', dims);
  }

  weight(dims: readonly number[]): string {
    return this.builder.constant(this.drawn(dims));
  }

  integers(dtype: 'int8' | 'uint4', dims: readonly number[]): string {
    const [least, range] = dtype === 'int8' ? [-128, 256] : [0, 16];
    const values = Array.from({ length: sizeOf(dims) }, () => Math.floor(least + range * this.random()));
    return this.builder.constant(ndarray(dtype, dims, values));
  }

  number(value: number): string {
    return this.builder.constant(scalar('float32', value));
  }

  ints(...values: number[]): string {
    return this.builder.constant(int64s(values));
  }

  shaped(x: string, ...dims: number[]): string {
    return this.op('Reshape', [x, this.ints(...dims)]);
  }

  turned(x: string, ...perm: number[]): string {
    return this.op('Transpose', [x], { perm });
  }

  private drawn(dims: readonly number[]): NDArray {
    return ndarray(
      'float32',
      dims,
      Array.from({ length: sizeOf(dims) }, () => 2 * this.random() - 1),
    );
  }
}

function writtenOut(name: string, becomes: readonly string[], write: (w: Writer) => string | string[]): WrittenOut {
  const builder = new GraphBuilder(name, inferNode);
  const writer = new Writer(builder);
  const outputs = [write(writer)].flat();
  return { name, becomes, graph: builder.finish(outputs), feeds: writer.feeds };
}

interface Heads {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly depth: number;
}
const odd: Heads = { batch: 2, queries: 5, keys: 7, heads: 3, depth: 6 };

/** Where queries, keys and values [batch, length, width] come from. */
type Operand = (w: Writer, name: 'q' | 'k' | 'v', dims: readonly number[]) => string;
const fed: Operand = (w, name, dims) => w.feed(name, dims);

/** Heads split off, scores divided, a mask added, heads joined: as BERT is exported. */
function packedAttention({ batch, queries, keys, heads, depth }: Heads, mask?: readonly number[], operand = fed) {
  return (w: Writer) => {
    const split = (name: 'q' | 'k' | 'v', length: number, ...perm: number[]) =>
      w.turned(w.shaped(operand(w, name, [batch, length, heads * depth]), batch, length, heads, depth), ...perm);
    const q = split('q', queries, 0, 2, 1, 3);
    const k = split('k', keys, 0, 2, 3, 1);
    const v = split('v', keys, 0, 2, 1, 3);
    const scores = w.op('Div', [w.op('MatMul', [q, k]), w.number(Math.sqrt(depth))]);
    const masked = mask ? w.op('Add', [w.feed('mask', mask), scores]) : scores;
    const mixed = w.op('MatMul', [w.op('Softmax', [masked], { axis: -1 }), v]);
    return w.shaped(w.turned(mixed, 0, 2, 1, 3), batch, queries, heads * depth);
  };
}

/** Queries, keys and values projected from `x`, with biases where `biased` says so. */
function projected(x: (name: 'q' | 'k' | 'v') => string, biased: boolean): Operand {
  const from = 20;
  const fedAs = new Map<string, string>();
  return (w, name, dims) => {
    const source = x(name);
    const fed = fedAs.get(source) ?? w.feed(source, [...dims.slice(0, 2), from]);
    fedAs.set(source, fed);
    const product = w.op('MatMul', [fed, w.weight([from, dims[2] as number])]);
    return biased ? w.op('Add', [w.weight([dims[2] as number]), product]) : product;
  };
}

/** (x - mean) / sqrt(variance + epsilon), over the last `axes`. */
function normalized(w: Writer, x: string, ...axes: number[]): string {
  const mean = (of: string) => w.op('ReduceMean', [of, w.ints(...axes)], { keepdims: 1 });
  const centred = w.op('Sub', [x, mean(x)]);
  const variance = mean(w.op('Pow', [centred, w.number(2)]));
  return w.op('Div', [centred, w.op('Sqrt', [w.op('Add', [variance, w.number(1e-5)])])]);
}

const attention: WrittenOut[] = [
  writtenOut('attention with packed heads', ['lepton.Attention'], packedAttention(odd)),
  writtenOut('attention with a mask by key', ['lepton.Attention'], packedAttention(odd, [2, 1, 1, 7])),
  writtenOut('attention with a mask by query', ['lepton.Attention'], packedAttention(odd, [5, 7])),
  ...[true, false].map((biased) =>
    writtenOut(
      `self-attention, projected ${biased ? 'with biases' : 'without'}`,
      [biased ? 'lepton.MatMul+Add' : 'lepton.MatMul', 'lepton.Attention'],
      packedAttention(
        { ...odd, keys: odd.queries },
        [2, 1, 1, 5],
        projected(() => 'x', biased),
      ),
    ),
  ),
  writtenOut(
    'attention to another tensor, projected',
    ['lepton.MatMul+Add', 'lepton.MatMul+Add', 'lepton.MatMul+Add', 'lepton.Attention'],
    packedAttention(
      odd,
      undefined,
      projected((name) => (name === 'q' ? 'x' : 'memory'), true),
    ),
  ),
  writtenOut('attention by head, scale on both operands', ['lepton.Attention'], (w) => {
    const [q, k, v] = [w.feed('q', [1, 2, 9, 8]), w.feed('k', [1, 2, 4, 8]), w.feed('v', [1, 2, 4, 12])];
    const root = w.number(8 ** -0.25);
    const scores = w.op('MatMul', [w.op('Mul', [q, root]), w.op('Mul', [w.turned(k, 0, 1, 3, 2), root])]);
    return w.op('MatMul', [w.op('Softmax', [scores], { axis: 3 }), v]);
  }),
  writtenOut('attention with batches and heads in one axis', ['lepton.Attention'], (w) => {
    const head = (name: string, length: number) =>
      w.turned(w.shaped(w.feed(name, [length, 1, 12]), length, 3, 4), 1, 0, 2);
    const [q, k, v] = [head('q', 5), head('k', 6), head('v', 6)];
    const products = w.op('MatMul', [w.op('Mul', [q, w.number(0.5)]), w.turned(k, 0, 2, 1)]);
    const masked = w.op('Add', [w.shaped(products, 1, 3, 5, 6), w.feed('mask', [1, 1, 5, 6])]);
    const weights = w.op('Softmax', [w.shaped(masked, 3, 5, 6)], { axis: -1 });
    return w.shaped(w.turned(w.op('MatMul', [weights, v]), 1, 0, 2), 5, 1, 12);
  }),
  writtenOut('scores that are asked for as well', ['lepton.MatMul', 'Softmax', 'lepton.MatMul'], (w) => {
    const [q, k, v] = [w.feed('q', [2, 3, 4]), w.feed('k', [2, 5, 4]), w.feed('v', [2, 5, 4])];
    const weights = w.op('Softmax', [w.op('MatMul', [q, w.turned(k, 0, 2, 1)])], { axis: -1 });
    return [w.op('MatMul', [weights, v]), weights];
  }),
  writtenOut('a mask that widens the scores', ['lepton.MatMul', 'Add', 'Softmax', 'lepton.MatMul'], (w) => {
    const [q, k, v] = [w.feed('q', [1, 2, 3, 4]), w.feed('k', [1, 2, 5, 4]), w.feed('v', [1, 2, 5, 4])];
    const scores = w.op('MatMul', [q, w.turned(k, 0, 1, 3, 2)]);
    const masked = w.op('Add', [scores, w.feed('mask', [3, 2, 3, 5])]);
    return w.op('MatMul', [w.op('Softmax', [masked], { axis: -1 }), v]);
  }),
];

const normalization: WrittenOut[] = [
  writtenOut('layer normalisation', ['LayerNormalization'], (w) => {
    const scaled = w.op('Mul', [normalized(w, w.feed('x', [3, 5, 37]), -1), w.weight([37])]);
    return w.op('Add', [scaled, w.weight([1, 1, 37])]);
  }),
  writtenOut('layer normalisation without shift', ['LayerNormalization', 'Relu'], (w) =>
    w.op('Relu', [normalized(w, w.feed('x', [4, 9]), 1)]),
  ),
  writtenOut('instance normalisation', ['InstanceNormalization'], (w) => {
    const scaled = w.op('Mul', [w.weight([6, 1, 1]), normalized(w, w.feed('x', [2, 6, 5, 7]), 2, 3)]);
    return w.op('Add', [scaled, w.weight([1, 6, 1, 1])]);
  }),
  writtenOut('instance normalisation over views', ['InstanceNormalization'], (w) => {
    const x = w.feed('x', [1, 4, 6, 6]);
    const mean = (of: string) => w.op('ReduceMean', [w.shaped(of, 1, 4, 1, -1), w.ints(3)], { keepdims: 1 });
    const centred = w.op('Sub', [x, mean(x)]);
    const variance = mean(w.op('Mul', [centred, centred]));
    const normal = w.op('Div', [centred, w.op('Sqrt', [w.op('Add', [variance, w.number(1e-5)])])]);
    return w.op('Add', [w.op('Mul', [normal, w.weight([4, 1, 1])]), w.weight([4, 1, 1])]);
  }),
  writtenOut('RMS normalisation', ['RMSNormalization'], (w) => {
    const x = w.feed('x', [2, 5, 33]);
    const mean = w.op('ReduceMean', [w.op('Mul', [x, x]), w.ints(-1)], { keepdims: 1 });
    const root = w.op('Sqrt', [w.op('Add', [w.number(1e-6), mean])]);
    return w.op('Mul', [w.weight([33]), w.op('Mul', [x, w.op('Reciprocal', [root])])]);
  }),
];

const gelu = (w: Writer, x: string) => {
  const erf = w.op('Add', [w.op('Erf', [w.op('Div', [x, w.number(Math.SQRT2)])]), w.number(1)]);
  return w.op('Mul', [w.op('Mul', [x, erf]), w.number(0.5)]);
};

const others: WrittenOut[] = [
  writtenOut('Gelu in the tail of a linear layer', ['lepton.MatMul+Add+Div+Erf+Add+Mul+Mul'], (w) =>
    gelu(w, w.op('Add', [w.weight([21]), w.op('MatMul', [w.feed('x', [2, 5, 12]), w.weight([12, 21])])])),
  ),
  writtenOut('a residual in the tail, whichever operand it is', ['lepton.MatMul+Add', 'lepton.MatMul+Add'], (w) => {
    const x = w.feed('x', [9, 8]);
    const first = w.op('Add', [x, w.op('MatMul', [x, w.weight([8, 8])])]);
    return w.op('Add', [w.op('MatMul', [first, w.weight([8, 8])]), first]);
  }),
  writtenOut('what is computed twice', ['Softmax', 'Mul+Sub+Tanh'], (w) => {
    const x = w.feed('x', [3, 33]);
    const twice = [1, 2].map(() => w.op('Softmax', [x], { axis: 1 })) as [string, string];
    return w.op('Tanh', [w.op('Sub', [twice[0], w.op('Mul', [twice[1], w.number(0.5)])])]);
  }),
  writtenOut('Transposes that undo each other', ['Relu'], (w) =>
    w.turned(w.op('Relu', [w.turned(w.turned(w.feed('x', [3, 4, 5]), 1, 2, 0), 2, 0, 1)]), 0, 1, 2),
  ),
  writtenOut('operands that are transposed', ['lepton.MatMul'], (w) =>
    w.op('MatMul', [w.turned(w.feed('x', [2, 7, 5]), 0, 2, 1), w.turned(w.feed('y', [2, 9, 7]), 0, 2, 1)]),
  ),
  writtenOut('a border of zeros around a convolution', ['Conv'], (w) => {
    const padded = w.op('Pad', [w.feed('x', [1, 3, 6, 7]), w.ints(0, 0, 1, 2, 0, 0, 0, 1)]);
    return w.op('Conv', [padded, w.weight([4, 3, 3, 3])], { pads: [1, 0, 1, 0] });
  }),
  writtenOut('every other row, then some columns from the end', ['Slice'], (w) => {
    const rows = w.op('Slice', [w.feed('x', [9, 11]), w.ints(1), w.ints(99), w.ints(0), w.ints(2)]);
    return w.op('Slice', [rows, w.ints(-7, -3), w.ints(-1, 99), w.ints(1, 0), w.ints(3, 1)]);
  }),
  writtenOut('tensors joined twice', ['Concat'], (w) => {
    const [x, y, z] = ['x', 'y', 'z'].map((name, i) => w.feed(name, [2, 3 + i])) as [string, string, string];
    return w.op('Concat', [w.op('Concat', [x, y], { axis: 1 }), z], { axis: -1 });
  }),
  writtenOut(
    'parts that are written side by side, and taken out again',
    ['Softmax', 'Softmax', 'Concat', 'MaxPool', 'Slice', 'Softmax'],
    (w) => {
      const x = w.feed('x', [1, 4, 16, 16]);
      const parts = [-1, -2].map((axis) => w.op('Softmax', [x], { axis })) as [string, string];
      const joined = w.op('Concat', parts, { axis: 1 });
      const pooled = w.op('MaxPool', [joined], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
      const middle = w.op('Slice', [pooled, w.ints(2), w.ints(5), w.ints(1)]);
      return w.op('Softmax', [middle], { axis: -1 });
    },
  ),
  writtenOut('a part that is read while its neighbour is written', ['Softmax', 'MaxPool', 'Concat', 'Softmax'], (w) => {
    const first = w.op('Softmax', [w.feed('x', [1, 4, 16, 16])], { axis: -1 });
    const second = w.op('MaxPool', [first], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    return w.op('Softmax', [w.op('Concat', [first, second], { axis: 1 })], { axis: -1 });
  }),
];

/** Weights as small integers, more of them than are dequantised on the host. */
const quantised: WrittenOut[] = [
  writtenOut(
    'int8 weights, a scale a column, with a tail',
    ['lepton.PackBits', 'lepton.MatMulNBits+Add+Relu+Add'],
    (w) => {
      const x = w.feed('x', [3, 270]);
      const weights = w.op('DequantizeLinear', [w.integers('int8', [270, 270]), w.weight([270])]);
      const biased = w.op('Add', [w.op('MatMul', [x, weights]), w.weight([270])]);
      return w.op('Add', [w.op('Relu', [biased]), x]);
    },
  ),
  writtenOut('uint4 weights in blocks with zero points, for one row', ['lepton.MatMulNBits+Add'], (w) => {
    const stored = [w.integers('uint4', [270, 300]), w.weight([270, 10]), w.integers('uint4', [270, 10])];
    const weights = w.op('DequantizeLinear', stored, { axis: 1, block_size: 32 });
    return w.op('Gemm', [w.feed('x', [1, 300]), weights, w.weight([270])], { transB: 1 });
  }),
];

export const writtenOutGraphs: readonly WrittenOut[] = [...attention, ...normalization, ...others, ...quantised];
