// AffineGrid: the grid of places that GridSample takes, from affine maps. Inputs: theta [batch, 2, 3] (or
// [batch, 3, 4]) and the size [batch, channels, spatial…]; output [batch, spatial…, axes], each place given as
// (x, y) or (x, y, z) in [-1, 1]. It is a sum of the maps' columns, each times one coordinate.

import { isFloat } from '../base/dtype';
import { int64s, ndarray } from '../base/ndarray';
import { forEachIndex, formatDims } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

type View = NodeView<{ readonly align_corners: number }>;

function layout(n: View) {
  const size = n.numbers(1) ?? n.fail('lacks its size (input 1)');
  const { dtype, dims } = n.input(0);
  const spatial = size.slice(2);
  const rank = spatial.length;
  if (rank !== 2 && rank !== 3) n.fail(`has a size of ${size.length} numbers; expected 4 or 5`);
  if (dims.length !== 3 || dims[0] !== size[0] || dims[1] !== rank || dims[2] !== rank + 1)
    n.fail(`has maps ${formatDims(dims)}; expected ${formatDims([size[0] as number, rank, rank + 1])}`);
  if (!isFloat(dtype)) n.fail(`maps by ${dtype}; expected floats`);
  return { batch: size[0] as number, spatial, rank };
}

/** Coordinates of the elements along an axis: across their centres, or from the first centre to the last. */
function coordinates(n: View, size: number): number[] {
  const steps = Array.from({ length: size }, (_, i) => i);
  if (n.attributes.align_corners === 0) return steps.map((i) => (2 * i + 1) / size - 1);
  // A single element has no first and last centre: it lies in the middle, as exporters have it.
  return steps.map((i) => (size > 1 ? (2 * i) / (size - 1) - 1 : 0));
}

export default defineOp({
  name: 'AffineGrid',
  attributes: { align_corners: int(0) },
  infer(n) {
    const { batch, spatial, rank } = layout(n);
    return [{ dtype: n.input(0).dtype, dims: [batch, ...spatial, rank] }];
  },
  reference(n, [theta]) {
    const maps = theta ?? n.fail('lacks its maps');
    const { batch, spatial, rank } = layout(n);
    const along = spatial.map((size) => coordinates(n, size));
    const out = ndarray(maps.dtype, [batch, ...spatial, rank]);
    forEachIndex(out.dims, (at, flat) => {
      const row = ((at[0] as number) * rank + (at[rank + 1] as number)) * (rank + 1);
      let sum = maps.data[row + rank] as number;
      // The maps' first column is for x, which is the last axis.
      for (let d = 0; d < rank; d++)
        sum += (maps.data[row + rank - 1 - d] as number) * (along[d]?.[at[d + 1] as number] as number);
      out.data[flat] = sum;
    });
    return [out];
  },
  lower(n, b) {
    const { batch, spatial, rank } = layout(n);
    const { dtype } = n.input(0);
    const ones = spatial.map(() => 1);
    const shape = b.constant(int64s([batch, ...ones, rank]));
    const split = b.add('Split', [n.node.inputs[0] as string], { axis: 2, num_outputs: rank + 1 }, rank + 1);
    const columns = split.map((name) => b.add('Reshape', [name, shape])[0] as string);
    const sum = spatial.reduce((total, size, d) => {
      const along = b.constant(ndarray(dtype, [1, ...ones.with(d, size), 1], coordinates(n, size)));
      const term = b.add('Mul', [columns[rank - 1 - d] as string, along])[0] as string;
      return b.add('Add', [term, total])[0] as string;
    }, columns[rank] as string);
    return [sum];
  },
});

const size = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: OpCase[] = [
  { name: 'planes', inputs: [{ dims: [2, 2, 3] }, size(2, 3, 5, 7)] },
  { name: 'planes, aligned', inputs: [{ dims: [1, 2, 3] }, size(1, 1, 4, 1)], attributes: { align_corners: 1 } },
  { name: 'volumes', inputs: [{ dims: [2, 3, 4] }, size(2, 1, 3, 4, 5)] },
];
