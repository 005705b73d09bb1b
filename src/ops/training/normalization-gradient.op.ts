// lepton.NormalizationGradient: the backward pass of layer, RMS, group and instance normalisation in one kernel; the
// mean and deviation of every row are computed anew rather than kept.
//
// Inputs: x, scale, gradient of the result. A row is `length` neighbouring elements; the scale of element i is that
// numbered i / inner % (number of scales). Outputs: the gradient of x, and the gradient times the normalised x, which is to
// be summed up for that of the scale.

import shader from '../../../shaders/normalize-rows-gradient.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, sameDims, sizeOf } from '../../base/shape';
import { float, int, required } from '../../ir/attributes';
import type { Dispatch, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { affineText, declare, normalizeRows, type Rows } from '../normalize/rows';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { heldRows, type Joining, joinConstants, joinCost, joinings, joinText, type Part } from '../wgsl/join-lanes';
import { laneLayout, loadsApart, rowWork } from '../wgsl/lanes';
import { moreLoadText, moreStoreText, rowAccessText } from '../wgsl/row-access';

interface Attributes {
  readonly length: number;
  readonly inner: number;
  readonly epsilon: number;
  readonly centred: number;
}
type View = NodeView<Attributes>;

function rowsOf(n: View): Rows {
  const { length, inner, epsilon, centred } = n.attributes;
  const rows = sizeOf(n.input(0).dims) / Math.max(1, length);
  return { rows, length, inner, channels: sizeOf(n.input(1).dims), epsilon, centred: centred !== 0 };
}

const part: Part = { type: 'vec2f', bytes: 8, join: 'a + b', nothing: 'vec2f()', subgroup: 'return subgroupAdd(v);' };

const kernelOf = (joining: Joining): Kernel<Attributes> => ({
  ...heldRows(joining, (n) => n.attributes.length),
  cost(n, t) {
    const { rows, length } = rowsOf(n);
    const lanes = t.lanes as number;
    const { workgroups, steps, busy } = rowWork(rows, length, lanes);
    const { shared, cleared, emulated } = joinCost(joining, lanes, workgroups, part);
    const bytes = byteSize(deviceType(n.input(0).dtype)) * loadsApart(length, lanes);
    return {
      flops: busy * lanes * (16 * 40 * steps + (lanes > 1 ? 80 : 20)),
      // What does not stay in registers is read three times.
      traffic: busy * length * ((steps > 1 ? 7 : 3) * bytes + (n.wants(1) ? 2 * bytes : 0) + 8),
      shared: 2 * shared,
      cleared,
      emulated: 2 * emulated,
      workgroups,
    };
  },
  dispatches: (n, t) => [dispatch(n, joining, t.lanes as number)],
});

function dispatch(n: View, joining: Joining, lanes: number): Dispatch {
  const r = rowsOf(n);
  const layout = laneLayout(lanes, r.rows);
  const quads = ceilDiv(r.length, 4);
  const access = { dtype: n.input(0).dtype, inQuads: r.length % 4 === 0, distance: '1u' };
  const shares = n.wants(1);
  const wgsl = [
    joining.enable + linearHelpers,
    rowAccessText(access),
    affineText(n, r, false),
    declare(4, 'gradient', 'read', 'unit'),
    moreLoadText(access, 'gradient'),
    shares
      ? declare(5, 'share', 'read_write', 'unit') + moreStoreText(access, 'share')
      : 'fn store_share(base: u32, quad: u32, value: vec4f) {}',
    joinText(joining, lanes, part),
  ].join('\n');
  return {
    label: 'NormalizationGradient.rows',
    wgsl: wgsl + shader,
    constants: {
      ...joinConstants(joining, layout),
      centred: r.centred ? 1 : 0,
      shared_out: shares ? 1 : 0,
      held: quads <= 4 * lanes ? 1 : 0,
    },
    bindings: {
      input: { input: 0 },
      scale: { input: 1 },
      gradient: { input: 2 },
      result: { output: 0 },
      ...(shares && { share: { output: 1 } }),
    },
    uniforms: { rows: r.rows, quads, length: r.length, inner: r.inner, channels: r.channels, epsilon: r.epsilon },
    workgroups: foldWorkgroups(ceilDiv(r.rows, layout.rows)),
  };
}

export default defineOp({
  name: 'lepton.NormalizationGradient',
  attributes: { length: required('int'), inner: int(1), epsilon: float(1e-5), centred: int(1) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats');
    if (!sameDims(n.input(2).dims, dims)) n.fail('has a gradient whose shape is not that of its input');
    if (!Number.isInteger(rowsOf(n).rows))
      n.fail(`has an input that does not fall into rows of ${n.attributes.length}`);
    return [
      { dtype, dims },
      { dtype, dims },
    ];
  },
  reference(n, inputs) {
    const [x, scale, gradient] = inputs as [NDArray, NDArray, NDArray];
    const r = rowsOf(n);
    const { values, inverse } = normalizeRows(x, r);
    const result = ndarray(x.dtype, x.dims);
    const scaled = Float64Array.from(
      gradient.data as ArrayLike<number>,
      (g, i) => g * (scale.data[Math.floor(i / r.inner) % r.channels] as number),
    );
    for (let row = 0; row < r.rows; row++) {
      const [from, to] = [row * r.length, (row + 1) * r.length];
      let [sum, products] = [0, 0];
      for (let i = from; i < to; i++) {
        sum += scaled[i] as number;
        products += (scaled[i] as number) * (values[i] as number);
      }
      const mean = r.centred ? sum / r.length : 0;
      for (let i = from; i < to; i++) {
        const along = ((values[i] as number) * products) / r.length;
        result.data[i] = (inverse[row] as number) * ((scaled[i] as number) - mean - along);
      }
    }
    const shares = Array.from(gradient.data, (g, i) => g * (values[i] as number));
    return [result, ndarray(x.dtype, x.dims, shares)];
  },
  kernels: joinings.map(kernelOf),
});

const rowCase = (name: string, dims: number[], scales: number, attributes: Record<string, number>): OpCase => ({
  name,
  inputs: [{ dims }, { dims: [scales] }, { dims }],
  attributes,
  outputs: 2,
});

export const cases: OpCase[] = [
  rowCase('odd rows', [3, 5, 127], 127, { length: 127 }),
  rowCase('rows of quads', [7, 132], 132, { length: 132, epsilon: 0.1 }),
  { ...rowCase('the input alone', [9, 66], 66, { length: 66 }), outputs: 1 },
  rowCase('not centred', [5, 33], 33, { length: 33, centred: 0 }),
  rowCase('not centred, in quads', [5, 36], 36, { length: 36, centred: 0 }),
  rowCase('long rows', [3, 1103], 1103, { length: 1103 }),
  rowCase('long rows of quads', [2, 4100], 4100, { length: 4100 }),
  rowCase('groups of channels', [2, 6, 35], 6, { length: 105, inner: 35 }),
  rowCase('groups of channels of quads', [2, 6, 28], 6, { length: 56, inner: 28 }),
  rowCase('many short rows', [129, 3], 1, { length: 3, inner: 1 }),
  {
    name: 'float16',
    inputs: ([[3, 65], [65], [3, 65]] as const).map((dims) => ({ dims, dtype: 'float16' })),
    attributes: { length: 65 },
    outputs: 2,
    tolerance: 1e-2,
  },
];
