// Operators of ai.onnx.ml that give features other values: Binarizer, Scaler, Imputer and Normalizer. Features lie
// along the last axis.

import { type DType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { type AttributesOf, float, floats, int, ints, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { flat } from './gradient';
import { asFloat32, featuresOf } from './ml/features';
import { pointwiseOp } from './pointwise-op';
import { literal } from './wgsl/elements';

/** A list with one number for all features, or one for each. */
function perFeature(n: NodeView, name: string, list: readonly number[]): readonly number[] {
  if (list.length === 1 || list.length === featuresOf(n)) return list;
  return n.fail(`has ${list.length} numbers in "${name}"; expected 1 or ${featuresOf(n)}`);
}

const binarizer = pointwiseOp({
  name: 'ai.onnx.ml.Binarizer',
  attributes: { threshold: float(0) },
  arity: [1, 1],
  element:
    ({ threshold }) =>
    (x) =>
      Number(x > threshold),
  grad: flat,
  // Integers are compared as floats, since the threshold need not be whole.
  wgsl: (p, x) => `select(${p.vec}(), ${p.vec}(1), vec4f(${x}) > vec4f(${literal('float32', p.attributes.threshold)}))`,
});

const scaler = defineOp({
  name: 'ai.onnx.ml.Scaler',
  attributes: { offset: floats([0]), scale: floats([1]) },
  infer(n) {
    perFeature(n, 'offset', n.attributes.offset);
    perFeature(n, 'scale', n.attributes.scale);
    return [{ dtype: 'float32', dims: n.input(0).dims }];
  },
  reference(n, [x]) {
    const { data, dims } = x as NDArray;
    const { offset, scale } = n.attributes;
    const of = (list: readonly number[], i: number) => list[i % list.length] as number;
    return [
      ndarray(
        'float32',
        dims,
        Array.from(data, (value, i) => (value - of(offset, i)) * of(scale, i)),
      ),
    ];
  },
  lower(n, b) {
    const list = (values: readonly number[]) => b.constant(ndarray('float32', [values.length], values));
    const moved = b.add('Sub', [asFloat32(b, n.node.inputs[0] as string), list(n.attributes.offset)]);
    const scaled = b.add('Mul', [...moved, list(n.attributes.scale)]);
    return n.input(0).dims.length > 0 ? scaled : b.add('Squeeze', scaled);
  },
});

const imputerAttributes = {
  imputed_value_floats: floats(),
  imputed_value_int64s: ints(),
  replaced_value_float: float(0),
  replaced_value_int64: int(0),
};

function imputed(n: NodeView<AttributesOf<typeof imputerAttributes>>) {
  const { attributes: a } = n;
  const [name, given, replaced] = isFloat(n.input(0).dtype)
    ? (['imputed_value_floats', a.imputed_value_floats, a.replaced_value_float] as const)
    : (['imputed_value_int64s', a.imputed_value_int64s, a.replaced_value_int64] as const);
  return { values: perFeature(n, name, given ?? n.fail(`lacks the attribute "${name}"`)), replaced };
}

const imputer = defineOp({
  name: 'ai.onnx.ml.Imputer',
  attributes: imputerAttributes,
  infer(n) {
    const { dtype, dims } = n.input(0);
    imputed(n);
    return [{ dtype, dims }];
  },
  reference(n, [x]) {
    const { data, dims, dtype } = x as NDArray;
    const { replaced, values } = imputed(n);
    const isMissing = (value: number) => value === replaced || (Number.isNaN(replaced) && Number.isNaN(value));
    const filled = Array.from(data, (value, i) => (isMissing(value) ? (values[i % values.length] as number) : value));
    return [ndarray(dtype, dims, filled)];
  },
  lower(n, b) {
    const { dtype } = n.input(0);
    const { replaced, values } = imputed(n);
    const x = n.node.inputs[0] as string;
    const missing = Number.isNaN(replaced)
      ? b.add('IsNaN', [x])
      : b.add('Equal', [x, b.constant(scalar(dtype, replaced))]);
    const dims = n.input(0).dims.length > 0 ? [values.length] : [];
    return b.add('Where', [...missing, b.constant(ndarray(dtype, dims, values)), x]);
  },
});

const norms = {
  MAX: { of: (row: number[]) => row.reduce((most, x) => Math.max(most, Math.abs(x)), 0), parts: ['Abs', 'ReduceMax'] },
  L1: { of: (row: number[]) => row.reduce((sum, x) => sum + Math.abs(x), 0), parts: ['ReduceL1'] },
  L2: { of: (row: number[]) => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), parts: ['ReduceL2'] },
} as const;

const normOf = (n: NodeView<{ readonly norm: string }>) =>
  norms[n.attributes.norm as keyof typeof norms] ?? n.fail(`has the norm "${n.attributes.norm}"`);

const normalizer = defineOp({
  name: 'ai.onnx.ml.Normalizer',
  attributes: { norm: string('MAX') },
  infer(n) {
    const { dims } = n.input(0);
    if (dims.length === 0) n.fail('needs at least one axis');
    normOf(n);
    return [{ dtype: 'float32', dims }];
  },
  reference(n, [x]) {
    const { data, dims } = x as NDArray;
    const out = ndarray('float32', dims);
    const size = featuresOf(n);
    for (let at = 0; at < data.length; at += size) {
      const row = Array.from(data.subarray(at, at + size));
      // A row of zeros stays.
      const norm = normOf(n).of(row) || 1;
      out.data.set(
        row.map((value) => value / norm),
        at,
      );
    }
    return [out];
  },
  lower(n, b) {
    const x = asFloat32(b, n.node.inputs[0] as string);
    let norm = x;
    for (const op of normOf(n).parts) {
      const inputs = op === 'Abs' ? [norm] : [norm, b.constant(int64s([-1]))];
      [norm] = b.add(op, inputs) as [string];
    }
    const [isZero] = b.add('Equal', [norm, b.constant(scalar('float32', 0))]) as [string];
    const divisor = b.add('Where', [isZero, b.constant(scalar('float32', 1)), norm]);
    return b.add('Div', [x, ...divisor]);
  },
});

export default [binarizer, scaler, imputer, normalizer];

const rows = (dtype: DType = 'float32') => ({ dims: [43, 3], dtype });
export const cases: Record<string, OpCase[]> = {
  'ai.onnx.ml.Binarizer': [
    { name: 'float32', inputs: [{ dims: [129], range: [-2, 2] }], attributes: { threshold: 0.5 } },
    { name: 'int64', inputs: [{ dims: [9], dtype: 'int64' }], attributes: { threshold: 3.5 } },
  ],
  'ai.onnx.ml.Scaler': [
    { name: 'a number each', inputs: [rows()], attributes: { offset: [0.5, 1, -1], scale: [2, 1, -3] } },
    { name: 'one number, integers', inputs: [rows('int64')], attributes: { offset: [2.5], scale: [0.5] } },
  ],
  'ai.onnx.ml.Imputer': [
    {
      name: 'not a number',
      inputs: [{ dims: [3, 2], values: [1, Number.NaN, Number.NaN, 0, 2, Number.NaN] }],
      attributes: { imputed_value_floats: [7, 8], replaced_value_float: Number.NaN },
    },
    {
      name: 'integers',
      inputs: [rows('int64')],
      attributes: { imputed_value_int64s: [-1], replaced_value_int64: 3 },
    },
  ],
  'ai.onnx.ml.Normalizer': Object.keys(norms).map((norm) => ({
    name: norm,
    inputs: [{ dims: [3, 3], values: [1, -2, 0.5, 0, 0, 0, -9, 3, 3] }],
    attributes: { norm },
  })),
};
