// lepton.ConvWeightGradient: the gradient of a convolution's weights. Inputs: what the convolution read, x [batch, channels,
// spatial…], and the gradient of what it wrote, dy [batch, outputs, spatial…]; attributes are Conv's, with kernel_shape.
// Output: [outputs, channels / group, kernel…].

import { defineOp, type OpCase } from '../../ir/opdef';
import { convAttributes } from '../conv/shape';
import { gradientReference, gradientType } from '../conv/weight-gradient';
import { weightLines } from '../conv/weight-lines';
import { weightStaged } from '../conv/weight-staged';

export default defineOp({
  name: 'lepton.ConvWeightGradient',
  attributes: convAttributes,
  infer: (n) => [gradientType(n)],
  reference: gradientReference,
  kernels: [weightLines, weightStaged],
});

function gradient(
  name: string,
  x: readonly number[],
  dy: readonly number[],
  attributes: NonNullable<OpCase['attributes']>,
  dtype?: 'float16',
): OpCase {
  const type = dtype ? { dtype } : {};
  return {
    name,
    inputs: [
      { dims: x, ...type },
      { dims: dy, ...type },
    ],
    attributes,
    tolerance: dtype ? 4e-3 : 2e-5,
  };
}

const three = { kernel_shape: [3, 3] };
const same = { ...three, pads: [1, 1, 1, 1] };

export const cases: OpCase[] = [
  gradient('3×3', [3, 5, 13, 14], [3, 18, 11, 12], three),
  gradient('3×3 padded, ragged', [2, 7, 9, 5], [2, 17, 9, 5], same),
  gradient('one channel, many outputs', [3, 1, 10, 10], [3, 67, 8, 8], three),
  gradient('many channels, one output', [2, 37, 6, 7], [2, 1, 6, 7], same),
  gradient('stride 2, more rows than a window needs', [2, 3, 12, 10], [2, 6, 5, 4], { ...three, strides: [2, 2] }),
  gradient('uneven pads, strides and dilations', [2, 3, 11, 12], [2, 4, 6, 4], {
    kernel_shape: [2, 3],
    strides: [2, 3],
    dilations: [3, 2],
    pads: [2, 0, 1, 4],
  }),
  gradient('SAME_UPPER', [1, 3, 10, 9], [1, 4, 5, 5], { ...three, strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  gradient('5×5', [2, 3, 9, 9], [2, 5, 5, 5], { kernel_shape: [5, 5] }),
  gradient('7×7 stride 2', [1, 3, 21, 19], [1, 9, 11, 10], {
    kernel_shape: [7, 7],
    strides: [2, 2],
    pads: [3, 3, 3, 3],
  }),
  gradient('groups', [2, 6, 7, 8], [2, 9, 7, 8], { ...same, group: 3 }),
  gradient('depthwise', [2, 5, 8, 9], [2, 5, 8, 9], { ...same, group: 5 }),
  gradient('depthwise, two outputs a channel, stride 2', [2, 3, 9, 9], [2, 6, 4, 4], {
    ...three,
    strides: [2, 2],
    group: 3,
  }),
  gradient('pointwise', [2, 19, 5, 7], [2, 33, 5, 7], { kernel_shape: [1, 1] }),
  gradient('one axis', [2, 3, 65], [2, 5, 31], { kernel_shape: [5], strides: [2] }),
  gradient('three axes', [2, 3, 5, 6, 7], [2, 4, 3, 6, 3], {
    kernel_shape: [3, 2, 3],
    strides: [1, 1, 2],
    pads: [0, 1, 0, 0, 0, 0],
  }),
  gradient('on one pixel', [5, 3, 3, 3], [5, 4, 1, 1], three),
  gradient('float16', [2, 5, 6, 6], [2, 7, 6, 6], same, 'float16'),
];
