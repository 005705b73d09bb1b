// LinearRegressor and LinearClassifier of ai.onnx.ml: rows of features times coefficients, plus intercepts, then a
// transform of each row of scores. The classifier gives the label of each row's best class, and the scores.

import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { formatDims } from '../base/shape';
import { type AttributesOf, floats, int, ints, required, string, strings } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { lowerTransform, postTransformOf, transformRow } from './ml/post-transform';

interface Linear {
  /** [scores, features] */
  readonly coefficients: readonly number[];
  readonly intercepts: readonly number[];
  readonly scores: number;
  readonly features: number;
  readonly rows: number;
}

function linearOf(n: NodeView, scores: number, coefficients: readonly number[], intercepts: readonly number[]): Linear {
  const { dims } = n.input(0);
  if (dims.length > 2 || dims.length < 1) n.fail(`has rows of shape ${formatDims(dims)}; expected [rows, features]`);
  const [rows, features] = (dims.length === 1 ? [1, ...dims] : dims) as [number, number];
  if (coefficients.length !== scores * features) {
    n.fail(`has ${coefficients.length} coefficients; expected ${scores} for each of ${features} features`);
  }
  if (intercepts.length !== 0 && intercepts.length !== scores) {
    n.fail(`has ${intercepts.length} intercepts; expected ${scores}`);
  }
  return { coefficients, intercepts, scores, features, rows };
}

function rowOf({ coefficients, intercepts, scores, features }: Linear, { data }: NDArray, row: number): number[] {
  return Array.from({ length: scores }, (_, s) => {
    let sum = intercepts[s] ?? 0;
    for (let f = 0; f < features; f++)
      sum += (data[row * features + f] as number) * (coefficients[s * features + f] as number);
    return sum;
  });
}

function lowerLinear(n: NodeView, b: LowerBuilder, linear: Linear): string {
  const { coefficients, intercepts, scores, features, rows } = linear;
  const x = b.add('Cast', [n.node.inputs[0] as string], { to: numberOfDType('float32') });
  const matrix = b.add('Reshape', [...x, b.constant(ndarray('int64', [2], [rows, features]))]);
  const weights = b.constant(ndarray('float32', [scores, features], coefficients));
  const bias = intercepts.length > 0 ? [b.constant(ndarray('float32', [scores], intercepts))] : [];
  return b.add('Gemm', [...matrix, weights, ...bias], { transB: 1 })[0] as string;
}

const regressorAttributes = {
  coefficients: floats([]),
  intercepts: floats([]),
  post_transform: string('NONE'),
  targets: int(1),
};

function regressorOf(n: NodeView<AttributesOf<typeof regressorAttributes>>): Linear {
  const { targets, coefficients, intercepts } = n.attributes;
  return linearOf(n, targets, coefficients, intercepts);
}

const classifierAttributes = {
  classlabels_ints: ints(),
  classlabels_strings: strings(),
  coefficients: required('floats'),
  intercepts: floats([]),
  multi_class: int(0),
  post_transform: string('NONE'),
};

function classifierOf(n: NodeView<AttributesOf<typeof classifierAttributes>>) {
  const { coefficients, intercepts, classlabels_ints } = n.attributes;
  const labels =
    classlabels_ints ?? n.fail('has classes that are strings; Lepton has integers only', 'UNSUPPORTED_MODEL');
  const scores = coefficients.length / (n.input(0).dims.at(-1) ?? 1);
  // Of two classes only the second may be scored; then 0 parts them.
  const isBinary = scores === 1 && labels.length === 2;
  if (!isBinary && scores !== labels.length) n.fail(`has ${labels.length} classes, but coefficients for ${scores}`);
  return { linear: linearOf(n, scores, coefficients, intercepts), labels, isBinary };
}

export default [
  defineOp({
    name: 'ai.onnx.ml.LinearRegressor',
    attributes: regressorAttributes,
    infer(n) {
      const { rows, scores } = regressorOf(n);
      postTransformOf(n, n.attributes.post_transform);
      return [{ dtype: 'float32', dims: [rows, scores] }];
    },
    reference(n, [x]) {
      const linear = regressorOf(n);
      const kind = postTransformOf(n, n.attributes.post_transform);
      const rows = Array.from({ length: linear.rows }, (_, i) => transformRow(kind, rowOf(linear, x as NDArray, i)));
      return [ndarray('float32', [linear.rows, linear.scores], rows.flat())];
    },
    lower: (n, b) => [
      lowerTransform(postTransformOf(n, n.attributes.post_transform), b, lowerLinear(n, b, regressorOf(n))),
    ],
  }),
  defineOp({
    name: 'ai.onnx.ml.LinearClassifier',
    attributes: classifierAttributes,
    infer(n) {
      const { linear, labels } = classifierOf(n);
      postTransformOf(n, n.attributes.post_transform);
      return [
        { dtype: 'int64', dims: [linear.rows] },
        { dtype: 'float32', dims: [linear.rows, labels.length] },
      ];
    },
    reference(n, [x]) {
      const { linear, labels, isBinary } = classifierOf(n);
      const kind = postTransformOf(n, n.attributes.post_transform);
      const rows = Array.from({ length: linear.rows }, (_, i) => {
        const own = rowOf(linear, x as NDArray, i);
        return isBinary ? [-(own[0] as number), ...own] : own;
      });
      const best = rows.map((row) => labels[row.indexOf(Math.max(...row))] as number);
      const scores = rows.flatMap((row) => transformRow(kind, row));
      return [ndarray('int64', [linear.rows], best), ndarray('float32', [linear.rows, labels.length], scores)];
    },
    lower(n, b) {
      const { linear, labels, isBinary } = classifierOf(n);
      const own = lowerLinear(n, b, linear);
      const [rows] = isBinary ? b.add('Concat', [...b.add('Neg', [own]), own], { axis: 1 }) : [own];
      const best = b.add('ArgMax', [rows as string], { axis: 1, keepdims: 0 });
      const names = b.constant(ndarray('int64', [labels.length], labels));
      const kind = postTransformOf(n, n.attributes.post_transform);
      return [...b.add('Gather', [names, ...best]), lowerTransform(kind, b, rows as string)];
    },
  }),
];

const rows = { dims: [43, 3] };
const three = { coefficients: [1, 2, 3, -1, 0.5, 2, 0.25, -2, 1], intercepts: [0.5, -0.5, 0.1] };
const one = { coefficients: [1, -2, 0.5], intercepts: [0.1] };
export const cases: Record<string, OpCase[]> = {
  'ai.onnx.ml.LinearRegressor': [
    { name: 'three targets', inputs: [rows], attributes: { ...three, targets: 3 } },
    { name: 'one row of integers', inputs: [{ dims: [3], dtype: 'int64' }], attributes: one },
    {
      name: 'probit',
      inputs: [{ dims: [9, 1], range: [0.05, 0.95] }],
      attributes: { coefficients: [1], post_transform: 'PROBIT' },
      tolerance: 1e-3,
    },
  ],
  'ai.onnx.ml.LinearClassifier': [
    ...['NONE', 'SOFTMAX', 'SOFTMAX_ZERO'].map((post_transform) => ({
      name: post_transform,
      inputs: [rows],
      attributes: { ...three, classlabels_ints: [7, 8, -9], post_transform },
      outputs: 2,
    })),
    {
      name: 'two classes, one score',
      inputs: [rows],
      attributes: { ...one, classlabels_ints: [3, 4], post_transform: 'LOGISTIC' },
      outputs: 2,
    },
  ],
};
