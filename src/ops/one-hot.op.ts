// OneHot: along a new axis of size `depth`, one value where the index stands and another elsewhere. As a
// comparison of indices with 0 … depth - 1 it is element-wise and fuses with its neighbours.

import { isFloat } from '../base/dtype';
import { int64s, ndarray, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';

function layout(n: NodeView<{ readonly axis: number }>) {
  const { dims } = n.input(0);
  const depth = Math.trunc(n.numbers(1)?.[0] ?? n.fail('lacks its depth (input 1)'));
  if (depth < 1) n.fail(`has the depth ${depth}`);
  const axis = axisOf(n, n.attributes.axis, dims.length + 1);
  return { depth, axis, inner: sizeOf(dims.slice(axis)), dims: dims.toSpliced(axis, 0, depth) };
}

export default defineOp({
  name: 'OneHot',
  attributes: { axis: int(-1) },
  infer(n) {
    if (sizeOf(n.input(2).dims) !== 2) n.fail('needs two values, off and on (input 2)');
    return [{ dtype: n.input(2).dtype, dims: layout(n).dims }];
  },
  reference(n, [indices, , values]) {
    const { depth, inner, dims } = layout(n);
    const [off, on] = (values ?? n.fail('lacks its values')).data as unknown as [number, number];
    const out = ndarray(n.input(2).dtype, dims);
    out.data.fill(off);
    indices?.data.forEach((value, i) => {
      const index = Math.trunc(value) + (value < 0 ? depth : 0);
      if (index < 0 || index >= depth) return;
      out.data[(Math.floor(i / inner) * depth + index) * inner + (i % inner)] = on;
    });
    return [out];
  },
  lower(n, b) {
    const { depth, axis, dims } = layout(n);
    const add = (op: string, ...inputs: string[]) => b.add(op, inputs)[0] as string;
    const given = n.node.inputs[0] as string;
    const { dtype } = n.input(0);
    const whole = isFloat(dtype) ? (b.add('Cast', [given], { to: numberOfDType('int32') })[0] as string) : given;
    const type = isFloat(dtype) ? 'int32' : dtype;
    const wrapped = add(
      'Where',
      add('Less', whole, b.constant(scalar(type, 0))),
      add('Add', whole, b.constant(scalar(type, depth))),
      whole,
    );
    const positions = ndarray(
      type,
      dims.map((d, i) => (i === axis ? d : 1)),
      Array.from({ length: depth }, (_, i) => i),
    );
    const hot = add('Equal', add('Unsqueeze', wrapped, b.constant(int64s([axis]))), b.constant(positions));
    const value = (i: number) =>
      add('Slice', n.node.inputs[2] as string, b.constant(int64s([i])), b.constant(int64s([i + 1])));
    return [add('Where', hot, value(1), value(0))];
  },
});

const depth = (value: number) => ({ dtype: 'int64', dims: [], values: [value], constant: true }) as const;

export const cases: OpCase[] = [
  {
    name: 'last axis',
    inputs: [{ dtype: 'int64', dims: [5], values: [0, 7, -1, 9, 3] }, depth(8), { dims: [2], values: [0, 1] }],
  },
  {
    name: 'a middle axis, float indices',
    inputs: [
      { dims: [2, 3], values: [1, 0, -2, 4, 3, 2] },
      depth(5),
      { dtype: 'int64', dims: [2], values: [-5, 2], constant: true },
    ],
    attributes: { axis: 1 },
  },
];
