// Conv: convolution over 1 to 3 spatial axes, channels first, with groups, dilations and every kind of
// padding. Inputs: x [batch, channels, spatial…], weights [outputs, channels / group, kernel…], bias [outputs].

import { defineOp } from '../ir/opdef';
import { convCases } from './conv/cases';
import { depthwise } from './conv/depthwise';
import { tileKernels } from './conv/direct';
import { convReference } from './conv/reference';
import { convAttributes, convShape } from './conv/shape';
import { implicitGemm, pointwise } from './conv/staged';

export default defineOp({
  name: 'Conv',
  attributes: convAttributes,
  infer(n) {
    const { batch, groups, groupOut, window } = convShape(n);
    return [{ dtype: n.input(0).dtype, dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference: convReference,
  kernels: [depthwise, pointwise, implicitGemm, ...tileKernels(convShape, { transposed: false })],
});

export const cases = convCases;
