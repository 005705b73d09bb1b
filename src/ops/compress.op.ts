// Compress: the slices along an axis whose condition holds, or, without an axis, the elements of the flattened
// input. A condition shorter than the axis leaves out what lies beyond its end.

import { ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';

function layout(n: NodeView<{ readonly axis: number | undefined }>) {
  const condition = n.constant(1) ?? n.fail('lacks its condition (input 1)');
  if (condition.dims.length !== 1) n.fail(`has a condition of shape ${formatDims(condition.dims)}; expected one axis`);
  const given = n.input(0).dims;
  const flat = n.attributes.axis === undefined;
  const dims = flat ? [sizeOf(given)] : given;
  const axis = flat ? 0 : axisOf(n, n.attributes.axis as number, given.length);
  const size = dims[axis] as number;
  const kept = Array.from({ length: Math.min(size, condition.data.length) }, (_, i) => i).filter(
    (i) => condition.data[i],
  );
  const [outer, inner] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis + 1))];
  return { kept, outer, size, inner, dims: dims.with(axis, kept.length) };
}

export default defineOp({
  name: 'Compress',
  host: 'the size of its output follows from the condition',
  attributes: { axis: int() },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: layout(n).dims }],
  reference(n, [x]) {
    const { data, dtype } = x ?? n.fail('lacks its input');
    const { kept, outer, size, inner, dims } = layout(n);
    const out = ndarray(dtype, dims);
    let to = 0;
    for (let o = 0; o < outer; o++) {
      for (const i of kept) {
        const from = (o * size + i) * inner;
        out.data.set(data.subarray(from, from + inner), to);
        to += inner;
      }
    }
    return [out];
  },
});

const condition = (...values: number[]) => ({ dtype: 'bool', dims: [values.length], values, constant: true }) as const;
const x = { dims: [3, 4], constant: true };
export const cases: OpCase[] = [
  { name: 'rows', inputs: [x, condition(0, 1, 1)], attributes: { axis: 0 } },
  { name: 'columns, a short condition', inputs: [x, condition(0, 1)], attributes: { axis: -1 } },
  { name: 'elements', inputs: [x, condition(0, 1, 0, 0, 1)] },
  { name: 'nothing', inputs: [x, condition(0)] },
];
