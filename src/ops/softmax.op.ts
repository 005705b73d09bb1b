// Softmax and LogSoftmax along one axis, with the largest element subtracted first.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { int } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { Formula } from './gradient';
import { plainSoftmax } from './plain/softmax';
import { type Finish, functionsOf, rowsOf } from './softmax/rows';
import { splitRows } from './softmax/split';
import { wholeRows } from './softmax/whole';
import { joinings } from './wgsl/join-lanes';

/** By the gradient and the result; `total` sums along the axis, which may be the last. */
type SoftmaxGrad = (f: Formula, gradient: string, y: string, total: (x: string) => string, isLast: boolean) => string;

function softmaxOp(name: string, finish: Finish, grad: SoftmaxGrad) {
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
    grad(n, b, [gradient]) {
      if (gradient === undefined) return [];
      const { dtype, dims } = n.output(0);
      const f = new Formula(b, dtype);
      const axis = axisOf(n, n.attributes.axis, dims.length);
      const axes = b.constant(int64s([axis]));
      const total = (x: string) => f.node('ReduceSum', [x, axes], { keepdims: 1 });
      return [grad(f, gradient, n.node.outputs[0] as string, total, axis === dims.length - 1)];
    },
    kernels: [
      ...joinings.map((joining) => wholeRows(name, finish, joining)),
      splitRows(name, finish),
      plainSoftmax(name, rowsOf, functionsOf(finish)),
    ],
  });
}

export default [
  softmaxOp(
    'Softmax',
    {
      host: (shifted, sum) => Math.exp(shifted) / sum,
      scale: '1.0 / sum',
      wgsl: 'exp(shifted) * scale',
    },
    (f, gradient, y, total, isLast) =>
      isLast ? f.node('lepton.SoftmaxGradient', [y, gradient]) : f.mul(y, f.sub(gradient, total(f.mul(gradient, y)))),
  ),
  softmaxOp(
    'LogSoftmax',
    {
      host: (shifted, sum) => shifted - Math.log(sum),
      scale: 'log(sum)',
      wgsl: 'shifted - scale',
    },
    (f, gradient, y, total) => f.sub(gradient, f.mul(f.of('Exp', y), total(gradient))),
  ),
];

const shapes: OpCase[] = [
  { name: 'last axis', inputs: [{ dims: [3, 5, 127], range: [-5, 5] }] },
  { name: 'rows of quads', inputs: [{ dims: [7, 132], range: [-5, 5] }] },
  { name: 'long rows of quads', inputs: [{ dims: [3, 1100], range: [-50, 50] }] },
  { name: 'longer than a workgroup holds', inputs: [{ dims: [2, 4103], range: [-50, 50] }] },
  { name: 'long columns', inputs: [{ dims: [1090, 3] }], attributes: { axis: 0 } },
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
