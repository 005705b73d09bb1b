// Gather: slices of the data along one axis, picked by index. Constant indices in an even pattern (one index,
// a range, a channel shuffle) are a strided copy; otherwise the indices are read on the GPU.
// Negative indices count from the end; indices out of range are the model's error and clamp.

import { ndarray } from '../base/ndarray';
import { sizeOf, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf, placeOf, requireElements } from './axes';
import { evenPattern } from './even-pattern';
import { addAt, padded, reshape } from './gradient';
import { lookupCopy, lookupCost } from './wgsl/lookup-copy';
import { stridedKernel, type Walk } from './wgsl/strided-copy';

type View = NodeView<{ readonly axis: number }>;

function layout(n: View) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  return {
    axis,
    size: dims[axis] as number,
    inner: sizeOf(dims.slice(axis + 1)),
    count: sizeOf(n.input(1).dims),
    dims: [...dims.slice(0, axis), ...n.input(1).dims, ...dims.slice(axis + 1)],
  };
}

const indexTypes = ['int32', 'int64'];

/** The constant indices as sizes, steps and start along the axis, where they are that regular. */
function patternOf(n: View) {
  const indices = n.input(1).array;
  const { size } = layout(n);
  return indices && evenPattern(Array.from(indices.data, (i) => (i < 0 ? i + size : i)));
}

function walkOf(n: View): Walk {
  const source = n.input(0).dims;
  const { axis, inner } = layout(n);
  const strides = stridesOf(source);
  const pattern = patternOf(n) ?? n.fail('has indices without a pattern');
  return {
    dims: [...source.slice(0, axis), ...pattern.dims, ...source.slice(axis + 1)],
    strides: [...strides.slice(0, axis), ...pattern.steps.map((s) => s * inner), ...strides.slice(axis + 1)],
    offset: pattern.start * inner,
  };
}

function lookup(n: View): Dispatch {
  const { size, inner, count } = layout(n);
  const inQuads = inner % 4 === 0;
  return lookupCopy(n, {
    label: 'Gather.lookup',
    inQuads,
    fields: 'size: u32, inner: u32, count: u32',
    uniforms: { size, inner: inQuads ? inner / 4 : inner, count },
    code: `fn source_index(index: u32) -> u32 {
  let slice = index / params.inner;
  let place = along(indices[slice % params.count], params.size);
  return ((slice / params.count) * params.size + place) * params.inner + index % params.inner;
}`,
  });
}

export default defineOp({
  name: 'Gather',
  attributes: { axis: int(0) },
  infer(n) {
    const { dtype } = n.input(1);
    if (!indexTypes.includes(dtype)) n.fail(`has indices of type ${dtype}; expected int32 or int64`);
    const { dims, size } = layout(n);
    requireElements(n, dims);
    if (n.input(1).array?.data.some((i) => i < -size || i >= size)) n.fail(`has an index beyond the ${size} slices`);
    return [{ dtype: n.input(0).dtype, dims }];
  },
  reference(n, [x, indices]) {
    const { dims, size, inner, count } = layout(n);
    const [source, picks] = [x?.data ?? n.fail('lacks its data'), indices?.data ?? n.fail('lacks its indices')];
    const out = ndarray(n.input(0).dtype, dims);
    for (let i = 0; i < out.data.length; i++) {
      const slice = Math.floor(i / inner);
      const pick = picks[slice % count] as number;
      const along = placeOf(pick, size);
      out.data[i] = source[(Math.floor(slice / count) * size + along) * inner + (i % inner)] as number;
    }
    return [out];
  },
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { axis, size } = layout(n);
    const pattern = patternOf(n);
    const [count = 1, step = 1] = [pattern?.dims[0], pattern?.steps[0]];
    if (!pattern || pattern.dims.length > 1 || step !== 1)
      return [addAt(b, gradient, n.node.inputs[1] as string, axis, size)];
    const { dims } = n.input(0);
    const along = (width: number) => dims.map((_, d) => (d === axis ? width : 0));
    const slices = reshape(b, gradient, dims.with(axis, count));
    return [padded(b, slices, along(pattern.start), along(size - pattern.start - count))];
  },
  kernels: [
    stridedKernel(walkOf, (n) => patternOf(n) !== undefined),
    {
      name: 'lookup',
      cost: (n) => lookupCost(n, 1, layout(n).inner % 4 === 0),
      dispatches: (n) => [lookup(n)],
    },
  ],
});

const picks = (dims: number[], ...values: number[]) => ({ dtype: 'int64', dims, values }) as const;
const fixed = (dims: number[], ...values: number[]) => ({ ...picks(dims, ...values), constant: true });

export const cases: OpCase[] = [
  { name: 'rows', inputs: [{ dims: [7, 5] }, picks([2, 2], 6, 0, -1, 3)] },
  { name: 'rows in quads', inputs: [{ dims: [7, 8] }, picks([3], 6, 0, -7)] },
  {
    name: 'columns',
    inputs: [{ dims: [3, 129] }, { ...picks([1, 3], 128, 0, 1), dtype: 'int32' }],
    attributes: { axis: -1 },
  },
  { name: 'one constant index', inputs: [{ dims: [3, 4, 5] }, fixed([], -2)], attributes: { axis: 1 } },
  { name: 'a constant range', inputs: [{ dims: [9, 3] }, fixed([2, 2], 1, 3, 5, 7)] },
  {
    name: 'a channel shuffle',
    inputs: [{ dims: [1, 6, 2, 2] }, fixed([6], 0, 3, 1, 4, 2, 5)],
    attributes: { axis: 1 },
  },
  { name: 'constant without a pattern', inputs: [{ dims: [9, 3] }, fixed([4], 1, 0, 7, 7)] },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [7, 3] }, picks([2], 6, 1)] },
  { name: 'uint8', inputs: [{ dtype: 'uint8', dims: [7, 3] }, picks([2], 6, 1)] },
  { name: 'int64 scalars', inputs: [{ dtype: 'int64', dims: [5] }, picks([], 3)] },
];
