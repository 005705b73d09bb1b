// Conv: convolution over 1 to 3 spatial axes, channels first, with groups, dilations and every kind of
// padding. Inputs: x [batch, channels, spatial…], weights [outputs, channels / group, kernel…], bias [outputs].

import { defineOp } from '../ir/opdef';
import { convCases } from './conv/cases';
import { columns } from './conv/columns';
import { depthwise } from './conv/depthwise';
import { direct } from './conv/direct';
import { convGrad } from './conv/grad';
import { type Convolution, convWeightSteps } from './conv/parts';
import { quad } from './conv/quad';
import { convReference } from './conv/reference';
import { rows } from './conv/rows';
import { type ConvAttributes, convAttributes, convShape } from './conv/shape';
import { staged } from './conv/staged';
import { winograd } from './conv/winograd';
import { plainConv } from './plain/conv';
import { sparse } from './sparse/conv';
import { sparseTaps } from './sparse/conv-taps';

const kind: Convolution<ConvAttributes> = { sizes: convShape, weightSteps: convWeightSteps, transposed: false };

export default defineOp({
  name: 'Conv',
  attributes: convAttributes,
  infer(n) {
    const { batch, groups, groupOut, window } = convShape(n);
    return [{ dtype: n.input(0).dtype, dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference: convReference,
  grad: convGrad,
  kernels: [
    depthwise,
    rows,
    staged(kind, 'planes'),
    staged(kind, 'windows'),
    winograd,
    columns(kind),
    quad(kind),
    direct(kind),
    plainConv,
    sparse,
    sparseTaps,
  ],
});

export const cases = convCases;
