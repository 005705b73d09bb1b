// TreeEnsembleRegressor and TreeEnsembleClassifier, the ensembles of decision trees of ai.onnx.ml before opset 5.
// Input: rows of features, [rows, features]; output: scores, [rows, targets], of the classifier behind the label
// of each row's best class.

import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { type AttributesOf, floats, int, ints, required, string, strings, tensor } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { elementsOf } from './ml/elements-of';
import { type Ensemble, lowerScores, rowScores, scoresArray } from './ml/ensemble';
import { aggregates } from './ml/forest';
import { type NumberedNode, numberedAttributes, numberedForest } from './ml/forest-attributes';
import { lowerTransform, postTransformOf, transformRow } from './ml/post-transform';

function baseOf(n: NumberedNode): readonly number[] {
  const { base_values, base_values_as_tensor } = n.attributes;
  return base_values_as_tensor ? elementsOf(n, 'base_values_as_tensor', base_values_as_tensor) : (base_values ?? []);
}

const regressorAttributes = {
  ...numberedAttributes,
  aggregate_function: string('SUM'),
  n_targets: int(1),
  post_transform: string('NONE'),
  target_ids: required('ints'),
  target_nodeids: required('ints'),
  target_treeids: required('ints'),
  target_weights: floats(),
  target_weights_as_tensor: tensor(),
};

function regressorOf(n: NodeView<AttributesOf<typeof regressorAttributes>>): Ensemble {
  const { attributes: a } = n;
  const given = a.target_weights_as_tensor;
  const contributions = {
    treeIds: a.target_treeids,
    nodeIds: a.target_nodeids,
    targets: a.target_ids,
    weights: given ? elementsOf(n, 'target_weights_as_tensor', given) : (a.target_weights ?? []),
  };
  return {
    forest: numberedForest(n, contributions, a.n_targets),
    targets: a.n_targets,
    aggregate:
      aggregates.find((known) => known === a.aggregate_function) ??
      n.fail(`has the aggregate_function ${a.aggregate_function}`),
    base: baseOf(n),
    transform: postTransformOf(n, a.post_transform),
  };
}

const classifierAttributes = {
  ...numberedAttributes,
  class_ids: required('ints'),
  class_nodeids: required('ints'),
  class_treeids: required('ints'),
  class_weights: floats(),
  class_weights_as_tensor: tensor(),
  classlabels_int64s: ints(),
  classlabels_strings: strings(),
  post_transform: string('NONE'),
};

interface Classifier extends Ensemble {
  readonly labels: readonly number[];
  /** Two classes of which only one is scored; the other's score follows: 1 - s, or -s where a transform comes. */
  readonly other?: 'complement' | 'negative';
}

function classifierOf(n: NodeView<AttributesOf<typeof classifierAttributes>>): Classifier {
  const { attributes: a } = n;
  const labels =
    a.classlabels_int64s ?? n.fail('has classes that are strings; Lepton has integers only', 'UNSUPPORTED_MODEL');
  const given = a.class_weights_as_tensor;
  const isBinary = labels.length === 2 && new Set(a.class_ids).size === 1;
  const contributions = {
    treeIds: a.class_treeids,
    nodeIds: a.class_nodeids,
    targets: isBinary ? a.class_ids.map(() => 0) : a.class_ids,
    weights: given ? elementsOf(n, 'class_weights_as_tensor', given) : (a.class_weights ?? []),
  };
  const targets = isBinary ? 1 : labels.length;
  const transform = postTransformOf(n, a.post_transform);
  const base = baseOf(n);
  return {
    forest: numberedForest(n, contributions, targets),
    targets,
    aggregate: 'SUM',
    base: isBinary ? base.slice(-1) : base,
    transform,
    labels,
    ...(isBinary && { other: transform === 'NONE' || transform === 'PROBIT' ? 'complement' : 'negative' }),
  };
}

const regressor = defineOp({
  name: 'ai.onnx.ml.TreeEnsembleRegressor',
  attributes: regressorAttributes,
  infer: (n) => [{ dtype: 'float32', dims: [n.input(0).dims[0] as number, regressorOf(n).targets] }],
  reference: (n, [x]) => [scoresArray(n, x as NDArray, regressorOf(n), 'float32')],
  lower(n, b) {
    const found = regressorOf(n);
    return [lowerTransform(found.transform, b, lowerScores(n, b, found))];
  },
});

