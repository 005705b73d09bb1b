// What an ensemble of decision trees computes, whichever operator described it: on the host row by row, and on the
// GPU through lepton.TreeLeaves and lepton.TreeSum.

import { type NDArray, ndarray } from '../../base/ndarray';
import { numberOfDType } from '../../base/onnx-dtypes';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { type Aggregate, type Forest, scoresOf } from './forest';
import { type PostTransform, transformRow } from './post-transform';

/** What an ensemble does to a row, whichever operator described it. */
export interface Ensemble {
  readonly forest: Forest;
  readonly targets: number;
  readonly aggregate: Aggregate;
  /** Added to every score; one for all or one a target. */
  readonly base: readonly number[];
  readonly transform: PostTransform;
}

export function rowScores(
  { forest, targets, aggregate, base }: Ensemble,
  { data, dims }: NDArray,
  row: number,
): number[] {
  const width = dims[1] as number;
  const scores = scoresOf(forest, targets, aggregate, (i) => data[row * width + i] as number);
  return scores.map((score, t) => Math.fround(score + (base[t] ?? base[0] ?? 0)));
}

/** Scores [rows, targets] of float32, before the transform. */
export function lowerScores(n: NodeView, b: LowerBuilder, { forest: f, targets, aggregate, base }: Ensemble): string {
  const add = (op: string, inputs: readonly string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const { dtype } = n.input(0);
  const x = n.node.inputs[0] as string;
  const features = dtype === 'float32' || dtype === 'float16' ? x : add('Cast', [x], { to: numberOfDType('float32') });
  // A buffer without elements cannot be bound.
  const int32s = (...values: number[]) =>
    b.constant(ndarray('int32', [Math.max(1, values.length)], values.length > 0 ? values : [0]));
  const float32s = (values: readonly number[]) =>
    b.constant(ndarray('float32', [Math.max(1, values.length)], values.length > 0 ? values : [0]));
  const nodes = f.features.flatMap((feature, i) => [
    feature,
    (f.modes[i] as number) + (f.missingIsTrue[i] ? 8 : 0),
    f.trueChildren[i] as number,
    f.falseChildren[i] as number,
    ...(f.sets[i] as readonly [number, number]),
  ]);
  const roots = b.constant(ndarray('int32', [f.roots.length], f.roots));
  const leaves = add('lepton.TreeLeaves', [features, roots, int32s(...nodes), float32s(f.splits), float32s(f.members)]);
  const contributions = [int32s(...f.leaves.flat()), int32s(...f.targets), float32s(f.weights)];
  const scores = add('lepton.TreeSum', [leaves, ...contributions], { targets, aggregate });
  return base.length > 0 ? add('Add', [scores, float32s(base)]) : scores;
}

export function scoresArray(n: NodeView, x: NDArray, ensemble: Ensemble, dtype: NDArray['dtype']): NDArray {
  const rows = n.input(0).dims[0] as number;
  const scores = Array.from({ length: rows }, (_, row) =>
    transformRow(ensemble.transform, rowScores(ensemble, x, row)),
  );
  return ndarray(dtype, [rows, ensemble.targets], scores.flat());
}
