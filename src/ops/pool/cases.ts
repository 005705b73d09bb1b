// Test cases of the pooling operators: every attribute, odd sizes and tails, 8-bit and 16-bit types.

import type { OpCase } from '../../ir/opdef';

const pool = (
  name: string,
  dims: readonly number[],
  attributes: OpCase['attributes'],
  more?: Partial<OpCase>,
): OpCase => ({
  name,
  inputs: [{ dims }],
  attributes: attributes ?? {},
  ...more,
});

const ceil = { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 };
const padded = { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 2, 1] };

export const poolCases: Record<string, OpCase[]> = {
  MaxPool: [
    pool('2×2 stride 2', [2, 3, 8, 10], { kernel_shape: [2, 2], strides: [2, 2] }),
    pool('2×2 stride 2, odd sizes', [1, 3, 7, 9], { kernel_shape: [2, 2], strides: [2, 2] }),
    pool('2×2 stride 2, ceil_mode', [1, 3, 7, 9], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
    pool('padded, ragged', [1, 3, 7, 9], padded),
    pool('ceil_mode', [1, 3, 8, 6], ceil),
    pool('ceil_mode, last window in the padding behind', [1, 1, 2, 2], {
      kernel_shape: [1, 1],
      strides: [2, 2],
      ceil_mode: 1,
    }),
    pool('dilations', [1, 2, 9, 9], { kernel_shape: [3, 2], dilations: [2, 3] }),
    pool('SAME_UPPER', [1, 2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    pool('SAME_LOWER', [1, 2, 7, 6], { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' }),
    pool('one axis, 127 long', [1, 3, 127], { kernel_shape: [3], strides: [2] }),
    pool('three axes', [1, 2, 5, 6, 7], { kernel_shape: [2, 3, 2], strides: [2, 1, 2], pads: [1, 1, 0, 0, 1, 1] }),
    pool('with indices', [2, 3, 5, 6], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { outputs: 2 }),
    pool('with column-major indices', [2, 2, 6, 5], { kernel_shape: [2, 2], storage_order: 1 }, { outputs: 2 }),
    pool(
      'all far below zero',
      [1, 1, 4, 4],
      { kernel_shape: [2, 2] },
      { inputs: [{ dims: [1, 1, 4, 4], range: [-3e38, -1e38] }], differentiable: false },
    ),
    pool('uint8', [1, 3, 7, 5], padded, { inputs: [{ dims: [1, 3, 7, 5], dtype: 'uint8', range: [0, 255] }] }),
    pool('int8', [1, 3, 7, 5], padded, { inputs: [{ dims: [1, 3, 7, 5], dtype: 'int8', range: [-128, 127] }] }),
    pool('float16', [1, 3, 7, 5], padded, { inputs: [{ dims: [1, 3, 7, 5], dtype: 'float16' }] }),
  ],
  AveragePool: [
    pool('2×2 stride 2', [2, 3, 8, 10], { kernel_shape: [2, 2], strides: [2, 2] }),
    pool('padding not counted', [1, 3, 7, 9], padded),
    pool('padding counted', [1, 3, 7, 9], { ...padded, count_include_pad: 1 }),
    pool('ceil_mode', [1, 3, 8, 6], ceil),
    pool('ceil_mode, padding counted', [1, 2, 6, 8], { ...ceil, pads: [1, 1, 1, 1], count_include_pad: 1 }),
    pool('dilations', [1, 2, 9, 9], {
      kernel_shape: [3, 2],
      dilations: [2, 3],
      pads: [2, 0, 1, 1],
      count_include_pad: 1,
    }),
    pool('one axis, SAME_UPPER', [1, 3, 129], { kernel_shape: [4], strides: [3], auto_pad: 'SAME_UPPER' }),
    pool('three axes', [1, 2, 5, 6, 7], { kernel_shape: [2, 3, 2], strides: [2, 1, 2], pads: [1, 1, 0, 0, 1, 1] }),
    pool('float16', [1, 3, 7, 5], padded, { inputs: [{ dims: [1, 3, 7, 5], dtype: 'float16' }] }),
  ],
  LpPool: [
    pool('p 2', [1, 3, 7, 9], padded),
    pool('p 1, dilations', [1, 3, 7, 9], { kernel_shape: [2, 2], dilations: [2, 1], p: 1 }),
    pool('p 3, ceil_mode', [1, 3, 8, 6], { ...ceil, p: 3 }, { tolerance: 1e-4 }),
    pool('one axis', [2, 3, 17], { kernel_shape: [5], strides: [3], pads: [2, 1] }),
  ],
};
