// lepton.GatherGradient: adds the slices of a gradient up at the places that indices name, so that the result does not
// hang on timing: the backward pass of Gather, GatherND and of every padding that repeats elements.
//
// Inputs: indices [count], or [outer, count] with a set for each of `outer`; gradient [outer, count, inner].
// Output: [outer, size, inner]. Negative indices count from the end; indices out of range clamp.

import eachText from '../../../shaders/gather-gradient-each.wgsl?raw';
import rowsText from '../../../shaders/gather-gradient-rows.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, formatDims } from '../../base/shape';
import { required } from '../../ir/attributes';
import type { Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { placeOf } from '../axes';
import { reshape } from '../gradient';
import { foldWorkgroups, linearHelpers, oneEach } from '../wgsl/dispatch';
import { wordType } from '../wgsl/elements';
import { barrierWork } from '../wgsl/join-lanes';

type View = NodeView<{ readonly size: number }>;

const workgroupSize = 64;

function layoutOf(n: View) {
  const [outer = 0, count = 0, inner = 0] = n.input(1).dims;
  const { dims } = n.input(0);
  if (n.input(1).dims.length !== 3) n.fail('has a gradient that is not of rank 3');
  if (dims.at(-1) !== count || dims.length > 2 || (dims.length === 2 && dims[0] !== outer))
    n.fail(`has indices ${formatDims(dims)} for a gradient ${formatDims(n.input(1).dims)}`);
  const { size } = n.attributes;
  if (size < 1 && outer * count * inner > 0) n.fail('adds slices up in a result that has none');
  return { outer, count, inner, size, indexStep: dims.length === 2 ? count : 0 };
}

/** In units: quads where rows are whole ones. */
function unitsOf(n: View) {
  const layout = layoutOf(n);
  const width = layout.inner % 4 === 0 ? 4 : 1;
  return { ...layout, width, inner: layout.inner / width, bytes: width * byteSize(deviceType(n.input(1).dtype)) };
}

/** Text and bindings that both kernels share. */
function dispatchOf(n: View, label: string, text: string): Pick<Dispatch, 'label' | 'wgsl' | 'bindings'> {
  const elem = wordType(n.input(1).dtype);
  const quads = unitsOf(n).width === 4;
  const [unit, total] = quads ? [`vec4<${elem}>`, 'vec4f'] : [elem, 'f32'];
  return {
    label: `GatherGradient.${label}`,
    wgsl: `alias unit = ${unit};\nalias total = ${total};\n${linearHelpers}${text}`,
    bindings: { indices: { input: 0 }, gradient: { input: 1 }, result: { output: 0 } },
  };
}

const each: Kernel<View['attributes']> = {
  name: 'each',
  cost(n) {
    const { outer, count, inner, size, width, bytes } = unitsOf(n);
    const items = outer * size * inner;
    return {
      flops: items * count * 8 + outer * count * inner * width,
      traffic: items * (bytes + 4 * count) + outer * count * inner * bytes,
      workgroups: ceilDiv(items, workgroupSize),
    };
  },
  dispatches(n) {
    const { outer, count, inner, size, indexStep } = unitsOf(n);
    const items = outer * size * inner;
    return [
      {
        ...dispatchOf(n, 'each', eachText),
        constants: { workgroup_size: workgroupSize },
        uniforms: { items, size, inner, count, index_step: indexStep },
        workgroups: oneEach(items, workgroupSize),
      },
    ];
  },
};

const looks = 8;

function blocksOf(n: View, t: Tunables) {
  const { outer, inner, size } = unitsOf(n);
  const [rowBlocks, columnBlocks] = [ceilDiv(size, t.rows as number), ceilDiv(inner, t.lanes as number)];
  return { rowBlocks, columnBlocks, workgroups: outer * rowBlocks * columnBlocks };
}

const rows: Kernel<View['attributes']> = {
  name: 'rows',
  space: { lanes: [64, 32, 128], rows: [64, 16, 256] },
  cost(n, t) {
    const { outer, count, inner, size, bytes, width } = unitsOf(n);
    const lanes = t.lanes as number;
    const { columnBlocks, workgroups } = blocksOf(n, t);
    const stretches = ceilDiv(count, lanes * looks);
    const looked = workgroups * stretches * lanes * looks;
    const columns = columnBlocks * lanes;
    return {
      // Idle lanes go through what was found as well.
      flops: looked * 6 + outer * count * columns * (12 + width) + outer * size * columns * 2,
      traffic: 4 * looked + outer * inner * bytes * (size + 3 * count) + 4 * outer * count * columns,
      shared: workgroups * stretches * lanes * looks,
      cleared: workgroups * lanes * ((lanes * looks) / 8),
      // Three barriers a stretch, as many as joining takes.
      emulated: workgroups * lanes * stretches * barrierWork,
      workgroups,
    };
  },
  dispatches(n, t) {
    const { count, inner, size, indexStep } = unitsOf(n);
    const lanes = t.lanes as number;
    const { rowBlocks, columnBlocks, workgroups } = blocksOf(n, t);
    return [
      {
        ...dispatchOf(n, 'rows', rowsText),
        constants: { lanes, looks, words: (lanes * looks) / 32 },
        uniforms: {
          workgroups,
          row_blocks: rowBlocks,
          column_blocks: columnBlocks,
          rows: t.rows as number,
          size,
          inner,
          count,
          index_step: indexStep,
        },
        workgroups: foldWorkgroups(workgroups),
        uniformFlow: true,
      },
    ];
  },
};

export default defineOp({
  name: 'lepton.GatherGradient',
  attributes: { size: required('int') },
  infer(n) {
    const { outer, size, inner } = layoutOf(n);
    const { dtype } = n.input(0);
    if (dtype !== 'int32' && dtype !== 'int64') n.fail(`has indices of type ${dtype}; expected int32 or int64`);
    if (!isFloat(n.input(1).dtype)) n.fail('needs a gradient of floats');
    return [{ dtype: n.input(1).dtype, dims: [outer, size, inner] }];
  },
  reference(n, inputs) {
    const [indices, gradient] = inputs as [NDArray, NDArray];
    const { outer, count, inner, size, indexStep } = layoutOf(n);
    const sums = new Float64Array(outer * size * inner);
    for (let row = 0; row < outer * count; row++) {
      const [o, k] = [Math.floor(row / count), row % count];
      const to = (o * size + placeOf(indices.data[o * indexStep + k] as number, size)) * inner;
      for (let i = 0; i < inner; i++)
        sums[to + i] = (sums[to + i] as number) + (gradient.data[row * inner + i] as number);
    }
    return [ndarray(gradient.dtype, [outer, size, inner], sums)];
  },
  // It is linear: what a place has received comes from all the slices added up there.
  grad(n, b, [given]) {
    if (given === undefined) return [];
    const [indices] = n.node.inputs as [string, string];
    const { outer, count, indexStep } = layoutOf(n);
    if (indexStep === 0) return [undefined, ...b.add('Gather', [given, indices], { axis: 1 })];
    const sets = reshape(b, indices, [outer, count, 1]);
    return [undefined, ...b.add('GatherND', [given, sets], { batch_dims: 1 })];
  },
  kernels: [each, rows],
});

const picks = (dims: number[], size: number) => ({ dtype: 'int64', dims, range: [-size, size - 1] }) as const;

export const cases: OpCase[] = [
  { name: 'rows', inputs: [picks([37], 19), { dims: [1, 37, 5] }], attributes: { size: 19 } },
  { name: 'rows in quads', inputs: [picks([129], 70), { dims: [1, 129, 132] }], attributes: { size: 70 } },
  {
    name: 'more indices than a stretch',
    inputs: [picks([1100], 300), { dims: [1, 1100, 3] }],
    attributes: { size: 300 },
  },
  {
    name: 'runs of one index',
    inputs: [{ dtype: 'int32', dims: [7], values: [2, 2, 2, 0, 0, 2, -1] }, { dims: [3, 7, 4] }],
    attributes: { size: 4 },
  },
  { name: 'columns', inputs: [picks([9], 7), { dims: [13, 9, 1] }], attributes: { size: 7 } },
  { name: 'a set for each', inputs: [picks([3, 67], 5), { dims: [3, 67, 6] }], attributes: { size: 5 } },
  {
    name: 'float16',
    inputs: [picks([33], 9), { dtype: 'float16', dims: [2, 33, 7] }],
    attributes: { size: 9 },
    tolerance: 4e-3,
  },
];
