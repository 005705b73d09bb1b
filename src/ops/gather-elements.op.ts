// GatherElements: every element of the result names, by its index, the element of the data that it copies
// along one axis. Negative indices count from the end; indices out of range clamp.

import { ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, formatDims, sameDims, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf, placeOf, requireElements } from './axes';
import { Formula, zeros } from './gradient';
import { collapse } from './wgsl/collapse';
import { lookupCopy, lookupCost } from './wgsl/lookup-copy';
import { positionCode } from './wgsl/strided-copy';

type View = NodeView<{ readonly axis: number }>;

function layout(n: View) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const strides = stridesOf(dims);
  // The axis itself is walked by the indices, so its own coordinate does not count.
  return { axis, size: dims[axis] as number, step: strides[axis] as number, strides: strides.with(axis, 0) };
}

function dispatch(n: View): Dispatch {
  const { size, step, strides } = layout(n);
  const flat = collapse(n.output(0).dims, [strides]);
  const rank = Math.max(1, flat.dims.length);
  const vectors = ceilDiv(rank, 4);
  return lookupCopy(n, {
    label: 'GatherElements.lookup',
    fields: `size: u32, step: u32, dims: array<vec4u, ${vectors}>, strides: array<vec4u, ${vectors}>`,
    uniforms: { size, step, dims: flat.dims, strides: flat.strides[0] as number[] },
    code: `${positionCode('position', rank, 'strides', '0u')}
fn source_index(index: u32) -> u32 {
  return position(index) + along(indices[index], params.size) * params.step;
}`,
  });
}

export default defineOp({
  name: 'GatherElements',
  attributes: { axis: int(0) },
  infer(n) {
    const [data, indices] = [n.input(0), n.input(1)];
    const { axis } = layout(n);
    if (indices.dtype !== 'int32' && indices.dtype !== 'int64') {
      n.fail(`has indices of type ${indices.dtype}; expected int32 or int64`);
    }
    const { dims } = indices;
    if (dims.length !== data.dims.length || dims.some((d, i) => i !== axis && d > (data.dims[i] as number))) {
      n.fail(`has indices of shape ${formatDims(dims)} for data of shape ${formatDims(data.dims)}`);
    }
    requireElements(n, dims);
    return [{ dtype: data.dtype, dims }];
  },
  reference(n, [x, indices]) {
    const { size, step, strides } = layout(n);
    const [source, picks] = [x ?? n.fail('lacks its data'), indices ?? n.fail('lacks its indices')];
    const out = ndarray(source.dtype, picks.dims);
    forEachIndex(picks.dims, (at, flat) => {
      const pick = picks.data[flat] as number;
      let index = placeOf(pick, size) * step;
      for (let d = 0; d < at.length; d++) index += (at[d] as number) * (strides[d] as number);
      out.data[flat] = source.data[index] as number;
    });
    return [out];
  },
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { dtype, dims } = n.input(0);
    const { axis, size } = layout(n);
    const indices = n.node.inputs[1] as string;
    const own = n.input(1);
    if (own.dims[axis] !== 1 || !sameDims(own.dims, dims.with(axis, 1))) {
      const data = zeros(b, dtype, dims);
      return b.add('ScatterElements', [data, indices, gradient], { axis, reduction: 'add' });
    }
    // One of each line, as where a loss picks the right class: a comparison, which fuses with its neighbours.
    const index = new Formula(b, own.dtype);
    const line = dims.map((_, d) => (d === axis ? size : 1));
    const places = b.constant(ndarray(own.dtype, line, [...Array(size).keys()]));
    const picked = index.choose(index.less(indices, 0), index.add(indices, size), indices);
    return [new Formula(b, dtype).keep(index.of('Equal', picked, places), gradient)];
  },
  kernels: [{ name: 'lookup', cost: (n) => lookupCost(n, n.output(0).dims.length), dispatches: (n) => [dispatch(n)] }],
});

export const cases: OpCase[] = [
  { name: 'axis 0', inputs: [{ dims: [5, 7] }, { dtype: 'int64', dims: [3, 7], range: [-5, 4] }] },
  {
    name: 'last axis',
    inputs: [{ dims: [3, 129] }, { dtype: 'int32', dims: [3, 5], range: [0, 128] }],
    attributes: { axis: -1 },
  },
  {
    name: 'fewer than the data',
    inputs: [{ dims: [4, 5, 6] }, { dtype: 'int64', dims: [2, 9, 3], range: [0, 4] }],
    attributes: { axis: 1 },
  },
  {
    name: 'int8',
    inputs: [
      { dtype: 'int8', dims: [5, 3] },
      { dtype: 'int64', dims: [2, 3], range: [0, 4] },
    ],
  },
];
