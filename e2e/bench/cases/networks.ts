// Whole networks of well-known shapes: an MNIST CNN, MobileNetV2, ResNet-18, a transformer encoder of MiniLM's
// shape, an LSTM. Batch norms stand folded into the convolutions, as exporters for inference leave them.

import { ndarray } from '../../../src/base/ndarray';
import { mulberry32 } from '../../support/random';
import type { BenchCase } from './case';
import { drawnInput, Network } from './network';

interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
}

/** A convolution with bias; `channels` are [from, to]. */
function conv(network: Network, x: string, [from, to]: readonly [number, number], options: ConvOptions): string {
  const { kernel, stride = 1, pad = (options.kernel - 1) >> 1, group = 1 } = options;
  const taps = (from / group) * kernel * kernel;
  const weights = [network.weight([to, from / group, kernel, kernel], taps), network.drawn([to], -0.1, 0.1)];
  return network.op('Conv', [x, ...weights], {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [pad, pad, pad, pad] },
    group: { int: group },
  });
}

function dense(network: Network, x: string, from: number, to: number): string {
  return network.op('Gemm', [x, network.weight([to, from], from), network.drawn([to], -0.1, 0.1)], {
    transB: { int: 1 },
  });
}

function network(name: string, input: readonly number[], outputs: number, add: (n: Network) => string): BenchCase {
  return {
    name,
    group: 'network',
    resident: false,
    tolerance: 1e-3,
    feeds: () => ({ x: drawnInput(input) }),
    model() {
      const made = new Network();
      made.named('y', 'Softmax', [add(made)], { axis: { int: -1 } });
      const shape = [input[0] as number, outputs];
      return made.build([{ name: 'x', dtype: 'float32', shape: input }], [{ name: 'y', dtype: 'float32', shape }]);
    },
  };
}

function mnist(batch: number): BenchCase {
  return network(`MNIST CNN batch ${batch}`, [batch, 1, 28, 28], 10, (n) => {
    const first = n.op('Relu', [conv(n, 'x', [1, 32], { kernel: 3, pad: 0 })]);
    const second = n.op('Relu', [conv(n, first, [32, 64], { kernel: 3, pad: 0 })]);
    const pooled = n.op('MaxPool', [second], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } });
    const flat = n.op('Flatten', [pooled], { axis: { int: 1 } });
    return dense(n, n.op('Relu', [dense(n, flat, 9216, 128)]), 128, 10);
  });
}

/** https://arxiv.org/abs/1801.04381, table 2: expansion, channels, repeats, stride. */
const mobileBlocks = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const mobileNet = network('MobileNetV2', [1, 3, 224, 224], 1000, (n) => {
  const relu6 = (x: string) => n.op('Clip', [x, low, high]);
  const low = n.constant('float32', [], [0]);
  const high = n.constant('float32', [], [6]);
  let x = relu6(conv(n, 'x', [3, 32], { kernel: 3, stride: 2 }));
  let from = 32;
  for (const [expansion, to, repeats, firstStride] of mobileBlocks) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const inside = from * expansion;
      const wide = expansion === 1 ? x : relu6(conv(n, x, [from, inside], { kernel: 1 }));
      const filtered = relu6(conv(n, wide, [inside, inside], { kernel: 3, stride, group: inside }));
      const narrow = conv(n, filtered, [inside, to], { kernel: 1 });
      x = stride === 1 && from === to ? n.op('Add', [x, narrow]) : narrow;
      from = to;
    }
  }
  x = relu6(conv(n, x, [from, 1280], { kernel: 1 }));
  return dense(n, n.op('Flatten', [n.op('GlobalAveragePool', [x])], { axis: { int: 1 } }), 1280, 1000);
});

/** https://arxiv.org/abs/1512.03385, table 1. */
const resNet = network('ResNet-18', [1, 3, 224, 224], 1000, (n) => {
  let x = n.op('Relu', [conv(n, 'x', [3, 64], { kernel: 7, stride: 2 })]);
  x = n.op('MaxPool', [x], { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } });
  let from = 64;
  for (const to of [64, 128, 256, 512]) {
    for (let i = 0; i < 2; i++) {
      const stride = i === 0 && to !== 64 ? 2 : 1;
      const inner = n.op('Relu', [conv(n, x, [from, to], { kernel: 3, stride })]);
      const outer = conv(n, inner, [to, to], { kernel: 3 });
      const past = stride === 2 ? conv(n, x, [from, to], { kernel: 1, stride: 2, pad: 0 }) : x;
      x = n.op('Relu', [n.op('Add', [outer, past])]);
      from = to;
    }
  }
  return dense(n, n.op('Flatten', [n.op('GlobalAveragePool', [x])], { axis: { int: 1 } }), 512, 1000);
});

