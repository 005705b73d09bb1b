// Split: an axis cut into consecutive parts, each an output of its own.

import { formatDims, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { zeros } from './gradient';
import { stridedKernel, type Walk, walkCopy } from './wgsl/strided-copy';

type View = NodeView<{ readonly axis: number; readonly num_outputs: number | undefined }>;

function partSizes(n: View): number[] {
  const { dims } = n.input(0);
  const size = dims[axisOf(n, n.attributes.axis, dims.length)] as number;
  const given = n.numbers(1);
  if (given) {
    if (given.reduce((a, b) => a + b, 0) !== size) n.fail(`splits ${size} into the parts ${formatDims(given)}`);
    return given;
  }
  const count = n.attributes.num_outputs ?? n.node.outputs.length;
  if (count !== n.node.outputs.length) n.fail(`has num_outputs ${count}, but names ${n.node.outputs.length} outputs`);
  const part = Math.ceil(size / count);
  // The last part is the smaller one where the size does not divide.
  const sizes = Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
  if (sizes.some((s) => s < 0)) n.fail(`splits ${size} into ${count} parts of ${part}`);
  return sizes;
}

function walkOf(n: View, i: number): Walk {
  const source = n.input(0).dims;
  const axis = axisOf(n, n.attributes.axis, source.length);
  const sizes = partSizes(n);
  const strides = stridesOf(source);
  const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
  return { dims: source.with(axis, sizes[i] as number), strides, offset: start * (strides[axis] as number) };
}

export default defineOp({
  name: 'Split',
  attributes: { axis: int(0), num_outputs: int() },
  infer(n) {
    const { dtype, dims } = n.input(0);
    const axis = axisOf(n, n.attributes.axis, dims.length);
    return partSizes(n).map((size) => ({ dtype, dims: dims.with(axis, size) }));
  },
  reference: (n, [x]) => partSizes(n).map((_, i) => walkCopy(x ?? n.fail('lacks its input'), walkOf(n, i))),
  grad(n, b, gradients) {
    const { dtype, dims } = n.input(0);
    const axis = axisOf(n, n.attributes.axis, dims.length);
    const parts = partSizes(n).map((size, i) => gradients[i] ?? zeros(b, dtype, dims.with(axis, size)));
    return b.add('Concat', parts, { axis });
  },
  kernels: [stridedKernel(walkOf)],
});

const list = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: OpCase[] = [
  { name: 'equal parts', inputs: [{ dims: [6, 5] }], outputs: 3 },
  { name: 'uneven parts', inputs: [{ dims: [7, 3] }], attributes: { num_outputs: 3 }, outputs: 3 },
  {
    name: 'given parts of the last axis',
    inputs: [{ dims: [3, 129] }, list(1, 127, 1)],
    attributes: { axis: -1 },
    outputs: 3,
  },
  { name: 'quads', inputs: [{ dims: [2, 8, 5, 4] }, list(4, 4)], attributes: { axis: 1 }, outputs: 2 },
  { name: 'an empty part', inputs: [{ dims: [3, 4] }, list(0, 4)], attributes: { axis: 1 }, outputs: 2 },
  { name: 'uint8', inputs: [{ dtype: 'uint8', dims: [3, 7] }, list(3, 4)], attributes: { axis: 1 }, outputs: 2 },
];
