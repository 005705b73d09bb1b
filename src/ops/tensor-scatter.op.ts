// TensorScatter: a cache with an update written into it along one axis, for each sample of the batch from an index
// of its own on; in mode "circular" past the end it goes on at the start. By ScatterElements.
// Inputs: cache [batch, …, size, …], update [batch, …, length, …], indices [batch] (default zero).

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { forEachIndex, formatDims, sameDims, stridesOf } from '../base/shape';
import { int, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';

type View = NodeView<{ readonly axis: number; readonly mode: string }>;

function layoutOf(n: View) {
  const [cache, update] = [n.input(0), n.input(1)];
  const axis = axisOf(n, n.attributes.axis, cache.dims.length);
  const [size, length] = [cache.dims[axis] as number, update.dims[axis] as number];
  const { mode } = n.attributes;
  if (axis === 0) n.fail('has the axis 0, which is the batch');
  if (mode !== 'linear' && mode !== 'circular') n.fail(`has the mode "${mode}"; expected linear or circular`);
  if (cache.dtype !== update.dtype) n.fail('has a cache and an update of different types');
  if (!sameDims(cache.dims.with(axis, length), update.dims) || length > size)
    n.fail(`needs an update like its cache, on axis ${axis} at most ${size} long, but has ${formatDims(update.dims)}`);
  if (n.inputs[2] && !sameDims(n.inputs[2].dims, [cache.dims[0] as number]))
    n.fail(`needs one index for each of ${cache.dims[0]} samples`);
  if (n.inputs[2] && n.inputs[2].dtype !== 'int64') n.fail(`needs indices of type int64`);
  return { axis, size, length, circular: mode === 'circular' };
}

export default defineOp({
  name: 'TensorScatter',
  attributes: { axis: int(-2), mode: string('linear') },
  infer(n) {
    layoutOf(n);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims }];
  },
  reference(n, [cache, update, indices]) {
    const { axis, size, circular } = layoutOf(n);
    const { dtype, dims, data } = cache as NDArray;
    const out = ndarray(dtype, dims, data);
    const strides = stridesOf(dims);
    forEachIndex((update as NDArray).dims, (at, flat) => {
      const place = (indices?.data[at[0] as number] ?? 0) + (at[axis] as number);
      if (!circular && place >= size) n.fail(`writes at ${place}, but the cache ends at ${size}`);
      const to = at.reduce((sum, i, d) => sum + (d === axis ? place % size : i) * (strides[d] as number), 0);
      out.data[to] = update?.data[flat] as number;
    });
    return [out];
  },
  lower(n, b) {
    const { axis, size, length, circular } = layoutOf(n);
    const [cache, update, indices = ''] = n.node.inputs as [string, string, string?];
    const { dims } = n.input(1);
    const along = (i: number, value: number) => dims.map((_, d) => (d === i ? value : 1));
    const steps = Array.from({ length }, (_, i) => i);
    let places = [b.constant(ndarray('int64', along(axis, length), steps))];
    if (indices !== '') {
      const first = b.add('Reshape', [indices, b.constant(int64s(along(0, dims[0] as number)))]);
      places = b.add('Add', [...first, ...places]);
      if (circular) places = b.add('Mod', [...places, b.constant(int64s([size]))]);
    }
    const spread = b.add('Expand', [...places, b.constant(int64s(dims))]);
    return b.add('ScatterElements', [cache, ...spread, update], { axis });
  },
});

const indices = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values }) as const;

export const cases: OpCase[] = [
  { name: 'from the start', inputs: [{ dims: [2, 3, 5, 4] }, { dims: [2, 3, 2, 4] }] },
  { name: 'an index a sample', inputs: [{ dims: [2, 3, 5, 4] }, { dims: [2, 3, 2, 4] }, indices(3, 1)] },
  {
    name: 'circular along axis 1',
    inputs: [{ dims: [3, 5, 2] }, { dims: [3, 4, 2] }, indices(4, 0, 2)],
    attributes: { axis: 1, mode: 'circular' },
  },
  ...(['float16', 'uint8', 'int64', 'bool'] as const).map(
    (dtype): OpCase => ({
      name: dtype,
      inputs: [{ dtype, dims: [2, 4, 3] }, { dtype, dims: [2, 1, 3] }, indices(2, 3)],
    }),
  ),
];
