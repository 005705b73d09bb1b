// lepton.Attention: Softmax(scale · Q Kᵀ + mask) V for every head, what every attention operator comes down to.
// Where the scores are asked for as well it is lowered to products and Softmax, else one kernel does it all.

import { defineOp, type OpCase } from '../ir/opdef';
import { attentionCases } from './attention/cases';
import { decompose } from './attention/decompose';
import { attentionKernels } from './attention/kernels';
import { attentionAttributes, inferAttention } from './attention/problem';
import { attentionReference } from './attention/reference';

export default defineOp({
  name: 'lepton.Attention',
  attributes: attentionAttributes,
  infer: inferAttention,
  reference: attentionReference,
  kernels: attentionKernels,
  lower: (n, b) => (n.wants(1) ? decompose(n, b) : undefined),
  decompose: (n, b) => decompose(n, b),
});

export const cases: OpCase[] = attentionCases;
