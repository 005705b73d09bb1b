// Test cases of Conv: odd sizes and tails, every attribute, grouped, depthwise and pointwise forms.

import type { OpCase } from '../../ir/opdef';
import { sparseConvCases } from '../sparse/conv-cases';

interface Sizes {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias?: boolean;
  readonly attributes?: OpCase['attributes'];
  readonly dtype?: 'float16';
  /** Weights and bias are inputs of the graph instead of constants. */
  readonly computed?: boolean;
}

function conv({ name, x, w, bias = true, attributes, dtype, computed = false }: Sizes): OpCase {
  const type = dtype ? { dtype } : {};
  const weight = (dims: readonly number[]) => ({ dims, constant: !computed, ...type });
  return {
    name,
    inputs: [{ dims: x, ...type }, weight(w), bias ? weight([w[0] as number]) : undefined],
    ...(attributes && { attributes }),
    tolerance: dtype ? 2e-3 : 2e-5,
  };
}

const same = { pads: [1, 1, 1, 1] };

export const convCases: OpCase[] = [
  conv({ name: '3×3 padded', x: [1, 8, 12, 12], w: [16, 8, 3, 3], attributes: same }),
  conv({
    name: '3×3 without bias, ragged in every size',
    x: [2, 5, 7, 9],
    w: [11, 5, 3, 3],
    bias: false,
    attributes: same,
  }),
  conv({ name: '3×3 in blocks, ragged', x: [3, 9, 7, 10], w: [19, 9, 3, 3], bias: false, attributes: same }),
  conv({
    name: '3×3 in blocks with uneven pads, two groups',
    x: [2, 22, 13, 6],
    w: [14, 11, 3, 3],
    attributes: { group: 2, pads: [2, 0, 0, 1] },
  }),
  conv({ name: '3×3 over many channels', x: [2, 192, 5, 6], w: [9, 192, 3, 3], attributes: same }),
  conv({ name: '3×3 smaller than a block', x: [1, 8, 2, 3], w: [5, 8, 3, 3], attributes: same }),
  conv({
    name: '3×3 stride 2, three channels',
    x: [1, 3, 17, 15],
    w: [13, 3, 3, 3],
    attributes: { ...same, strides: [2, 2] },
  }),
  conv({ name: 'unpadded 5×3 with dilation', x: [1, 4, 13, 11], w: [6, 4, 5, 3], attributes: { dilations: [2, 3] } }),
  conv({
    name: 'uneven pads and strides',
    x: [1, 3, 10, 9],
    w: [4, 3, 4, 2],
    attributes: { pads: [0, 1, 2, 3], strides: [1, 3] },
  }),
  conv({
    name: 'auto_pad SAME_UPPER',
    x: [1, 3, 10, 9],
    w: [4, 3, 4, 2],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  }),
  conv({
    name: 'auto_pad SAME_LOWER',
    x: [1, 3, 10, 9],
    w: [4, 3, 4, 2],
    attributes: { auto_pad: 'SAME_LOWER', strides: [2, 1] },
  }),
  conv({ name: 'auto_pad VALID', x: [1, 3, 10, 9], w: [4, 3, 4, 2], attributes: { auto_pad: 'VALID' } }),
  conv({ name: 'three groups', x: [2, 9, 8, 8], w: [15, 3, 3, 3], attributes: { ...same, group: 3 } }),
  conv({ name: 'depthwise 3×3', x: [2, 5, 8, 12], w: [5, 1, 3, 3], attributes: { ...same, group: 5 } }),
  conv({
    name: 'depthwise 3×3 stride 2, ragged',
    x: [1, 6, 13, 11],
    w: [6, 1, 3, 3],
    attributes: { ...same, group: 6, strides: [2, 2] },
  }),
  conv({
    name: 'depthwise 3×3 in strips, two outputs a channel, uneven pads',
    x: [2, 3, 7, 6],
    w: [6, 1, 3, 3],
    attributes: { group: 3, pads: [0, 2, 2, 1] },
  }),
  conv({
    name: 'depthwise 7×7 stride 2, more rows than a strip',
    x: [1, 2, 69, 9],
    w: [2, 1, 7, 7],
    attributes: { group: 2, pads: [3, 3, 3, 3], strides: [2, 2] },
  }),
  conv({
    name: 'depthwise with dilations that strides do not divide',
    x: [1, 3, 20, 23],
    w: [3, 1, 3, 3],
    attributes: { group: 3, pads: [1, 2, 0, 1], strides: [3, 2], dilations: [2, 3] },
  }),
  conv({
    name: 'one channel to five, 5×7',
    x: [2, 1, 9, 11],
    w: [5, 1, 5, 7],
    attributes: { pads: [2, 3, 2, 3] },
  }),
  conv({ name: 'two channels to three', x: [3, 2, 6, 7], w: [3, 2, 3, 3], attributes: same }),
  conv({
    name: 'few channels in each of two groups, stride 3',
    x: [1, 6, 11, 13],
    w: [38, 3, 2, 3],
    attributes: { group: 2, pads: [0, 1, 1, 0], strides: [1, 3] },
  }),
  conv({ name: 'depthwise 3×3 on one pixel', x: [1, 3, 1, 1], w: [3, 1, 3, 3], attributes: { ...same, group: 3 } }),
  conv({
    name: 'depthwise 3×3, float16',
    x: [1, 3, 9, 9],
    w: [3, 1, 3, 3],
    attributes: { ...same, group: 3, strides: [2, 2] },
    dtype: 'float16',
  }),
  conv({
    name: 'depthwise 5×5, two outputs a channel',
    x: [2, 3, 7, 9],
    w: [6, 1, 5, 5],
    attributes: { group: 3, pads: [2, 2, 2, 2] },
  }),
  conv({
    name: 'depthwise 5×5 stride 2',
    x: [1, 3, 14, 15],
    w: [3, 1, 5, 5],
    bias: false,
    attributes: { group: 3, pads: [1, 2, 2, 1], strides: [2, 2] },
  }),
  conv({
    name: 'depthwise 3×4 stride 2 by 1',
    x: [1, 3, 9, 10],
    w: [3, 1, 3, 4],
    attributes: { group: 3, pads: [0, 1, 0, 2], strides: [2, 1], dilations: [2, 1] },
  }),
  conv({
    name: 'depthwise 2×4 stride 2',
    x: [1, 3, 9, 17],
    w: [3, 1, 2, 4],
    attributes: { group: 3, strides: [1, 2] },
  }),
  conv({ name: 'depthwise over one axis', x: [1, 3, 17], w: [3, 1, 2], attributes: { group: 3 } }),
  conv({
    name: 'depthwise 2 wide stride 2',
    x: [1, 3, 6, 9],
    w: [3, 1, 2, 2],
    attributes: { group: 3, strides: [2, 2] },
  }),
  conv({
    name: 'depthwise 7×7 with dilation',
    x: [1, 3, 15, 16],
    w: [3, 1, 7, 7],
    attributes: { group: 3, dilations: [2, 2], pads: [6, 6, 6, 6] },
  }),
  conv({ name: 'pointwise', x: [2, 7, 6, 8], w: [19, 7, 1, 1] }),
  conv({ name: 'pointwise, ragged', x: [2, 33, 7, 7], w: [10, 33, 1, 1] }),
  conv({ name: 'pointwise, two groups', x: [1, 12, 3, 43], w: [6, 6, 1, 1], attributes: { group: 2 } }),
  conv({ name: 'pointwise stride 2', x: [1, 8, 7, 9], w: [5, 8, 1, 1], attributes: { strides: [2, 2] } }),
  conv({ name: 'pointwise on one pixel', x: [3, 37, 1, 1], w: [21, 37, 1, 1] }),
  conv({
    name: 'wide tile: 129 channels to 67, 127 pixels',
    x: [1, 129, 1, 127],
    w: [67, 129, 1, 3],
    attributes: { pads: [0, 1, 0, 1] },
  }),
  conv({ name: 'one axis', x: [2, 5, 128], w: [7, 5, 4], attributes: { pads: [2, 1], strides: [3] } }),
  conv({
    name: 'three axes',
    x: [2, 3, 5, 6, 7],
    w: [5, 3, 3, 2, 3],
    attributes: { pads: [1, 0, 1, 1, 1, 1], strides: [2, 1, 2] },
  }),
  conv({ name: 'weights computed in the run', x: [1, 3, 6, 6], w: [4, 3, 3, 3], attributes: same, computed: true }),
  conv({
    name: '3×3 with weights computed in the run',
    x: [1, 9, 6, 6],
    w: [4, 9, 3, 3],
    attributes: same,
    computed: true,
  }),
  conv({ name: 'pointwise, float16', x: [2, 6, 5, 7], w: [10, 6, 1, 1], dtype: 'float16' }),
  conv({ name: 'float16', x: [1, 6, 9, 9], w: [10, 6, 3, 3], attributes: same, dtype: 'float16' }),
  ...sparseConvCases,
];
