// Single operators: matrix products, convolutions, and those that only move memory. Each model answers its
// result `y` and `probe`, one element of it, so that a run can end without reading the result back.

import { sizeOf } from '../../../src/base/shape';
import type { AttributeSpec } from '../../support/onnx-writer';
import type { BenchCase } from './case';
import { drawnInput, Network } from './network';

type Type = 'float32' | 'float16';
const bytesOf = { float32: 4, float16: 2 } as const;

interface KernelSpec {
  readonly name: string;
  readonly group: BenchCase['group'];
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly flops?: number;
  readonly bytes?: number;
  readonly dtype?: Type;
  /** Adds the operator to the network; answers its output `y`. */
  readonly add: (network: Network, x: string) => void;
}

export function kernelCase(spec: KernelSpec): BenchCase {
  const { name, group, input, output, dtype = 'float32' } = spec;
  return {
    name,
    group,
    resident: true,
    tolerance: dtype === 'float16' ? 2e-2 : 1e-3,
    ...(dtype === 'float16' && { needs: ['shader-f16'] }),
    ...(spec.flops !== undefined && { flops: spec.flops }),
    ...(spec.bytes !== undefined && { bytes: spec.bytes }),
    feeds: () => ({ x: drawnInput(input, dtype) }),
    model() {
      const network = new Network({ dtype });
      spec.add(network, 'x');
      const flat = network.op('Reshape', ['y', network.ints([-1])]);
      network.named('probe', 'Slice', [flat, network.ints([0]), network.ints([1])]);
      return network.build(
        [{ name: 'x', dtype, shape: input }],
        [
          { name: 'y', dtype, shape: output },
          { name: 'probe', dtype, shape: [1] },
        ],
      );
    },
  };
}

function matmul(m: number, k: number, n: number, dtype: Type = 'float32'): BenchCase {
  const type = dtype === 'float16' ? ' f16' : '';
  return kernelCase({
    name: `matmul ${m === k && k === n ? `${m}³` : `${m}×${k}×${n}`}${type}`,
    group: 'matmul',
    input: [m, k],
    output: [m, n],
    flops: 2 * m * k * n,
    bytes: bytesOf[dtype] * (m * k + k * n + m * n),
    dtype,
    add: (network, x) => network.named('y', 'MatMul', [x, network.weight([k, n], k)]),
  });
}

const square = [128, 256, 512, 1024];

export const matmuls: readonly BenchCase[] = [
  ...square.map((size) => matmul(size, size, size)),
  matmul(1, 1024, 4096),
  matmul(64, 768, 768),
  matmul(127, 129, 131),
  matmul(1000, 1001, 999),
  ...[256, 1024].map((size) => matmul(size, size, size, 'float16')),
  matmul(1, 1024, 4096, 'float16'),
];

/** What a software adapter would take minutes for. */
export const hardwareCases: readonly BenchCase[] = [matmul(4096, 4096, 4096), matmul(4096, 4096, 4096, 'float16')];

interface ConvSpec {
  readonly batch?: number;
  readonly size: number;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
}

function conv({ batch = 1, size, from, to, kernel, stride = 1, depthwise = false }: ConvSpec): BenchCase {
  const pad = (kernel - 1) >> 1;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const channels = depthwise ? 1 : from;
  const [input, output] = [
    [batch, from, size, size],
    [batch, to, out, out],
  ];
  const attributes: Record<string, AttributeSpec> = {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [pad, pad, pad, pad] },
    group: { int: depthwise ? from : 1 },
  };
  const taps = channels * kernel * kernel;
  const what = depthwise ? `depthwise ${size}²×${from}` : `conv ${size}² ${from}→${to}`;
  return kernelCase({
    name: `${what} ${kernel}×${kernel}${stride > 1 ? ` s${stride}` : ''}${batch > 1 ? ` batch ${batch}` : ''}`,
    group: 'convolution',
    input,
    output,
    flops: 2 * sizeOf(output) * taps,
    bytes: 4 * (sizeOf(input) + to * taps + sizeOf(output)),
    add: (network, x) =>
      network.named('y', 'Conv', [x, network.weight([to, channels, kernel, kernel], taps)], attributes),
  });
}

export const convolutions: readonly BenchCase[] = [
  conv({ size: 224, from: 3, to: 32, kernel: 3, stride: 2 }),
  conv({ size: 56, from: 64, to: 64, kernel: 3 }),
  conv({ size: 14, from: 256, to: 256, kernel: 3 }),
  conv({ size: 28, from: 256, to: 512, kernel: 1 }),
  conv({ size: 56, from: 144, to: 144, kernel: 3, depthwise: true }),
  conv({ batch: 8, size: 14, from: 256, to: 256, kernel: 3 }),
  conv({ batch: 8, size: 56, from: 144, to: 144, kernel: 3, depthwise: true }),
];

/** 64 MiB in: more than the caches of any adapter of today hold. */
const wide = [4096, 4096];

function moving(name: string, output: readonly number[], add: KernelSpec['add']): BenchCase {
  return kernelCase({
    name: `${name} 4096²`,
    group: 'bandwidth',
    input: wide,
    output,
    bytes: 4 * (sizeOf(wide) + sizeOf(output)),
    add,
  });
}

export const bandwidth: readonly BenchCase[] = [
  moving('softmax', wide, (network, x) => network.named('y', 'Softmax', [x], { axis: { int: -1 } })),
  moving('layer norm', wide, (network, x) =>
    network.named('y', 'LayerNormalization', [x, network.drawn([4096], 0.5, 1.5), network.drawn([4096], -1, 1)]),
  ),
  moving('sum of rows', [4096, 1], (network, x) => network.named('y', 'ReduceSum', [x, network.ints([1])])),
  moving('sum of columns', [1, 4096], (network, x) => network.named('y', 'ReduceSum', [x, network.ints([0])])),
  moving('transpose', wide, (network, x) => network.named('y', 'Transpose', [x], { perm: { ints: [1, 0] } })),
];

/** Operators that a runtime may fuse as it likes; what they compute stays within the same scale. */
function pointwiseChain(length: number): BenchCase {
  const dims = [256, 256];
  const kinds: ((network: Network, x: string) => string)[] = [
    (network, x) => network.op('Mul', [x, network.drawn([1], 0.9, 1.1)]),
    (network, x) => network.op('Add', [x, network.drawn([256], -0.1, 0.1)]),
    (network, x) => network.op('Tanh', [x]),
    (network, x) => network.op('Sub', [x, network.drawn([1], -0.1, 0.1)]),
    (network, x) => network.op('Abs', [x]),
  ];
  return kernelCase({
    name: `chain of ${length} pointwise`,
    group: 'chain',
    input: dims,
    output: dims,
    add(network, x) {
      let at = x;
      for (let i = 0; i < length - 1; i++) at = (kinds[i % kinds.length] as (typeof kinds)[0])(network, at);
      network.named('y', 'Neg', [at]);
    },
  });
}

function matmulChain(length: number, size: number): BenchCase {
  return kernelCase({
    name: `chain of ${length} matmul ${size}³`,
    group: 'chain',
    input: [size, size],
    output: [size, size],
    flops: 2 * length * size ** 3,
    add(network, x) {
      let at = x;
      for (let i = 0; i < length - 1; i++) at = network.op('MatMul', [at, network.weight([size, size], size)]);
      network.named('y', 'MatMul', [at, network.weight([size, size], size)]);
    },
  });
}

export const chains: readonly BenchCase[] = [pointwiseChain(200), matmulChain(100, 32)];
