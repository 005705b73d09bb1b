// GatherND: each row of indices names a place in the leading axes of the data (behind the batch axes, which
// both share), and what lies there is copied. Negative indices count from the end; out of range they clamp.

import { ndarray } from '../base/ndarray';
import { formatDims, sizeOf, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { placeOf, requireElements } from './axes';
import { Formula, reshape, sumTo } from './gradient';
import { lookupCopy, lookupCost } from './wgsl/lookup-copy';

type View = NodeView<{ readonly batch_dims: number }>;

function layout(n: View) {
  const data = n.input(0).dims;
  const indices = n.input(1).dims;
  const batch = n.attributes.batch_dims;
  const depth = indices.at(-1) ?? 0;
  return {
    depth,
    sizes: data.slice(batch, batch + depth),
    steps: stridesOf(data).slice(batch, batch + depth),
    /** Elements of one copied slice, rows of indices in a batch, elements of the data in a batch. */
    inner: sizeOf(data.slice(batch + depth)),
    rows: sizeOf(indices.slice(batch, -1)),
    batchSize: sizeOf(data.slice(batch)),
    dims: [...indices.slice(0, -1), ...data.slice(batch + depth)],
  };
}

function dispatch(n: View): Dispatch {
  const { depth, sizes, steps, inner, rows, batchSize } = layout(n);
  return lookupCopy(n, {
    label: 'GatherND.lookup',
    fields: 'depth: u32, inner: u32, rows: u32, batch_size: u32, sizes: array<vec4u, 2>, steps: array<vec4u, 2>',
    uniforms: { depth, inner, rows, batch_size: batchSize, sizes, steps },
    code: `fn source_index(index: u32) -> u32 {
  let row = index / params.inner;
  var at = (row / params.rows) * params.batch_size + index % params.inner;
  for (var d = 0u; d < params.depth; d++) {
    let place = along(indices[row * params.depth + d], params.sizes[d >> 2u][d & 3u]);
    at += place * params.steps[d >> 2u][d & 3u];
  }
  return at;
}`,
  });
}

export default defineOp({
  name: 'GatherND',
  attributes: { batch_dims: int(0) },
  infer(n) {
    const [data, indices] = [n.input(0), n.input(1)];
    const batch = n.attributes.batch_dims;
    const { depth, dims } = layout(n);
    if (indices.dtype !== 'int64' && indices.dtype !== 'int32') n.fail(`has indices of type ${indices.dtype}`);
    const shared = data.dims.slice(0, batch).every((d, i) => d === indices.dims[i]);
    if (!shared || batch < 0 || batch >= indices.dims.length) {
      n.fail(`shares ${batch} batch axes between ${formatDims(data.dims)} and indices ${formatDims(indices.dims)}`);
    }
    if (depth < 1 || batch + depth > data.dims.length) {
      n.fail(`has indices of ${depth} coordinates into ${data.dims.length - batch} axes`);
    }
    if (depth > 8) n.fail(`has indices of ${depth} coordinates; Lepton takes 8`, 'UNSUPPORTED_MODEL');
    requireElements(n, dims);
    return [{ dtype: data.dtype, dims }];
  },
  reference(n, [x, indices]) {
    const { depth, sizes, steps, inner, rows, batchSize, dims } = layout(n);
    const [source, picks] = [x?.data ?? n.fail('lacks its data'), indices?.data ?? n.fail('lacks its indices')];
    const out = ndarray(n.input(0).dtype, dims);
    for (let i = 0; i < out.data.length; i++) {
      const row = Math.floor(i / inner);
      let at = Math.floor(row / rows) * batchSize + (i % inner);
      for (let d = 0; d < depth; d++) {
        const [pick, size] = [picks[row * depth + d] as number, sizes[d] as number];
        at += placeOf(pick, size) * (steps[d] as number);
      }
      out.data[i] = source[at] as number;
    }
    return [out];
  },
  // The coordinates of a place become one number.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { depth, sizes, inner, rows } = layout(n);
    const { dims } = n.input(0);
    const { dtype } = n.input(1);
    const f = new Formula(b, dtype);
    const outer = sizeOf(dims.slice(0, n.attributes.batch_dims));
    const coordinates = reshape(b, n.node.inputs[1] as string, [outer, rows, depth]);
    const each = b.constant(ndarray(dtype, [depth], [...sizes]));
    const wrapped = f.choose(f.less(coordinates, 0), f.add(coordinates, each), coordinates);
    const steps = b.constant(ndarray(dtype, [depth], stridesOf(sizes)));
    const places = sumTo(b, f.mul(wrapped, steps), [outer, rows, 1]);
    const slices = reshape(b, gradient, [outer, rows, inner]);
    const sums = b.add('lepton.GatherGradient', [reshape(b, places, [outer, rows]), slices], { size: sizeOf(sizes) });
    return [reshape(b, sums[0] as string, dims)];
  },
  kernels: [{ name: 'lookup', cost: (n) => lookupCost(n, layout(n).depth), dispatches: (n) => [dispatch(n)] }],
});

export const cases: OpCase[] = [
  { name: 'elements', inputs: [{ dims: [3, 5] }, { dtype: 'int64', dims: [7, 2], range: [-3, 2] }] },
  { name: 'slices', inputs: [{ dims: [3, 5, 7] }, { dtype: 'int64', dims: [2, 2, 1], range: [0, 2] }] },
  {
    name: 'batches',
    inputs: [{ dims: [2, 5, 3] }, { dtype: 'int64', dims: [2, 4, 1], range: [-5, 4] }],
    attributes: { batch_dims: 1 },
  },
  {
    name: 'bool',
    inputs: [
      { dtype: 'bool', dims: [3, 5] },
      { dtype: 'int64', dims: [9, 2], range: [0, 2] },
    ],
  },
];
