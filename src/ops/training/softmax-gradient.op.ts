// lepton.SoftmaxGradient: the backward pass of Softmax along the last axis, in one kernel.
// Inputs: y, the result of the forward pass, and its gradient g. Output: the gradient of what went in, y (g - sum of g y).

import shader from '../../../shaders/softmax-gradient.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, sameDims, sizeOf } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { heldRows, type Joining, joinConstants, joinCost, joinings, joinText, sumPart } from '../wgsl/join-lanes';
import { laneLayout, loadsApart, rowWork } from '../wgsl/lanes';
import { moreLoadText, rowAccessText } from '../wgsl/row-access';

function rowsOf(n: NodeView): { rows: number; length: number } {
  const { dims } = n.input(0);
  const length = dims.at(-1) ?? 1;
  return { rows: sizeOf(dims) / Math.max(1, length), length };
}

const kernelOf = (joining: Joining): Kernel => ({
  ...heldRows(joining, (n) => rowsOf(n).length),
  cost(n, t) {
    const { rows, length } = rowsOf(n);
    const lanes = t.lanes as number;
    const { workgroups, steps, busy } = rowWork(rows, length, lanes);
    const { shared, cleared, emulated } = joinCost(joining, lanes, workgroups, sumPart);
    const bytes = byteSize(deviceType(n.input(0).dtype)) * loadsApart(length, lanes);
    return {
      flops: busy * lanes * (16 * 12 * steps + (lanes > 1 ? 20 : 5)),
      // What does not stay in registers is read twice.
      traffic: busy * length * (steps > 1 ? 5 : 3) * bytes,
      shared,
      cleared,
      emulated,
      workgroups,
    };
  },
  dispatches: (n, t) => [dispatch(n, joining, t.lanes as number)],
});

function dispatch(n: NodeView, joining: Joining, lanes: number): Dispatch {
  const { rows, length } = rowsOf(n);
  const layout = laneLayout(lanes, rows);
  const quads = ceilDiv(length, 4);
  const access = { dtype: n.input(0).dtype, inQuads: length % 4 === 0, distance: '1u' };
  return {
    label: 'SoftmaxGradient.rows',
    wgsl: [
      joining.enable + linearHelpers,
      rowAccessText(access),
      moreLoadText(access, 'gradient'),
      joinText(joining, lanes, sumPart),
      shader,
    ].join('\n'),
    constants: { ...joinConstants(joining, layout), held: quads <= 4 * lanes ? 1 : 0 },
    bindings: { input: { input: 0 }, gradient: { input: 1 }, result: { output: 0 } },
    uniforms: { rows, quads, length },
    workgroups: foldWorkgroups(ceilDiv(rows, layout.rows)),
  };
}

export default defineOp({
  name: 'lepton.SoftmaxGradient',
  attributes: {},
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats');
    if (!sameDims(n.input(1).dims, dims)) n.fail('has a gradient whose shape is not that of its input');
    return [{ dtype, dims }];
  },
  reference(n, inputs) {
    const [y, gradient] = inputs as [NDArray, NDArray];
    const { rows, length } = rowsOf(n);
    const out = ndarray(y.dtype, y.dims);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = row * length; i < (row + 1) * length; i++) {
        sum += (gradient.data[i] as number) * (y.data[i] as number);
      }
      for (let i = row * length; i < (row + 1) * length; i++) {
        out.data[i] = (y.data[i] as number) * ((gradient.data[i] as number) - sum);
      }
    }
    return [out];
  },
  kernels: joinings.map(kernelOf),
});

const shapes: number[][] = [
  [3, 5, 127],
  [7, 132],
  [2, 1103],
  [3, 1100],
  [129, 3],
  [2, 4103],
];

export const cases: OpCase[] = [
  ...shapes.map((dims) => ({ name: dims.join('×'), inputs: [{ dims, range: [0, 0.1] as const }, { dims }] })),
  {
    name: 'float16',
    inputs: [
      { dims: [3, 36], dtype: 'float16', range: [0, 0.1] },
      { dims: [3, 36], dtype: 'float16' },
    ],
    tolerance: 5e-3,
  },
];
