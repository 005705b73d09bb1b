// Decision trees in the one form that kernels walk. A node compares one feature of a row with its split and goes
// on to a child; a child below zero is the leaf with the number -1 - child. A leaf has a run of contributions,
// each a weight for one target. Invariant (see `checkForest`): every walk ends, and every number is in range.

/** Comparisons by their numbers in TreeEnsemble: the feature is ≤, <, ≥, >, = or ≠ the split, or in a set. */
export const comparisons = ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ', 'MEMBER'] as const;

export interface Forest {
  /** For each tree its root, a child like any other. */
  readonly roots: readonly number[];
  readonly features: readonly number[];
  readonly modes: readonly number[];
  readonly splits: readonly number[];
  readonly trueChildren: readonly number[];
  readonly falseChildren: readonly number[];
  /** 1 where a missing feature (NaN) goes to the true child. */
  readonly missingIsTrue: readonly number[];
  /** For each node the place of its set in `members`, first and behind the last; empty but for MEMBER. */
  readonly sets: readonly (readonly [number, number])[];
  readonly members: readonly number[];
  /** For each leaf the place of its contributions, first and behind the last. */
  readonly leaves: readonly (readonly [number, number])[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
}

/** @returns what is wrong with the trees, for a row of `features` and outputs of `targets`; undefined if nothing */
export function checkForest(f: Forest, features: number, targets: number): string | undefined {
  const count = f.features.length;
  const lists = [f.modes, f.splits, f.trueChildren, f.falseChildren, f.missingIsTrue, f.sets];
  if (lists.some((list) => list.length !== count)) return 'describes its nodes in lists of different lengths';
  if (f.targets.length !== f.weights.length) return 'has other numbers of targets and of weights';
  if (f.features.some((i) => !(i >= 0 && i < features))) return `compares a feature beyond the ${features} of a row`;
  if (f.targets.some((i) => !(i >= 0 && i < targets))) return `adds to a target beyond its ${targets}`;
  if (f.modes.some((mode) => !(mode in comparisons))) return 'has a node with a mode that ONNX does not define';
  const isChild = (child: number) => Number.isInteger(child) && child < count && child >= -f.leaves.length;
  if (![...f.roots, ...f.trueChildren, ...f.falseChildren].every(isChild)) return 'names a node or leaf it lacks';
  return walksEnd(f) ? undefined : 'has trees that lead back into themselves';
}

/** Depth first, with nodes marked while their children are being visited. */
function walksEnd({ roots, features, trueChildren, falseChildren }: Forest): boolean {
  const state = new Uint8Array(features.length); // 1: children being visited; 2: done
  const stack = roots.filter((root) => root >= 0);
  while (stack.length > 0) {
    const node = stack.at(-1) as number;
    if (state[node] !== 0) {
      state[node] = 2;
      stack.pop();
      continue;
    }
    state[node] = 1;
    for (const child of [trueChildren[node] as number, falseChildren[node] as number]) {
      if (child < 0) continue;
      if (state[child] === 1) return false;
      if (state[child] === 0) stack.push(child);
    }
  }
  return true;
}

/** The leaf that a row ends at. */
export function leafOf(f: Forest, tree: number, feature: (i: number) => number): number {
  let at = f.roots[tree] as number;
  while (at >= 0) {
    const value = feature(f.features[at] as number);
    at = (passes(f, at, value) ? f.trueChildren[at] : f.falseChildren[at]) as number;
  }
  return -1 - at;
}

function passes(f: Forest, node: number, value: number): boolean {
  const split = f.splits[node] as number;
  if (f.missingIsTrue[node] && Number.isNaN(value)) return true;
  switch (comparisons[f.modes[node] as number]) {
    case 'LEQ':
      return value <= split;
    case 'LT':
      return value < split;
    case 'GTE':
      return value >= split;
    case 'GT':
      return value > split;
    case 'EQ':
      return value === split;
    case 'NEQ':
      return value !== split;
    case 'MEMBER': {
      const [start, end] = f.sets[node] as readonly [number, number];
      return f.members.slice(start, end).includes(value) && !Number.isNaN(value);
    }
    default:
      return false;
  }
}

/** Ways to join what the trees contribute to a target, by their numbers in TreeEnsemble. */
export const aggregates = ['AVERAGE', 'SUM', 'MIN', 'MAX'] as const;
export type Aggregate = (typeof aggregates)[number];

/** One row's score for each target; a target without a contribution has 0. */
export function scoresOf(f: Forest, targets: number, how: Aggregate, feature: (i: number) => number): number[] {
  const scores = new Array<number | undefined>(targets).fill(undefined);
  f.roots.forEach((_, tree) => {
    const [start, end] = f.leaves[leafOf(f, tree, feature)] as readonly [number, number];
    for (let i = start; i < end; i++) {
      const target = f.targets[i] as number;
      const [before, weight] = [scores[target], f.weights[i] as number];
      if (before === undefined) scores[target] = weight;
      else if (how === 'MIN') scores[target] = Math.min(before, weight);
      else if (how === 'MAX') scores[target] = Math.max(before, weight);
      // In float32, as on the GPU: which class is ahead may hang on it.
      else scores[target] = Math.fround(before + weight);
    }
  });
  return scores.map((score = 0) => (how === 'AVERAGE' ? Math.fround(score / f.roots.length) : score));
}
