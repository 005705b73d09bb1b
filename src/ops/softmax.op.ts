// Softmax and LogSoftmax along one axis, with the largest element subtracted first. One shader in two
// shapes: an invocation for each row, or a workgroup (or a part of one) for each row.

import shader from '../../shaders/softmax.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch, Kernel } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { foldWorkgroups, linearHelpers } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';
import { laneLayout } from './wgsl/lanes';

type SoftmaxNode = NodeView<{ axis: number }>;

/** Rows of `length` elements, `inner` apart. */
function rowsOf(n: SoftmaxNode) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const length = dims[axis] as number;
  return { length, inner: sizeOf(dims.slice(axis + 1)), rows: sizeOf(dims) / length };
}

/** @param finish WGSL of `shifted`, the element less the row's largest, and `sum`, that of the exponentials */
function kernels(name: string, finish: string): Kernel<{ axis: number }>[] {
  const dispatch = (n: SoftmaxNode, variant: string, lanes: number): Dispatch => {
    const { rows, length, inner } = rowsOf(n);
    const layout = laneLayout(lanes);
    const front = `${linearHelpers}
alias elem = ${wordType(n.input(0).dtype)};
fn finish(shifted: f32, sum: f32) -> f32 { return ${finish}; }
`;
    return {
      label: `${name}.${variant}`,
      wgsl: front + shader,
      constants: layout.constants,
      bindings: { input: { input: 0 }, result: { output: 0 } },
      uniforms: { rows, length, inner },
      workgroups: foldWorkgroups(ceilDiv(rows, layout.rows)),
    };
  };
  const cost = (n: SoftmaxNode, lanes: number) => {
    const { rows, length } = rowsOf(n);
    const layout = laneLayout(lanes);
    const workgroups = ceilDiv(rows, layout.rows);
    const invocations = workgroups * layout.invocations;
    return {
      flops: invocations * (25 * ceilDiv(length, lanes) + (lanes > 1 ? 40 : 0)),
      traffic: 4 * rows * length * byteSize(deviceType(n.input(0).dtype)),
      shared: lanes > 1 ? invocations * 8 * (2 + Math.sqrt(lanes)) : 0,
      cleared: invocations * layout.slots * 8,
      workgroups,
    };
  };
  return [
    {
      name: 'invocation',
      cost: (n) => cost(n, 1),
      dispatches: (n) => [dispatch(n, 'invocation', 1)],
    },
    {
      name: 'workgroup',
      space: { lanes: [64, 256, 8] },
      legal: (n, t) => (t.lanes as number) <= Math.max(8, rowsOf(n).length),
      cost: (n, t) => cost(n, t.lanes as number),
      dispatches: (n, t) => [dispatch(n, 'workgroup', t.lanes as number)],
    },
  ];
}

function softmaxOp(name: string, finish: { host: (shifted: number, sum: number) => number; wgsl: string }) {
  return defineOp({
    name,
    attributes: { axis: int(-1) },
    infer(n) {
      const { dtype, dims } = n.input(0);
      if (!isFloat(dtype)) n.fail('needs floats');
      axisOf(n, n.attributes.axis, dims.length);
      return [{ dtype, dims }];
    },
    reference(n, [x]) {
      const { data, dims, dtype } = x as NDArray;
      const { rows, length, inner } = rowsOf(n);
      const out = ndarray(dtype, dims);
      for (let row = 0; row < rows; row++) {
        const base = Math.floor(row / inner) * length * inner + (row % inner);
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < length; i++) largest = Math.max(largest, data[base + i * inner] as number);
        let sum = 0;
        for (let i = 0; i < length; i++) sum += Math.exp((data[base + i * inner] as number) - largest);
        for (let i = 0; i < length; i++) {
          const at = base + i * inner;
          out.data[at] = finish.host((data[at] as number) - largest, sum);
        }
      }
      return [out];
    },
    kernels: kernels(name, finish.wgsl),
  });
}

export default [
  softmaxOp('Softmax', { host: (shifted, sum) => Math.exp(shifted) / sum, wgsl: 'exp_of(shifted) / sum' }),
  softmaxOp('LogSoftmax', {
    host: (shifted, sum) => shifted - Math.log(sum),
    wgsl: 'shifted - log_of(sum)',
  }),
];

const shapes: OpCase[] = [
  { name: 'last axis', inputs: [{ dims: [3, 5, 127], range: [-5, 5] }] },
  { name: 'one row', inputs: [{ dims: [1031], range: [-5, 5] }] },
  { name: 'many short rows', inputs: [{ dims: [129, 3] }], attributes: { axis: 1 } },
  { name: 'first axis', inputs: [{ dims: [9, 65] }], attributes: { axis: 0 } },
  { name: 'middle axis', inputs: [{ dims: [2, 21, 5, 3] }], attributes: { axis: -3 } },
  { name: 'large elements', inputs: [{ dims: [2, 4], values: [0, 1, 2, 3, 10000, 10001, 10002, 10003] }] },
  { name: 'float16', inputs: [{ dims: [3, 33], dtype: 'float16' }] },
];
// A row with NaN or infinity in it, or with nothing but minus infinity, is NaN throughout.
const strange: OpCase = {
  name: 'special values',
  inputs: [
    {
      dims: [5, 3],
      values: [
        ...[Number.NaN, 1, 2, 2, 1, Number.NaN, Infinity, 1, 2],
        ...[-Infinity, 1, 2, -Infinity, -Infinity, -Infinity],
      ],
    },
  ],
};
export const cases: Record<string, OpCase[]> = {
  Softmax: [...shapes, strange, { name: 'masked elements', inputs: [{ dims: [4], values: [1, -Infinity, 2, -3e38] }] }],
  LogSoftmax: [...shapes, strange],
};
