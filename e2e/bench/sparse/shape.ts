// A product or convolution with dense weights and with sparse ones: what a run of the benchmark of sparse weights times in
// turns.

import { sizeOf } from '../../../src/base/shape';
import type { BenchCase } from '../cases/case';
import { kernelCase } from '../cases/kernels';
import type { Network } from '../cases/network';
import { drawn, type Weights } from './weights';

export interface SparseShape {
  readonly name: string;
  /** Of the weights as float32, however kernels keep them. */
  readonly denseBytes: number;
  readonly dense: BenchCase;
  readonly levels: readonly Level[];
}

export interface Level {
  /** How the zeros lie. */
  readonly structure: string;
  /** Share of the weights. */
  readonly zeros: number;
  readonly test: BenchCase;
}

/** An operator and its weights, which are of `dims`. */
interface Layer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly add: (network: Network, weights: string) => void;
}

export function shapeOf(layer: Layer, levels: readonly Weights[]): SparseShape {
  const { name, dims, input, output } = layer;
  const test = (label: string, data: () => Float32Array) =>
    kernelCase({
      name: `sparse ${name}, ${label}`,
      group: 'sparse',
      input,
      output,
      add: (network) => layer.add(network, network.constant('float32', dims, data())),
    });
  return {
    name,
    denseBytes: 4 * sizeOf(dims),
    dense: test('dense', () => drawn(sizeOf(dims))),
    levels: levels.map(({ structure, zeros, data }) => ({
      structure,
      zeros,
      test: test(`${structure}, ${percent(zeros)} zeros`, data),
    })),
  };
}

export const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;

/** W·x with weights of m × k. */
export function product(m: number, k: number, n: number, levels: readonly Weights[]): SparseShape {
  return shapeOf(
    {
      ...{ name: `${m}×${k} × ${n}`, dims: [m, k], input: [k, n], output: [m, n] },
      add: (network, weights) => network.named('y', 'MatMul', [weights, 'x']),
    },
    levels,
  );
}
