// What the benchmark of sparse weights measures: products and convolutions, each with dense weights and with ever more of
// them zero, in several structures, and layers that were pruned by others. A run of one shape times all of them in turns.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../.ci/command';
import { sharedDataFolder } from '../../../.ci/shared-data';
import { sizeOf } from '../../../src/base/shape';
import { csrToDense } from '../../../src/ops/sparse/csr';
import { readMatrixMarket, readSmtx } from '../../sparse/matrix-files';
import { mulberry32 } from '../../support/random';
import type { BenchCase } from '../cases/case';
import { kernelCase } from '../cases/kernels';
import type { Network } from '../cases/network';

export interface SparseShape {
  readonly name: string;
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

/** Sparse weights as a matrix of rows by everything else. */
interface Weights {
  readonly structure: string;
  readonly zeros: number;
  data(): Float32Array;
}

interface Layer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly add: (network: Network, weights: string) => void;
}

function shapeOf(layer: Layer, levels: readonly Weights[]): SparseShape {
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
    dense: test('dense', () => drawn(sizeOf(dims))),
    levels: levels.map(({ structure, zeros, data }) => ({
      structure,
      zeros,
      test: test(`${structure}, ${percent(zeros)} zeros`, data),
    })),
  };
}

export const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;

/** Never zero, and on a scale that keeps sums of a thousand of them small. */
function drawn(count: number, seed = 1): Float32Array {
  const random = mulberry32(seed);
  return Float32Array.from({ length: count }, () => (random() < 0.5 ? -1 : 1) * (0.02 + 0.03 * random()));
}

/** Whole blocks of height × width are zero or not. */
function blocks([rows, columns]: readonly [number, number], zeros: number, height = 1, width = 1): Weights {
  const structure = height * width === 1 ? 'random' : `blocks ${height}×${width}`;
  const data = () => {
    const random = mulberry32(3);
    const across = Math.ceil(columns / width);
    const kept = Uint8Array.from({ length: Math.ceil(rows / height) * across }, () => Number(random() >= zeros));
    return drawn(rows * columns).map((value, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return value * (kept[Math.floor(row / height) * across + Math.floor(column / width)] as number);
    });
  };
  return { structure, zeros, data };
}

/** One row in sixteen has most of the non-zeros. */
function skewed([rows, columns]: readonly [number, number], zeros: number): Weights {
  const data = () => {
    const random = mulberry32(4);
    const [heavy, light] = [Math.min(0.9, 12 * (1 - zeros)), (1 - zeros) / 4];
    return drawn(rows * columns).map((value, i) => {
      const share = Math.floor(i / columns) % 16 === 0 ? heavy : light;
      return random() < share ? value : 0;
    });
  };
  return { structure: 'skewed', zeros, data };
}

const steps = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

function product(m: number, k: number, n: number, levels: readonly Weights[]): SparseShape {
  return shapeOf(
    {
      ...{ name: `${m}×${k} × ${n}`, dims: [m, k], input: [k, n], output: [m, n] },
      add: (network, weights) => network.named('y', 'MatMul', [weights, 'x']),
    },
    levels,
  );
}

function products(m: number, k: number): SparseShape[] {
  const size = [m, k] as const;
  const random = steps.map((zeros) => blocks(size, zeros));
  const structured = [blocks(size, 0.9, 1, 4), blocks(size, 0.9, 4, 4), skewed(size, 0.9)];
  return [1, 8, 64, 256].map((n) => product(m, k, n, n === 1 || n === 64 ? [...random, ...structured] : random));
}

interface ConvSpec {
  readonly size: number;
  readonly channels: readonly [number, number];
  readonly kernel: number;
}

function convolution({ size, channels: [from, to], kernel }: ConvSpec): SparseShape {
  const pad = (kernel - 1) / 2;
  const matrix = [to, from * kernel * kernel] as const;
  return shapeOf(
    {
      name: `convolution ${kernel}×${kernel}, ${size}², ${from}→${to}`,
      dims: [to, from, kernel, kernel],
      input: [1, from, size, size],
      output: [1, to, size, size],
      add: (network, weights) =>
        network.named('y', 'Conv', ['x', weights], {
          kernel_shape: { ints: [kernel, kernel] },
          pads: { ints: [pad, pad, pad, pad] },
        }),
    },
    steps.slice(1).map((zeros) => blocks(matrix, zeros)),
  );
}

/** A matrix that others have pruned, in its own shape. */
function pruned(name: string, file: string, n: number): SparseShape[] {
  const path = join(sharedDataFolder(root), 'sparse', file);
  const random = mulberry32(5);
  const read = () => {
    const text = readFileSync(path, 'utf8');
    return file.endsWith('.smtx') ? readSmtx(text, () => 0.02 + 0.03 * random()) : readMatrixMarket(text);
  };
  const { rows, columns, values } = read();
  const zeros = 1 - values.data.length / (rows * columns);
  const weights = { structure: name, zeros, data: () => Float32Array.from(csrToDense(read()).data) };
  return [product(rows, columns, n, [weights])];
}

const dlmc = (file: string) => `dlmc/${file}.smtx`;
const attention = 'multihead_attention_q_fully_connected';

export function drawnShapes(): SparseShape[] {
  return [
    ...products(768, 768),
    ...products(3072, 768),
    ...products(1024, 4096),
    convolution({ size: 56, channels: [64, 64], kernel: 3 }),
    convolution({ size: 14, channels: [256, 256], kernel: 3 }),
    convolution({ size: 28, channels: [256, 512], kernel: 1 }),
    convolution({ size: 28, channels: [96, 576], kernel: 1 }),
    convolution({ size: 14, channels: [384, 64], kernel: 1 }),
  ];
}

/** @throws where the shared data is not there */
export function prunedShapes(): SparseShape[] {
  return [
    ...pruned(
      'DLMC, magnitude',
      dlmc(`transformer__magnitude_pruning__0.8__body_encoder_layer_5_self_attention_${attention}`),
      64,
    ),
    ...pruned(
      'DLMC, magnitude',
      dlmc(`transformer__magnitude_pruning__0.9__body_encoder_layer_2_self_attention_${attention}`),
      64,
    ),
    ...pruned(
      'DLMC, magnitude',
      dlmc('transformer__magnitude_pruning__0.95__body_encoder_layer_3_ffn_conv2_fully_connected'),
      64,
    ),
    ...pruned('DLMC, variational dropout', dlmc('rn50__variational_dropout__0.9__bottleneck_3_block_group3_5_1'), 64),
    ...pruned('DLMC, random', dlmc('rn50__random_pruning__0.98__bottleneck_3_block_group3_2_1'), 64),
    ...pruned('Cora, a graph', 'citation-graphs/cora.mtx', 64),
  ];
}

/** Whether cases whose names match are to be of sparse weights, too: where it says so, or says nothing. */
export const wantsSparse = ({ source }: RegExp) => /sparse/.test(source) || source === '(?:)';
