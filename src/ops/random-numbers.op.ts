// lepton.RandomNumbers: a float32 tensor of random numbers that each run draws anew, uniform in [0, 1) or normal of
// mean 0 and variance 1. The generator's state stays on the GPU from run to run. Only the `lower` of random
// operators without a seed makes such nodes, with a seed that it has drawn.

import numbersText from '../../shaders/random-numbers.wgsl?raw';
import stateText from '../../shaders/random-state.wgsl?raw';
import { ceilDiv, sizeOf } from '../base/shape';
import { int, required } from '../ir/attributes';
import type { Dispatch, Operand } from '../ir/kernel';
import { defineOp } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';

const workgroupSize = 64;
const state: Operand = { scratch: 'state', bytes: 16 };

const step = (label: string, seed: number, start: 0 | 1): Dispatch => ({
  label: `RandomNumbers.${label}`,
  wgsl: stateText,
  bindings: { state },
  uniforms: { seed, start },
  workgroups: [1, 1, 1],
  ...(start === 1 && { once: true }),
});

export default defineOp({
  name: 'lepton.RandomNumbers',
  attributes: { shape: required('ints'), seed: required('int'), normal: int(0) },
  varies: true,
  infer: (n) => [{ dtype: 'float32', dims: n.attributes.shape }],
  reference: (n) => n.fail('exists on the GPU only'),
  kernels: [
    {
      name: 'hash',
      cost(n) {
        const quads = ceilDiv(sizeOf(n.attributes.shape), 4);
        return { flops: 100 * quads, traffic: 24 * quads, workgroups: ceilDiv(quads, workgroupSize), dispatches: 2 };
      },
      dispatches(n) {
        const { shape, seed, normal } = n.attributes;
        const quads = ceilDiv(sizeOf(shape), 4);
        return [
          step('start', seed, 1),
          {
            label: 'RandomNumbers.draw',
            wgsl: numbersText,
            constants: { workgroup_size: workgroupSize, normal },
            bindings: { state, result: { output: 0 } },
            uniforms: { quads },
            workgroups: oneEach(quads, workgroupSize),
          },
          step('next', seed, 0),
        ];
      },
    },
  ],
});
