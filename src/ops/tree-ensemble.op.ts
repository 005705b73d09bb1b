// TreeEnsemble of ai.onnx.ml: an ensemble of decision trees. Input: rows of features, [rows, features]; output:
// scores, [rows, targets].

import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import type { AttributesOf } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { type Ensemble, lowerScores, scoresArray } from './ml/ensemble';
import { aggregates } from './ml/forest';
import { ensembleAttributes, ensembleForest } from './ml/forest-attributes';
import { lowerTransform, postTransformOf, postTransforms } from './ml/post-transform';

function ensembleOf(n: NodeView<AttributesOf<typeof ensembleAttributes>>): Ensemble {
  const { aggregate_function, post_transform, n_targets } = n.attributes;
  return {
    forest: ensembleForest(n),
    targets: n_targets,
    aggregate: aggregates[aggregate_function] ?? n.fail(`has the aggregate_function ${aggregate_function}`),
    base: [],
    transform: postTransformOf(n, postTransforms[post_transform] ?? String(post_transform)),
  };
}

export default defineOp({
  name: 'ai.onnx.ml.TreeEnsemble',
  attributes: ensembleAttributes,
  infer(n) {
    const { targets } = ensembleOf(n);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims: [dims[0] as number, targets] }];
  },
  reference: (n, [x]) => [scoresArray(n, x as NDArray, ensembleOf(n), n.input(0).dtype)],
  lower(n, b) {
    const found = ensembleOf(n);
    const scores = lowerTransform(found.transform, b, lowerScores(n, b, found));
    return b.add('Cast', [scores], { to: numberOfDType(n.input(0).dtype) });
  },
});

const tensorOf = (dtype: 'float32' | 'uint8', ...values: number[]) => ({
  tensor: {
    dtype,
    dims: [values.length],
    constant: { kind: 'inline' as const, array: ndarray(dtype, [values.length], values) },
  },
});
const features = { dims: [129, 3], range: [-2, 2] as const };
const missing = {
  dims: [6, 2],
  values: [1, Number.NaN, Number.NaN, 1, Number.NaN, Number.NaN, 1.5, 3, 7, 2, -1, 3],
};

// Two trees of two and three nodes; the second shares a target with the first.
const pair = {
  nodes_featureids: [0, 1, 2, 0, 1],
  nodes_modes: tensorOf('uint8', 0, 1, 2, 3, 0),
  nodes_splits: tensorOf('float32', 0, 0.5, -0.5, 1, 0.25),
  nodes_truenodeids: [1, 0, 3, 3, 5],
  nodes_trueleafs: [0, 1, 0, 1, 1],
  nodes_falsenodeids: [2, 1, 4, 4, 6],
  nodes_falseleafs: [1, 1, 0, 1, 1],
  tree_roots: [0, 2],
  leaf_targetids: [0, 1, 0, 1, 0, 2, 2],
  leaf_weights: tensorOf('float32', 1, 2, -0.5, 0.25, 3, -1, 0.75),
  n_targets: 3,
};
const sets = {
  nodes_featureids: [0, 1, 0, 1],
  nodes_modes: tensorOf('uint8', 6, 6, 4, 5),
  nodes_splits: tensorOf('float32', 0, 0, 7, 3),
  nodes_missing_value_tracks_true: [1, 0, 0, 1],
  membership_values: tensorOf('float32', 1, 1.5, Number.NaN, 3, Number.NaN),
  nodes_truenodeids: [1, 0, 2, 3],
  nodes_trueleafs: [0, 1, 1, 1],
  nodes_falsenodeids: [2, 1, 3, 4],
  nodes_falseleafs: [0, 1, 0, 1],
  tree_roots: [0],
  leaf_targetids: [0, 0, 0, 0, 0],
  leaf_weights: tensorOf('float32', 1, 2, 3, 4, 5),
};
export const cases: OpCase[] = [
  ...aggregates.map((name, i) => ({
    name,
    inputs: [features],
    attributes: { ...pair, aggregate_function: i },
  })),
  ...postTransforms.slice(1, 4).map((name, i) => ({
    name,
    inputs: [features],
    attributes: { ...pair, post_transform: i + 1 },
  })),
  { name: 'sets and missing features', inputs: [missing], attributes: sets },
  { name: 'float16', inputs: [{ ...features, dtype: 'float16' }], attributes: pair },
];