// all-MiniLM-L6-v2's shape, with fewer words: the table of words is looked up, not computed with.
const encoderShape = { words: 2000, sequence: 128, hidden: 384, heads: 12, inner: 1536, layers: 6 };

const encoder: BenchCase = {
  name: 'transformer encoder',
  group: 'network',
  resident: false,
  tolerance: 1e-3,
  feeds() {
    const random = mulberry32(7);
    const { sequence, words } = encoderShape;
    const ids = Array.from({ length: sequence }, () => Math.floor(random() * words));
    return { ids: ndarray('int64', [1, sequence], ids) };
  },
  model() {
    const { words, sequence, hidden, heads, inner, layers } = encoderShape;
    const n = new Network();
    const norm = (x: string) =>
      n.op('LayerNormalization', [x, n.drawn([hidden], 0.8, 1.2), n.drawn([hidden], -0.1, 0.1)]);
    const linear = (x: string, from: number, to: number) =>
      n.op('Add', [n.drawn([to], -0.1, 0.1), n.op('MatMul', [x, n.weight([from, to], from)])]);
    const split = n.ints([1, sequence, heads, hidden / heads]);
    const headed = (x: string, perm: number[]) =>
      n.op('Transpose', [n.op('Reshape', [linear(x, hidden, hidden), split])], { perm: { ints: perm } });
    const scalar = (value: number) => n.constant('float32', [], [value]);
    let x = n.op('Gather', [n.drawn([words, hidden], -1, 1), 'ids']);
    x = norm(n.op('Add', [x, n.drawn([1, sequence, hidden], -0.5, 0.5)]));
    for (let layer = 0; layer < layers; layer++) {
      const [q, k, v] = [headed(x, [0, 2, 1, 3]), headed(x, [0, 2, 3, 1]), headed(x, [0, 2, 1, 3])];
      const scores = n.op('Div', [n.op('MatMul', [q, k]), scalar(Math.sqrt(hidden / heads))]);
      const mixed = n.op('MatMul', [n.op('Softmax', [scores], { axis: { int: -1 } }), v]);
      const joined = n.op('Reshape', [
        n.op('Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } }),
        n.ints([1, sequence, hidden]),
      ]);
      x = norm(n.op('Add', [linear(joined, hidden, hidden), x]));
      const wide = linear(x, hidden, inner);
      const erf = n.op('Add', [n.op('Erf', [n.op('Div', [wide, scalar(Math.SQRT2)])]), scalar(1)]);
      const gelu = n.op('Mul', [n.op('Mul', [wide, erf]), scalar(0.5)]);
      x = norm(n.op('Add', [linear(gelu, inner, hidden), x]));
    }
    n.named('y', 'Identity', [x]);
    return n.build(
      [{ name: 'ids', dtype: 'int64', shape: [1, sequence] }],
      [{ name: 'y', dtype: 'float32', shape: [1, sequence, hidden] }],
    );
  },
};

const lstmShape = { sequence: 64, input: 64, hidden: 128, layers: 2, classes: 10 };

const lstm: BenchCase = {
  name: 'LSTM',
  group: 'network',
  resident: false,
  tolerance: 1e-3,
  feeds: () => ({ x: drawnInput([lstmShape.sequence, 1, lstmShape.input]) }),
  model() {
    const { sequence, input, hidden, layers, classes } = lstmShape;
    const n = new Network();
    let x = 'x';
    for (let layer = 0; layer < layers; layer++) {
      const from = layer === 0 ? input : hidden;
      const weights = [n.weight([1, 4 * hidden, from], from), n.weight([1, 4 * hidden, hidden], hidden)];
      const bias = n.drawn([1, 8 * hidden], -0.1, 0.1);
      n.multiple('LSTM', [x, ...weights, bias], [`all${layer}`, `last${layer}`], { hidden_size: { int: hidden } });
      x = n.op('Squeeze', [`all${layer}`, n.ints([1])]);
    }
    const last = n.op('Squeeze', [`last${layers - 1}`, n.ints([0])]);
    n.named('y', 'Softmax', [dense(n, last, hidden, classes)], { axis: { int: -1 } });
    return n.build(
      [{ name: 'x', dtype: 'float32', shape: [sequence, 1, input] }],
      [{ name: 'y', dtype: 'float32', shape: [1, classes] }],
    );
  },
};

export const networks: readonly BenchCase[] = [mnist(1), mnist(32), mobileNet, resNet, encoder, lstm];
