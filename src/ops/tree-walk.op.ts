// lepton.TreeLeaves and lepton.TreeSum, the two halves of every ensemble of decision trees on the GPU: the leaf
// that each row of features ends at in each tree, then for each row and target what its leaves contribute.
// Only the ensembles' `lower` makes such nodes, from a checked Forest (see ml/forest.ts).

import leavesText from '../../shaders/tree-leaves.wgsl?raw';
import sumText from '../../shaders/tree-sum.wgsl?raw';
import { byteSize, deviceType } from '../base/dtype';
import { ceilDiv, sizeOf } from '../base/shape';
import { int, required } from '../ir/attributes';
import { defineOp } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';

const workgroupSize = 64;
/** How many nodes a walk passes, for the estimate of its cost. */
const typicalDepth = 8;

const combine = { AVERAGE: 'a + b', SUM: 'a + b', MIN: 'min(a, b)', MAX: 'max(a, b)' } as const;

const treeLeaves = defineOp({
  name: 'lepton.TreeLeaves',
  attributes: {},
  infer: (n) => [{ dtype: 'int32', dims: [n.input(0).dims[0] as number, sizeOf(n.input(1).dims)] }],
  reference: (n) => n.fail('exists on the GPU only'),
  kernels: [
    {
      name: 'walk',
      cost(n) {
        const walks = sizeOf(n.output(0).dims);
        return {
          flops: 10 * typicalDepth * walks,
          traffic: walks * (8 + typicalDepth * (16 + byteSize(deviceType(n.input(0).dtype)))),
          workgroups: ceilDiv(walks, workgroupSize),
        };
      },
      dispatches(n) {
        const [rows, trees] = n.output(0).dims as readonly [number, number];
        return [
          {
            label: 'TreeLeaves.walk',
            wgsl: `alias elem = ${wordType(n.input(0).dtype)};\n${leavesText}`,
            constants: { workgroup_size: workgroupSize },
            bindings: {
              features: { input: 0 },
              roots: { input: 1 },
              nodes: { input: 2 },
              splits: { input: 3 },
              members: { input: 4 },
              leaves: { output: 0 },
            },
            uniforms: { rows, trees, features: n.input(0).dims[1] as number },
            workgroups: oneEach(rows * trees, workgroupSize),
          },
        ];
      },
    },
  ],
});

const treeSum = defineOp({
  name: 'lepton.TreeSum',
  attributes: { targets: int(1), aggregate: required('string') },
  infer: (n) => [{ dtype: 'float32', dims: [n.input(0).dims[0] as number, n.attributes.targets] }],
  reference: (n) => n.fail('exists on the GPU only'),
  kernels: [
    {
      name: 'targets',
      cost(n) {
        const [rows, trees] = n.input(0).dims as readonly [number, number];
        const steps = rows * trees * n.attributes.targets;
        return {
          flops: 8 * steps,
          traffic: 20 * steps,
          workgroups: ceilDiv(rows * n.attributes.targets, workgroupSize),
        };
      },
      dispatches(n) {
        const [rows, trees] = n.input(0).dims as readonly [number, number];
        const { targets, aggregate } = n.attributes;
        return [
          {
            label: 'TreeSum.targets',
            wgsl: `fn combine(a: f32, b: f32) -> f32 { return ${combine[aggregate as keyof typeof combine]}; }\n${sumText}`,
            constants: { workgroup_size: workgroupSize },
            bindings: {
              leaves: { input: 0 },
              ranges: { input: 1 },
              targets: { input: 2 },
              weights: { input: 3 },
              result: { output: 0 },
            },
            uniforms: { rows, trees, targets, scale: aggregate === 'AVERAGE' ? 1 / trees : 1 },
            workgroups: oneEach(rows * targets, workgroupSize),
          },
        ];
      },
    },
  ],
});

export default [treeLeaves, treeSum];
