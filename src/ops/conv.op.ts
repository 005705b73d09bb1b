// Conv: convolution over 1 to 3 spatial axes, channels first, with groups, dilations and every kind of
// padding. Inputs: x [batch, channels, spatial…], weights [outputs, channels / group, kernel…], bias [outputs].

import { defineOp } from '../ir/opdef';
import { convCases } from './conv/cases';
import { depthwise } from './conv/depthwise';
import { direct, quad } from './conv/direct';
import { convReference } from './conv/reference';
import { implicitGemm, pointwise } from './conv/staged';
import { convAttributes, convShape } from './conv/shape';

export default defineOp({
  name: 'Conv',
  attributes: convAttributes,
  infer(n) {
    const { batch, groups, groupOut, window } = convShape(n);
    return [{ dtype: n.input(0).dtype, dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference: convReference,
  kernels: [depthwise, pointwise, implicitGemm, direct, quad],
});

export const cases = convCases;
