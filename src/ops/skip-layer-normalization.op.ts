// The layer normalisations that ONNX Runtime writes into exported transformers. SimplifiedLayerNormalization is
// RMSNormalization with the rows' inverse deviations as output 1. The Skip forms, of com.microsoft, add a second
// input and a bias first; that sum is their output 3. Outputs 1 and 2 are mean and inverse deviation.
//
// Inputs of the Skip forms: x, skip, scale, then, but for the simplified one, bias of the normalisation, then the
// bias that is added to x. The skip may lack the leading axes of x, or have 1 there.

import { type DType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { broadcastDims, broadcastStrides, forEachIndex, sameDims, sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { normalizeRows } from './normalize/rows';

/** float16 is normalised in float32, and so are its statistics. */
const wide = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

function check(n: NodeView, row: number, parameters: readonly number[]): void {
  if (!isFloat(n.input(0).dtype)) n.fail('needs floats');
  for (const i of parameters) {
    const input = n.inputs[i];
    if (input && sizeOf(input.dims) !== row)
      n.fail(`needs ${row} elements in its input ${i}, but has ${sizeOf(input.dims)}`);
  }
}

/** 1 / sqrt(mean of squares + epsilon) of the rows from `axis` on, kept as axes of size 1. */
function inverseDeviation(x: string, axis: number, epsilon: number, b: LowerBuilder): string {
  const { dtype, dims } = b.type(x);
  const to = wide(dtype);
  const cast = dtype === to ? [x] : b.add('Cast', [x], { to: numberOfDType(to) });
  const axes = b.constant(int64s(dims.flatMap((_, d) => (d < axis ? [] : [d]))));
  const squares = b.add('ReduceMean', [...b.add('Mul', [...cast, ...cast]), axes]);
  const shifted = b.add('Add', [...squares, b.constant(ndarray(to, [], [epsilon]))]);
  return b.add('Reciprocal', b.add('Sqrt', shifted))[0] as string;
}

const simplified = defineOp({
  name: 'SimplifiedLayerNormalization',
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    const axis = axisOf(n, n.attributes.axis, dims.length);
    check(n, sizeOf(dims.slice(axis)), [1]);
    return [
      { dtype: n.input(1).dtype, dims },
      { dtype: wide(dtype), dims: dims.map((d, i) => (i < axis ? d : 1)) },
    ];
  },
  reference(n, inputs) {
    const [x, scale] = inputs as [NDArray, NDArray];
    const axis = axisOf(n, n.attributes.axis, x.dims.length);
    const length = sizeOf(x.dims.slice(axis));
    const { epsilon } = n.attributes;
    const { values, inverse } = normalizeRows(x, { rows: sizeOf(x.dims) / length, length, epsilon, centred: false });
    return [
      ndarray(
        scale.dtype,
        x.dims,
        values.map((v, i) => v * (scale.data[i % length] as number)),
      ),
      ndarray(
        wide(x.dtype),
        x.dims.map((d, i) => (i < axis ? d : 1)),
        inverse,
      ),
    ];
  },
  lower(n, b) {
    const { dtype, dims } = n.input(0);
    const [x, scale] = n.node.inputs as [string, string];
    const axis = axisOf(n, n.attributes.axis, dims.length);
    const type = n.input(1).dtype;
    const row = b.add('Reshape', [scale, b.constant(int64s(dims.slice(axis)))]);
    const same = dtype === type ? [x] : b.add('Cast', [x], { to: numberOfDType(type) });
    const y = b.add('RMSNormalization', [...same, ...row], { ...n.node.attributes });
    return [...y, ...(n.wants(1) ? [inverseDeviation(x, axis, n.attributes.epsilon, b)] : [])];
  },
});

type SkipView = NodeView<{ readonly epsilon: number }>;

/** Where the inputs are, which the simplified form numbers otherwise. */
interface SkipForm {
  readonly centred: boolean;
  readonly beta: number;
  readonly bias: number;
}

function skipTypes(n: SkipView, form: SkipForm): TensorType[] {
  const { dtype, dims } = n.input(0);
  const row = dims.at(-1) ?? n.fail('needs an input of rank 1 or more');
  n.input(2);
  check(n, row, [2, form.beta, form.bias]);
  if (!sameDims(broadcastDims(dims, n.input(1).dims) ?? [], dims))
    n.fail('has a skip that does not broadcast to its input');
  const statistics = { dtype: wide(dtype), dims: dims.with(-1, 1) };
  return [{ dtype, dims }, statistics, statistics, { dtype, dims }];
}

function skipReference(n: SkipView, form: SkipForm, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, skip, scale] = inputs as [NDArray, NDArray, NDArray];
  const [beta, bias] = [form.centred ? inputs[form.beta] : undefined, inputs[form.bias]];
  const length = x.dims.at(-1) as number;
  const strides = broadcastStrides(skip.dims, x.dims);
  const sum = ndarray(x.dtype, x.dims);
  forEachIndex(x.dims, (at, flat) => {
    const from = at.reduce((total, i, d) => total + i * (strides[d] as number), 0);
    sum.data[flat] = (x.data[flat] as number) + (skip.data[from] as number) + (bias?.data[flat % length] ?? 0);
  });
  const rows = sizeOf(x.dims) / length;
  const { values, mean, inverse } = normalizeRows(sum, {
    rows,
    length,
    epsilon: n.attributes.epsilon,
    centred: form.centred,
  });
  const normalised = values.map((v, i) => v * (scale.data[i % length] as number) + (beta?.data[i % length] ?? 0));
  const results = [normalised, mean, inverse, sum.data];
  return skipTypes(n, form).map(({ dtype, dims }, i) => ndarray(dtype, dims, results[i]));
}

