// The two ways in which ONNX writes trees down, read into a Forest: TreeEnsemble with nodes and leaves as lists of
// their own, and the older TreeEnsembleRegressor and Classifier, where nodes have numbers within their tree.

import { formatDims } from '../../base/shape';
import { type AttributesOf, floats, int, ints, required, strings, tensor } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { elementsOf } from './elements-of';
import { checkForest, comparisons, type Forest } from './forest';

export const ensembleAttributes = {
  aggregate_function: int(1),
  leaf_targetids: required('ints'),
  leaf_weights: required('tensor'),
  membership_values: tensor(),
  n_targets: int(1),
  nodes_falseleafs: required('ints'),
  nodes_falsenodeids: required('ints'),
  nodes_featureids: required('ints'),
  nodes_hitrates: tensor(),
  nodes_missing_value_tracks_true: ints(),
  nodes_modes: required('tensor'),
  nodes_splits: required('tensor'),
  nodes_trueleafs: required('ints'),
  nodes_truenodeids: required('ints'),
  post_transform: int(0),
  tree_roots: required('ints'),
};

type Ints = readonly number[];

export function ensembleForest(n: NodeView<AttributesOf<typeof ensembleAttributes>>): Forest {
  const { attributes: a } = n;
  const modes = elementsOf(n, 'nodes_modes', a.nodes_modes);
  const member = comparisons.indexOf('MEMBER');
  const members = a.membership_values ? elementsOf(n, 'membership_values', a.membership_values) : [];
  // One set after another in the order of the nodes that look into them, each closed by a NaN.
  let at = 0;
  const sets = modes.map((mode) => {
    if (mode !== member) return [0, 0] as const;
    const start = at;
    while (at < members.length && !Number.isNaN(members[at])) at++;
    return [start, at++] as const;
  });
  const child = (ids: Ints, leafs: Ints) => ids.map((id, i) => (leafs[i] ? -1 - id : id));
  const forest: Forest = {
    roots: a.tree_roots,
    features: a.nodes_featureids,
    modes,
    splits: elementsOf(n, 'nodes_splits', a.nodes_splits),
    trueChildren: child(a.nodes_truenodeids, a.nodes_trueleafs),
    falseChildren: child(a.nodes_falsenodeids, a.nodes_falseleafs),
    missingIsTrue: a.nodes_missing_value_tracks_true ?? modes.map(() => 0),
    sets,
    members,
    leaves: a.leaf_targetids.map((_, i) => [i, i + 1] as const),
    targets: a.leaf_targetids,
    weights: elementsOf(n, 'leaf_weights', a.leaf_weights),
  };
  return checked(n, forest, a.n_targets);
}

export const numberedAttributes = {
  base_values: floats(),
  base_values_as_tensor: tensor(),
  nodes_falsenodeids: required('ints'),
  nodes_featureids: required('ints'),
  nodes_hitrates: floats(),
  nodes_hitrates_as_tensor: tensor(),
  nodes_missing_value_tracks_true: ints(),
  nodes_modes: strings([]),
  nodes_nodeids: required('ints'),
  nodes_treeids: required('ints'),
  nodes_truenodeids: required('ints'),
  nodes_values: floats(),
  nodes_values_as_tensor: tensor(),
};

export type NumberedNode = NodeView<AttributesOf<typeof numberedAttributes>>;

/** For each contribution the leaf that makes it, by tree and number, its target and its weight. */
export interface Contributions {
  readonly treeIds: Ints;
  readonly nodeIds: Ints;
  readonly targets: Ints;
  readonly weights: readonly number[];
}

export function numberedForest(n: NumberedNode, given: Contributions, targets: number): Forest {
  const { attributes: a } = n;
  const values = a.nodes_values_as_tensor
    ? elementsOf(n, 'nodes_values_as_tensor', a.nodes_values_as_tensor)
    : (a.nodes_values ?? []);
  const key = (tree: number | undefined, node: number | undefined) => `${tree} ${node}`;
  const contributions = new Map<string, number[]>();
  given.nodeIds.forEach((node, i) => {
    const leaf = key(given.treeIds[i], node);
    contributions.set(leaf, [...(contributions.get(leaf) ?? []), i]);
  });
  const childOf = new Map<string, number>();
  const inner: number[] = [];
  const order: number[] = [];
  const leaves: [number, number][] = [];
  a.nodes_nodeids.forEach((node, i) => {
    const name = key(a.nodes_treeids[i], node);
    if (a.nodes_modes[i] === 'LEAF') {
      const own = contributions.get(name) ?? [];
      childOf.set(name, -1 - leaves.length);
      leaves.push([order.length, order.length + own.length]);
      order.push(...own);
    } else {
      childOf.set(name, inner.length);
      inner.push(i);
    }
  });
  const child = (i: number, ids: Ints) =>
    childOf.get(key(a.nodes_treeids[i], ids[i])) ?? n.fail(`has a node that leads to ${ids[i]}, which is none`);
  const trueChildren = inner.map((i) => child(i, a.nodes_truenodeids));
  const falseChildren = inner.map((i) => child(i, a.nodes_falsenodeids));
  // A tree's root is the first of its nodes that no other leads to.
  const children = new Set([...trueChildren, ...falseChildren]);
  const roots = new Map<number, number>();
  a.nodes_nodeids.forEach((node, i) => {
    const tree = a.nodes_treeids[i] as number;
    const at = childOf.get(key(tree, node)) as number;
    if (!roots.has(tree) && !children.has(at)) roots.set(tree, at);
  });
  if (roots.size !== new Set(a.nodes_treeids).size) n.fail('has a tree without a root');
  const forest: Forest = {
    roots: [...roots.values()],
    features: inner.map((i) => a.nodes_featureids[i] as number),
    modes: inner.map((i) =>
      (comparisons as readonly string[]).indexOf(a.nodes_modes[i]?.slice('BRANCH_'.length) ?? ''),
    ),
    splits: inner.map((i) => values[i] ?? 0),
    trueChildren,
    falseChildren,
    missingIsTrue: inner.map((i) => a.nodes_missing_value_tracks_true?.[i] ?? 0),
    sets: inner.map(() => [0, 0]),
    members: [],
    leaves,
    targets: order.map((i) => given.targets[i] as number),
    weights: order.map((i) => given.weights[i] as number),
  };
  return checked(n, forest, targets);
}

function checked(n: NodeView, forest: Forest, targets: number): Forest {
  const { dims } = n.input(0);
  if (dims.length !== 2) n.fail(`reads rows of features, but its input has the shape ${formatDims(dims)}`);
  const problem = checkForest(forest, dims[1] as number, targets);
  return problem ? n.fail(problem) : forest;
}
