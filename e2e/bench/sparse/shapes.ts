// What the benchmark of sparse weights draws itself: products and convolutions with ever more of their weights zero, in
// several structures, and products of compressed weights.

import { compressedShapes } from './compressed';
import { product, type SparseShape, shapeOf } from './shape';
import { blocks, skewed } from './weights';

const steps = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

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
    steps.map((zeros) => blocks(matrix, zeros)),
  );
}

export function drawnShapes(): SparseShape[] {
  return [
    ...products(768, 768),
    ...products(3072, 768),
    ...products(1024, 4096),
    ...compressedShapes(),
    convolution({ size: 56, channels: [64, 64], kernel: 3 }),
    convolution({ size: 14, channels: [256, 256], kernel: 3 }),
    convolution({ size: 28, channels: [256, 512], kernel: 1 }),
    convolution({ size: 28, channels: [96, 576], kernel: 1 }),
    convolution({ size: 14, channels: [384, 64], kernel: 1 }),
  ];
}

/** Whether cases whose names match are to be of sparse weights, too: where it says so, or says nothing. */
export const wantsSparse = ({ source }: RegExp) => /sparse/.test(source) || source === '(?:)';
