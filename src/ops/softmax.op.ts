// Softmax and LogSoftmax along one axis, with the largest element subtracted first. One shader for all: a row has one
// invocation, a part of a workgroup, or a whole one.

import shader from '../../shaders/softmax.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch, Kernel } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { plainSoftmax } from './plain/softmax';
import { foldWorkgroups, linearHelpers } from './wgsl/dispatch';
import { laneLayout, rowLanes, rowWork } from './wgsl/lanes';
import { rowAccessText } from './wgsl/row-access';

type SoftmaxNode = NodeView<{ axis: number }>;

/** Rows of `length` elements, `inner` apart. */
function rowsOf(n: SoftmaxNode) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const length = dims[axis] as number;
  return { length, inner: sizeOf(dims.slice(axis + 1)), rows: sizeOf(dims) / length };
}

interface Finish {
  readonly host: (shifted: number, sum: number) => number;
  /** WGSL of `sum`, that of the exponentials. */
  readonly scale: string;
  /** WGSL of `shifted`, elements less the row's largest, and `scale`. */
  readonly wgsl: string;
}

const functionsOf = (finish: Finish) => `
fn scale_of(sum: f32) -> f32 { return ${finish.scale}; }
fn finish(shifted: vec4f, scale: f32) -> vec4f { return ${finish.wgsl}; }
`;

function rowsKernel(name: string, finish: Finish): Kernel<{ axis: number }> {
  return {
    name: 'rows',
    space: rowLanes.space,
    legal: (n, t) => rowLanes.fit(rowsOf(n).length, t.lanes as number),
    cost(n, t) {
      const { rows, length } = rowsOf(n);
      const lanes = t.lanes as number;
      const { workgroups, invocations, slots, steps, busy } = rowWork(rows, length, lanes);
      const bytes = busy * length * byteSize(deviceType(n.input(0).dtype));
      return {
        flops: busy * lanes * (16 * 25 * steps + (lanes > 1 ? 40 : 0)),
        // What does not stay in registers is read again.
        traffic: (steps > 1 ? 3 : 2) * bytes,
        shared: lanes > 1 ? invocations * 8 * (2 + Math.sqrt(lanes)) : 0,
        cleared: invocations * slots * 8,
        workgroups,
      };
    },
    dispatches(n, t): Dispatch[] {
      const { rows, length, inner } = rowsOf(n);
      const { dtype } = n.input(0);
      const layout = laneLayout(t.lanes as number);
      const access = rowAccessText({ dtype, inQuads: inner === 1 && length % 4 === 0, distance: 'params.inner' });
      return [
        {
          label: `${name}.rows`,
          wgsl: linearHelpers + functionsOf(finish) + access + shader,
          constants: layout.constants,
          bindings: { input: { input: 0 }, result: { output: 0 } },
          uniforms: { rows, quads: ceilDiv(length, 4), length, inner },
          workgroups: foldWorkgroups(ceilDiv(rows, layout.rows)),
        },
      ];
    },
  };
}

function softmaxOp(name: string, finish: Finish) {
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
    kernels: [rowsKernel(name, finish), plainSoftmax(name, rowsOf, functionsOf(finish))],
  });
}

export default [
  softmaxOp('Softmax', {
    host: (shifted, sum) => Math.exp(shifted) / sum,
    scale: '1.0 / sum',
    wgsl: 'exp(shifted) * scale',
  }),
  softmaxOp('LogSoftmax', {
    host: (shifted, sum) => shifted - Math.log(sum),
    scale: 'log(sum)',
    wgsl: 'shifted - scale',
  }),
];

const shapes: OpCase[] = [
  { name: 'last axis', inputs: [{ dims: [3, 5, 127], range: [-5, 5] }] },
  { name: 'rows of quads', inputs: [{ dims: [7, 132], range: [-5, 5] }] },
  { name: 'long rows of quads', inputs: [{ dims: [3, 1100], range: [-50, 50] }] },
  { name: 'one row', inputs: [{ dims: [1031], range: [-5, 5] }] },
  { name: 'many short rows', inputs: [{ dims: [129, 3] }], attributes: { axis: 1 } },
  { name: 'first axis', inputs: [{ dims: [9, 65] }], attributes: { axis: 0 } },
  { name: 'middle axis', inputs: [{ dims: [2, 21, 5, 3] }], attributes: { axis: -3 } },
  { name: 'large elements', inputs: [{ dims: [2, 4], values: [0, 1, 2, 3, 10000, 10001, 10002, 10003] }] },
  { name: 'float16', inputs: [{ dims: [3, 33], dtype: 'float16' }] },
  { name: 'float16, rows of quads', inputs: [{ dims: [3, 36], dtype: 'float16' }] },
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