const classifier = defineOp({
  name: 'ai.onnx.ml.TreeEnsembleClassifier',
  attributes: classifierAttributes,
  infer(n) {
    const { labels } = classifierOf(n);
    const rows = n.input(0).dims[0] as number;
    return [
      { dtype: 'int64', dims: [rows] },
      { dtype: 'float32', dims: [rows, labels.length] },
    ];
  },
  reference(n, [x]) {
    const found = classifierOf(n);
    const rows = n.input(0).dims[0] as number;
    const labels = ndarray('int64', [rows]);
    const scores = ndarray('float32', [rows, found.labels.length]);
    for (let row = 0; row < rows; row++) {
      const own = rowScores(found, x as NDArray, row);
      const [score] = own as [number];
      const both = found.other ? [found.other === 'complement' ? 1 - score : -score, score] : own;
      const final = transformRow(found.transform, both);
      scores.data.set(final, row * final.length);
      labels.data[row] = found.labels[final.indexOf(Math.max(...final))] as number;
    }
    return [labels, scores];
  },
  lower(n, b) {
    const found = classifierOf(n);
    const add = (op: string, inputs: readonly string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
    const own = lowerScores(n, b, found);
    const least = b.constant(scalar('float32', found.other === 'complement' ? 1 : 0));
    const all = found.other ? add('Concat', [add('Sub', [least, own]), own], { axis: 1 }) : own;
    const scores = lowerTransform(found.transform, b, all);
    const best = add('ArgMax', [scores], { axis: 1, keepdims: 0 });
    const labels = b.constant(ndarray('int64', [found.labels.length], found.labels));
    return [add('Gather', [labels, best]), scores];
  },
});

export default [regressor, classifier];

const features = { dims: [129, 3], range: [-2, 2] as const };
const numbered = {
  nodes_treeids: [0, 0, 0, 1, 1, 1],
  nodes_nodeids: [0, 1, 2, 0, 1, 2],
  nodes_featureids: [0, 0, 0, 2, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF', 'BRANCH_GT', 'LEAF', 'LEAF'],
  nodes_values: [0.25, 0, 0, -0.5, 0, 0],
  nodes_truenodeids: [1, 0, 0, 2, 0, 0],
  nodes_falsenodeids: [2, 0, 0, 1, 0, 0],
};
const treeids = [0, 0, 0, 1, 1];
const nodeids = [1, 2, 2, 1, 2];
const classes = (ids: number[], labels: number[], post_transform: string, rest = {}): OpCase => ({
  name: `${labels.length} classes by ${new Set(ids).size}, ${post_transform}`,
  inputs: [features],
  attributes: {
    ...numbered,
    class_treeids: treeids,
    class_nodeids: nodeids,
    class_ids: ids,
    class_weights: [0.9, 0.1, 0.3, -0.2, 0.4],
    classlabels_int64s: labels,
    post_transform,
    ...rest,
  },
  outputs: 2,
});

export const cases: Record<string, OpCase[]> = {
  'ai.onnx.ml.TreeEnsembleRegressor': [
    {
      name: 'base values, integers',
      inputs: [{ dims: [9, 3], dtype: 'int64', range: [-2, 2] }],
      attributes: {
        ...numbered,
        target_treeids: treeids,
        target_nodeids: nodeids,
        target_ids: [0, 1, 0, 0, 1],
        target_weights: [1, 2, 3, 4, 5],
        n_targets: 2,
        base_values: [0.5, -0.5],
        aggregate_function: 'AVERAGE',
      },
    },
  ],
  'ai.onnx.ml.TreeEnsembleClassifier': [
    classes([0, 1, 2, 1, 2], [5, -7, 9], 'SOFTMAX', { base_values: [0.1, 0.2, 0.3] }),
    classes([1, 1, 1, 1, 1], [3, 4], 'NONE'),
    classes([0, 0, 0, 0, 0], [3, 4], 'LOGISTIC', { base_values: [-0.3] }),
  ],
};
