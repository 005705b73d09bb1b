// Operators of ai.onnx.ml that make vectors of features: FeatureVectorizer joins them, ArrayFeatureExtractor picks
// some, and OneHotEncoder makes one of each integer. Features lie along the last axis.

import type { DType } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { formatDims, sizeOf } from '../base/shape';
import { int, ints, strings } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { placeOf } from './axes';
import { asFloat32, featuresOf } from './ml/features';

type VectorizerView = NodeView<{ readonly inputdimensions: readonly number[] | undefined }>;

/** For each input its size, and how many of its features count: more are cut off, fewer are followed by zeros. */
function widths(n: VectorizerView): { given: number; taken: number }[] {
  const rows = n.input(0).dims.slice(0, -1);
  return n.inputs.map((_, i) => {
    const { dims } = n.input(i);
    if (dims.length === 0 || formatDims(dims.slice(0, -1)) !== formatDims(rows)) {
      n.fail(`joins an input of shape ${formatDims(dims)} to one of shape ${formatDims(n.input(0).dims)}`);
    }
    const given = dims.at(-1) as number;
    const taken = n.attributes.inputdimensions?.[i] ?? given;
    if (taken < 0) n.fail(`takes ${taken} features of its input ${i}`);
    return { given, taken };
  });
}

const featureVectorizer = defineOp({
  name: 'ai.onnx.ml.FeatureVectorizer',
  attributes: { inputdimensions: ints() },
  infer(n) {
    const total = widths(n).reduce((sum, w) => sum + w.taken, 0);
    return [{ dtype: 'float32', dims: [...n.input(0).dims.slice(0, -1), total] }];
  },
  reference(n, inputs) {
    const sizes = widths(n);
    const total = sizes.reduce((sum, w) => sum + w.taken, 0);
    const out = ndarray('float32', [...n.input(0).dims.slice(0, -1), total]);
    let offset = 0;
    sizes.forEach(({ given, taken }, i) => {
      const { data } = inputs[i] as NDArray;
      for (let row = 0; row * total < out.data.length; row++) {
        const from = row * given;
        out.data.set(data.subarray(from, from + Math.min(given, taken)), row * total + offset);
      }
      offset += taken;
    });
    return [out];
  },
  lower(n, b) {
    const parts = widths(n).map(({ given, taken }, i) => {
      const x = asFloat32(b, n.node.inputs[i] as string);
      if (given === taken) return x;
      const rank = n.input(i).dims.length;
      // Negative padding cuts off.
      const pads = Array.from({ length: 2 * rank }, (_, p) => (p === 2 * rank - 1 ? taken - given : 0));
      return b.add('Pad', [x, b.constant(int64s(pads))])[0] as string;
    });
    return b.add('Concat', parts, { axis: -1 });
  },
});

const arrayFeatureExtractor = defineOp({
  name: 'ai.onnx.ml.ArrayFeatureExtractor',
  attributes: {},
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (dims.length === 0) n.fail('needs at least one axis');
    const rows = dims.length > 1 ? dims.slice(0, -1) : [1];
    return [{ dtype, dims: [...rows, sizeOf(n.input(1).dims)] }];
  },
  reference(n, [x, picks]) {
    const { data, dtype, dims } = x as NDArray;
    const size = featuresOf(n);
    const rows = dims.length > 1 ? dims.slice(0, -1) : [1];
    const indices = Array.from((picks as NDArray).data, (i) => placeOf(i, size));
    const taken = Array.from({ length: sizeOf(rows) }, (_, row) =>
      indices.map((i) => data[row * size + i] as number),
    ).flat();
    return [ndarray(dtype, [...rows, indices.length], taken)];
  },
  lower(n, b) {
    const [x, picks] = n.node.inputs as [string, string];
    const flat = b.add('Reshape', [picks, b.constant(int64s([-1]))]);
    const taken = b.add('Gather', [x, ...flat], { axis: -1 });
    return n.input(0).dims.length > 1 ? taken : b.add('Unsqueeze', [...taken, b.constant(int64s([0]))]);
  },
});

const oneHotEncoder = defineOp({
  name: 'ai.onnx.ml.OneHotEncoder',
  attributes: { cats_int64s: ints(), cats_strings: strings(), zeros: int(1) },
  infer(n) {
    const categories =
      n.attributes.cats_int64s ??
      n.fail('has categories that are strings; Lepton has integers only', 'UNSUPPORTED_MODEL');
    return [{ dtype: 'float32', dims: [...n.input(0).dims, categories.length] }];
  },
  reference(n, [x]) {
    const { data, dims } = x as NDArray;
    const categories = n.attributes.cats_int64s ?? [];
    const hot = Array.from(data, (value) => categories.map((c) => Number(Math.trunc(value) === c))).flat();
    return [ndarray('float32', [...dims, categories.length], hot)];
  },
  lower(n, b) {
    const categories = n.attributes.cats_int64s ?? [];
    const [whole] = b.add('Cast', [n.node.inputs[0] as string], { to: numberOfDType('int64') }) as [string];
    const column = b.add('Unsqueeze', [whole, b.constant(int64s([-1]))]);
    const hot = b.add('Equal', [...column, b.constant(int64s(categories))]);
    return b.add('Cast', hot, { to: numberOfDType('float32') });
  },
});

export default [featureVectorizer, arrayFeatureExtractor, oneHotEncoder];

const rows = (dtype: DType = 'float32') => ({ dims: [43, 3], dtype });
export const cases: Record<string, OpCase[]> = {
  'ai.onnx.ml.FeatureVectorizer': [
    { name: 'as they are', inputs: [rows(), rows('int64')] },
    { name: 'cut and filled', inputs: [rows(), rows('int32')], attributes: { inputdimensions: [2, 5] } },
  ],
  'ai.onnx.ml.ArrayFeatureExtractor': [
    { name: 'rows', inputs: [rows(), { dims: [1, 2], dtype: 'int64', values: [2, 0] }] },
    { name: 'one row', inputs: [{ dims: [5] }, { dims: [3], dtype: 'int64', values: [4, 0, 4] }] },
  ],
  'ai.onnx.ml.OneHotEncoder': [{ name: 'unknown too', inputs: [rows()], attributes: { cats_int64s: [0, 2, 1] } }],
};
