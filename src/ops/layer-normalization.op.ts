// LayerNormalization and RMSNormalization: each row is everything from `axis` on. Scale and bias have the
// shape of a row; any other that broadcasts to the input is lowered to a multiplication and an addition.
// LayerNormalization's outputs 1 and 2 are the rows' means and inverse deviations.

import { type DType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import { broadcastDims, broadcastStrides, type Dims, forEachIndex, sameDims, sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { Formula, sumTo } from './gradient';
import { normalizeGrad } from './normalize/gradient';
import { normalizeRows, type Rows, rowKernels } from './normalize/rows';

const attributes = { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) };
type NormNode = NodeView<{ axis: number; epsilon: number; stash_type: number }>;

function rowsOf(n: NormNode, centred: boolean): Rows {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const length = sizeOf(dims.slice(axis));
  return { rows: sizeOf(dims) / length, length, inner: 1, channels: length, epsilon: n.attributes.epsilon, centred };
}

/** Whether the parameter has exactly the shape of a row, but for leading ones. */
function isRow(n: NormNode, parameter: Dims): boolean {
  const { dims } = n.input(0);
  const row = dims.slice(axisOf(n, n.attributes.axis, dims.length));
  const lead = parameter.length - row.length;
  return lead >= 0 && sameDims(parameter.slice(lead), row) && sizeOf(parameter.slice(0, lead)) === 1;
}

/** The rows before scale and bias, and their mean and inverse deviation. */
function plainRows(n: NormNode, b: LowerBuilder): [plain: string, ...statistics: string[]] {
  const { dtype, dims } = n.input(0);
  const row = dims.slice(axisOf(n, n.attributes.axis, dims.length));
  const ones = b.constant(ndarray(dtype, row, new Array<number>(sizeOf(row)).fill(1)));
  const outputs = n.node.op === 'LayerNormalization' ? 3 : 1;
  return b.add(n.node.op, [n.node.inputs[0] as string, ones], { ...n.attributes }, outputs) as [string, ...string[]];
}

/** A scale or bias that is no row is multiplied and added as a tensor of its own. */
function grad(n: NormNode, b: LowerBuilder, r: Rows, [gradient, ...ofStatistics]: readonly (string | undefined)[]) {
  const [x, scale] = n.node.inputs as [string, string];
  const { dtype, dims } = n.input(0);
  const f = new Formula(b, dtype);
  const parts: string[] = [];
  let ofScale: string | undefined;
  if (gradient !== undefined && isRow(n, n.input(1).dims)) {
    const [ofX, summed] = normalizeGrad(b, r, { x, scale, gradient });
    parts.push(ofX);
    ofScale = summed;
  } else if (gradient !== undefined) {
    const one = f.number(1);
    const scaled = f.mul(gradient, scale);
    parts.push(normalizeGrad(b, { ...r, channels: 1, inner: 1 }, { x, scale: one, gradient: scaled })[0]);
    ofScale = sumTo(b, f.mul(gradient, plainRows(n, b)[0]), n.input(1).dims);
  }
  if (ofStatistics.some((g) => g !== undefined)) {
    const like = (name: string) => f.like(name, dtype);
    const [plain, , deviation = ''] = plainRows(n, b);
    const [mean, inverse] = ofStatistics.map((g) => g && f.div(like(g), r.length));
    if (mean) parts.push(f.node('Expand', [mean, b.constant(int64s(dims))]));
    const own = like(deviation);
    if (inverse) parts.push(f.neg(f.mul(f.mul(inverse, f.mul(own, own)), plain)));
  }
  const bias = n.inputs[2];
  return [parts.reduce(f.add), ofScale, bias && gradient && sumTo(b, gradient, bias.dims)];
}

function normOp(name: string, centred: boolean) {
  const rows = (n: NormNode) => rowsOf(n, centred);
  return defineOp({
    name,
    attributes,
    infer(n) {
      const { dtype, dims } = n.input(0);
      if (!isFloat(dtype)) n.fail('needs floats');
      const parameters = [n.input(1), ...(n.inputs[2] ? [n.inputs[2]] : [])];
      for (const p of parameters) {
        if (!sameDims(broadcastDims(p.dims, dims) ?? [], dims))
          n.fail('has a scale or bias that does not broadcast to its input');
      }
      const axis = axisOf(n, n.attributes.axis, dims.length);
      const y = { dtype, dims };
      if (!centred) return [y];
      const statistics = { dtype: stashType(n), dims: dims.map((d, i) => (i < axis ? d : 1)) };
      return [y, statistics, statistics];
    },
    reference(n, inputs) {
      const [x, scale, bias] = inputs as [NDArray, NDArray, NDArray?];
      const { values, mean, inverse } = normalizeRows(x, rows(n));
      const out = ndarray(x.dtype, x.dims);
      const strides = [scale, bias].map((p) => p && broadcastStrides(p.dims, x.dims));
      forEachIndex(x.dims, (at, flat) => {
        const [s, b] = [scale, bias].map(
          (p, k) => p?.data[at.reduce((sum, i, d) => sum + i * (strides[k]?.[d] as number), 0)],
        );
        out.data[flat] = (values[flat] as number) * (s as number) + (b ?? 0);
      });
      if (!centred) return [out];
      const axis = axisOf(n, n.attributes.axis, x.dims.length);
      const dims = x.dims.map((d, i) => (i < axis ? d : 1));
      return [out, ndarray(stashType(n), dims, mean), ndarray(stashType(n), dims, inverse)];
    },
    grad: (n, b, gradients) => grad(n, b, rows(n), gradients),
    kernels: rowKernels(name, rows),
    lower(n, b) {
      const [, scale, bias] = n.node.inputs as [string, string, string?];
      if (isRow(n, n.input(1).dims) && (!n.inputs[2] || isRow(n, n.inputs[2].dims))) return undefined;
      const [plain, ...statistics] = plainRows(n, b);
      const scaled = b.add('Mul', [plain, scale]);
      return [...(n.has(2) ? b.add('Add', [...scaled, bias as string]) : scaled), ...statistics];
    },
  });
}

function stashType(n: NormNode): DType {
  return (
    dtypeOfNumber(n.attributes.stash_type) ??
    n.fail(`has the stash_type ${n.attributes.stash_type}, which Lepton lacks`)
  );
}

export default [normOp('LayerNormalization', true), normOp('RMSNormalization', false)];

const shapes: OpCase[] = [
  { name: 'last axis', inputs: [{ dims: [3, 5, 127] }, { dims: [127] }] },
  { name: 'two axes', inputs: [{ dims: [2, 3, 4, 9] }, { dims: [4, 9] }], attributes: { axis: 2, epsilon: 0.1 } },
  { name: 'everything', inputs: [{ dims: [7, 150] }, { dims: [7, 150] }], attributes: { axis: 0 } },
  { name: 'rows of quads', inputs: [{ dims: [7, 132] }, { dims: [132] }] },
  { name: 'long rows of quads', inputs: [{ dims: [3, 1100], range: [3, 4] }, { dims: [1100] }], tolerance: 3e-5 },
  { name: 'many short rows', inputs: [{ dims: [129, 3] }, { dims: [1, 3] }] },
  { name: 'one scale', inputs: [{ dims: [3, 33] }, { dims: [] }] },
  { name: 'scale of a batch', inputs: [{ dims: [3, 2, 33] }, { dims: [3, 1, 33] }] },
  {
    name: 'float16',
    inputs: [
      { dims: [3, 65], dtype: 'float16' },
      { dims: [65], dtype: 'float16' },
    ],
    tolerance: 5e-3,
  },
];
const biased: OpCase[] = [
  {
    name: 'bias and statistics',
    outputs: 3,
    inputs: [{ dims: [9, 66], range: [3, 9] }, { dims: [66] }, { dims: [66] }],
    tolerance: 3e-5,
  },
  { name: 'single bias and statistics', outputs: 3, inputs: [{ dims: [2, 5, 8] }, { dims: [8] }, { dims: [1] }] },
];

export const cases: Record<string, OpCase[]> = {
  LayerNormalization: [...shapes, ...biased],
  RMSNormalization: shapes,
};
