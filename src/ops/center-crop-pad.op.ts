// CenterCropPad: the middle of a tensor cut out, or zeros put around it, to the sizes that input 1 gives for
// `axes` (default: all). It is Pad, whose negative pads crop.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { forEachIndex, stridesOf } from '../base/shape';
import { ints } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axesOf } from './axes';

type View = NodeView<{ readonly axes: readonly number[] | undefined }>;

/** For each dimension its size in the output, and the elements to put in front (negative: to leave out). */
function framesOf(n: View): { size: number; front: number }[] {
  const { dims } = n.input(0);
  const axes = axesOf(n, n.attributes.axes ?? dims.map((_, i) => i), dims.length);
  const shape = n.numbers(1) ?? n.fail('lacks its shape (input 1)');
  if (shape.length !== axes.length) n.fail(`has ${shape.length} sizes for ${axes.length} axes`);
  if (shape.some((s) => s < 0)) n.fail(`has the shape [${shape}]; expected sizes of 0 or more`);
  return dims.map((size, axis) => {
    const to = shape[axes.indexOf(axis)] ?? size;
    return { size: to, front: Math.trunc((to - size) / 2) };
  });
}

function reference(n: View, x: NDArray): NDArray {
  const frames = framesOf(n);
  const out = ndarray(
    x.dtype,
    frames.map((f) => f.size),
  );
  const strides = stridesOf(x.dims);
  forEachIndex(out.dims, (at, flat) => {
    const from = at.map((c, d) => c - (frames[d]?.front ?? 0));
    if (from.some((c, d) => c < 0 || c >= (x.dims[d] as number))) return;
    out.data[flat] = x.data[from.reduce((sum, c, d) => sum + c * (strides[d] as number), 0)] as number;
  });
  return out;
}

export default defineOp({
  name: 'CenterCropPad',
  attributes: { axes: ints() },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: framesOf(n).map((f) => f.size) }],
  reference: (n, [x]) => [reference(n, x ?? n.fail('lacks its input'))],
  lower(n, b) {
    const frames = framesOf(n);
    const ends = frames.map(({ size, front }, d) => size - (n.input(0).dims[d] as number) - front);
    const pads = b.constant(int64s([...frames.map((f) => f.front), ...ends]));
    return b.add('Pad', [n.node.inputs[0] as string, pads]);
  },
});

const list = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: OpCase[] = [
  { name: 'cropped', inputs: [{ dims: [7, 8, 3] }, list(4, 5, 3)] },
  { name: 'padded', inputs: [{ dims: [4, 5] }, list(7, 129)] },
  {
    name: 'both, named axes, int32',
    inputs: [{ dtype: 'int32', dims: [3, 9, 4] }, list(9, 4)],
    attributes: { axes: [-1, 1] },
  },
];
