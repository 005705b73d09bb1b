// GroupNormalization and InstanceNormalization: a row is a group of channels of one sample, or a single
// channel of it. Scale and bias have an element for each channel (before opset 21, for each group).

import { isFloat } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { float, int, required } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { normalizeGrad } from './normalize/gradient';
import { normalizeByChannel, type Rows, rowKernels } from './normalize/rows';

function rowsOf<A extends { epsilon: number }>(n: NodeView<A>, groups: number): Rows {
  const { dims } = n.input(0);
  const sample = sizeOf(dims.slice(1));
  const channels = sizeOf(n.input(1).dims);
  const rows = (dims[0] as number) * groups;
  return {
    rows,
    length: sample / groups,
    inner: sample / channels,
    channels,
    epsilon: n.attributes.epsilon,
    centred: true,
  };
}

function infer<A>(n: NodeView<A>, groups: number): TensorType[] {
  const { dtype, dims } = n.input(0);
  const channels = dims[1] ?? n.fail('needs an input of rank 2 or more');
  if (!isFloat(dtype)) n.fail('needs floats');
  if (channels % groups !== 0) n.fail(`has ${channels} channels, which do not fall into ${groups} groups`);
  for (const i of [1, 2]) {
    const size = sizeOf(n.input(i).dims);
    if (size !== channels && size !== groups) n.fail(`needs ${channels} elements in its input ${i}, but has ${size}`);
  }
  if (sizeOf(n.input(1).dims) !== sizeOf(n.input(2).dims)) n.fail('has a scale and a bias of different sizes');
  return [{ dtype, dims }];
}

function grad(n: NodeView, b: LowerBuilder, r: Rows, [gradient]: readonly (string | undefined)[]): string[] {
  const [x, scale] = n.node.inputs as [string, string];
  return gradient === undefined ? [] : normalizeGrad(b, r, { x, scale, gradient });
}

type Inputs = readonly [NDArray, NDArray, NDArray];

type GroupNode = NodeView<{ epsilon: number; num_groups: number }>;
const groupRows = (n: GroupNode) => rowsOf(n, n.attributes.num_groups);

const group = defineOp({
  name: 'GroupNormalization',
  attributes: { epsilon: float(1e-5), num_groups: required('int'), stash_type: int(1) },
  infer(n) {
    const { num_groups } = n.attributes;
    if (num_groups < 1) n.fail(`has ${num_groups} groups`);
    return infer(n, num_groups);
  },
  reference: (n, inputs) => [normalizeByChannel(groupRows(n), ...(inputs as Inputs))],
  grad: (n, b, gradients) => grad(n, b, groupRows(n), gradients),
  kernels: rowKernels('GroupNormalization', groupRows),
});

type InstanceNode = NodeView<{ epsilon: number }>;
const channelsOf = (n: InstanceNode) => n.input(0).dims[1] ?? 1;
const instanceRows = (n: InstanceNode) => rowsOf(n, channelsOf(n));

const instance = defineOp({
  name: 'InstanceNormalization',
  attributes: { epsilon: float(1e-5) },
  infer: (n) => infer(n, channelsOf(n)),
  reference: (n, inputs) => [normalizeByChannel(instanceRows(n), ...(inputs as Inputs))],
  grad: (n, b, gradients) => grad(n, b, instanceRows(n), gradients),
  kernels: rowKernels('InstanceNormalization', instanceRows),
});

export default [group, instance];

export const cases: Record<string, OpCase[]> = {
  GroupNormalization: [
    {
      name: 'two groups',
      inputs: [{ dims: [3, 6, 5, 7] }, { dims: [6] }, { dims: [6] }],
      attributes: { num_groups: 2 },
    },
    {
      name: 'planes of quads',
      inputs: [{ dims: [2, 6, 4, 7] }, { dims: [6] }, { dims: [6] }],
      attributes: { num_groups: 3 },
    },
    {
      name: 'one group',
      inputs: [{ dims: [2, 4, 129] }, { dims: [4] }, { dims: [4] }],
      attributes: { num_groups: 1, epsilon: 0.01 },
    },
    {
      name: 'scale a group',
      inputs: [{ dims: [2, 6, 9] }, { dims: [3] }, { dims: [3] }],
      attributes: { num_groups: 3 },
    },
  ],
  InstanceNormalization: [
    { name: 'image', inputs: [{ dims: [2, 5, 11, 13] }, { dims: [5] }, { dims: [5] }] },
    { name: 'image of quads', inputs: [{ dims: [2, 3, 20, 18] }, { dims: [3] }, { dims: [3] }] },
    {
      name: 'small planes',
      inputs: [{ dims: [3, 33, 4] }, { dims: [33] }, { dims: [33] }],
      attributes: { epsilon: 0.01 },
    },
    {
      name: 'float16',
      inputs: [
        { dims: [1, 3, 64], dtype: 'float16' },
        { dims: [3], dtype: 'float16' },
        { dims: [3], dtype: 'float16' },
      ],
      tolerance: 5e-3,
    },
  ],
};