function skipOp(name: string, form: SkipForm) {
  return defineOp({
    name,
    attributes: { epsilon: float(1e-12) },
    infer: (n) => skipTypes(n, form),
    reference: (n, inputs) => skipReference(n, form, inputs),
    lower(n, b) {
      const { epsilon } = n.attributes;
      const [x, skip, scale] = n.node.inputs as [string, string, string];
      let sum = b.add('Add', [x, skip]);
      if (n.has(form.bias)) sum = b.add('Add', [...sum, n.node.inputs[form.bias] as string]);
      const attributes = { axis: -1, epsilon };
      if (!form.centred) {
        const { dtype, dims } = n.input(0);
        const mean = () => b.constant(ndarray(wide(dtype), dims.with(-1, 1)));
        const inverse = () => inverseDeviation(sum[0] as string, dims.length - 1, epsilon, b);
        const y = b.add('RMSNormalization', [...sum, scale], attributes);
        return [...y, n.wants(1) ? mean() : '', n.wants(2) ? inverse() : '', ...sum];
      }
      const beta = n.has(form.beta) ? [n.node.inputs[form.beta] as string] : [];
      const stash_type = numberOfDType(wide(n.input(0).dtype));
      return [...b.add('LayerNormalization', [...sum, scale, ...beta], { ...attributes, stash_type }, 3), ...sum];
    },
  });
}

export default [
  simplified,
  skipOp('com.microsoft.SkipLayerNormalization', { centred: true, beta: 3, bias: 4 }),
  skipOp('com.microsoft.SkipSimplifiedLayerNormalization', { centred: false, beta: -1, bias: 3 }),
];

const row = { dims: [33] };
const x = { dims: [2, 5, 33] };

export const cases: Record<string, OpCase[]> = {
  SimplifiedLayerNormalization: [
    { name: 'last axis', inputs: [x, row] },
    {
      name: 'two axes and deviations',
      inputs: [{ dims: [3, 4, 9] }, { dims: [4, 9] }],
      attributes: { axis: 1, epsilon: 0.1 },
      outputs: 2,
    },
    {
      name: 'float16',
      inputs: [
        { ...x, dtype: 'float16' },
        { ...row, dtype: 'float16' },
      ],
      tolerance: 5e-3,
    },
  ],
  'com.microsoft.SkipLayerNormalization': [
    { name: 'all inputs and outputs', inputs: [x, x, row, row, row], outputs: 4, attributes: { epsilon: 1e-5 } },
    { name: 'skip of one sample', inputs: [x, { dims: [5, 33] }, row], attributes: { epsilon: 0.01 } },
  ],
  'com.microsoft.SkipSimplifiedLayerNormalization': [
    { name: 'all inputs and outputs', inputs: [x, x, row, row], outputs: 4, attributes: { epsilon: 1e-5 } },
    { name: 'skip of every sample', inputs: [x, { dims: [1, 5, 33] }, row] },
  ],
};
