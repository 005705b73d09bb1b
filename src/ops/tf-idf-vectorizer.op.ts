// TfIdfVectorizer of integers: how often each n-gram of a pool stands in each row of the input, [n] or [rows, n];
// output [columns] or [rows, columns] of float32. The tokens of an n-gram may lie up to max_skip_count further
// apart than side by side, all equally far.

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims } from '../base/shape';
import { type AttributesOf, floats, ints, required, strings } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

const attributes = {
  max_gram_length: required('int'),
  max_skip_count: required('int'),
  min_gram_length: required('int'),
  mode: required('string'),
  ngram_counts: required('ints'),
  ngram_indexes: required('ints'),
  pool_int64s: ints(),
  pool_strings: strings(),
  weights: floats(),
};

type View = NodeView<AttributesOf<typeof attributes>>;

/** A token behind those before it; `gram` is the n-gram that ends here, if one does. */
interface Branch {
  gram?: number;
  readonly next: Map<number, Branch>;
}

function poolTree(n: View): Branch {
  const pool = n.attributes.pool_int64s ?? n.fail('matches strings; Lepton has integers only', 'UNSUPPORTED_MODEL');
  const { ngram_counts: starts, ngram_indexes } = n.attributes;
  const root: Branch = { next: new Map() };
  let gram = 0;
  starts.forEach((start, i) => {
    const end = starts[i + 1] ?? pool.length;
    const length = i + 1;
    if (start > end || end > pool.length || (end - start) % length !== 0) {
      n.fail(`has ngram_counts ${formatDims(starts)} that do not divide its pool of ${pool.length} tokens`);
    }
    for (let at = start; at < end; at += length, gram++) {
      let branch = root;
      for (const token of pool.slice(at, at + length)) {
        const next: Branch = branch.next.get(token) ?? { next: new Map() };
        branch.next.set(token, next);
        branch = next;
      }
      branch.gram = gram;
    }
  });
  if (gram !== ngram_indexes.length) n.fail(`has ${gram} n-grams, but ${ngram_indexes.length} ngram_indexes`);
  return root;
}

/** Calls `found` with every n-gram of the pool that stands in the row. */
function match(n: View, root: Branch, row: NDArray['data'], found: (gram: number) => void): void {
  const { min_gram_length, max_gram_length, max_skip_count } = n.attributes;
  for (let distance = 1; distance <= Math.min(max_skip_count + 1, row.length); distance++) {
    // A single token is no further from itself: it counts once.
    const shortest = distance === 1 ? min_gram_length : Math.max(2, min_gram_length);
    for (let start = 0; start < row.length; start++) {
      let branch: Branch | undefined = root;
      for (let length = 1, at = start; length <= max_gram_length && at < row.length; length++, at += distance) {
        branch = branch.next.get(row[at] as number);
        if (!branch) break;
        if (length >= shortest && branch.gram !== undefined) found(branch.gram);
      }
    }
  }
}

function outputDims(n: View): number[] {
  const { dtype, dims } = n.input(0);
  if (dtype !== 'int32' && dtype !== 'int64') n.fail(`reads ${dtype}; expected int32 or int64`);
  if (dims.length < 1 || dims.length > 2) n.fail('needs an input of rank 1 or 2');
  return [...dims.slice(0, -1), n.attributes.ngram_indexes.reduce((most, i) => Math.max(most, i), -1) + 1];
}

export default defineOp({
  name: 'TfIdfVectorizer',
  host: 'it looks words up in a dictionary',
  attributes,
  infer: (n) => [{ dtype: 'float32', dims: outputDims(n) }],
  reference(n, [x]) {
    const { data, dims } = x ?? n.fail('lacks its input');
    const { mode, ngram_indexes, weights } = n.attributes;
    const tree = poolTree(n);
    const out = ndarray('float32', outputDims(n));
    const columns = out.dims.at(-1) as number;
    const length = dims.at(-1) as number;
    for (let row = 0; row * length < data.length; row++) {
      match(n, tree, data.subarray(row * length, (row + 1) * length), (gram) => {
        const to = row * columns + (ngram_indexes[gram] as number);
        const weight = mode === 'TF' ? 1 : (weights?.[gram] ?? 1);
        out.data[to] = mode === 'IDF' ? weight : (out.data[to] as number) + weight;
      });
    }
    return [out];
  },
});

const pool = {
  ngram_counts: [0, 4],
  ngram_indexes: [0, 1, 2, 3, 4, 5, 6],
  pool_int64s: [2, 3, 5, 4, 5, 6, 7, 8, 6, 7],
  max_gram_length: 2,
  min_gram_length: 1,
};
const weights = [1, 2, 3, 4, 5, 6, 7];
const rows = { dims: [2, 6], dtype: 'int32' as const, values: [1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8], constant: true };
export const cases: OpCase[] = [
  { name: 'frequencies', inputs: [rows], attributes: { ...pool, mode: 'TF', max_skip_count: 5 } },
  {
    name: 'weights of what is there',
    inputs: [rows],
    attributes: { ...pool, mode: 'IDF', max_skip_count: 0, weights },
  },
  {
    name: 'weighted, pairs only, one row',
    inputs: [{ ...rows, dims: [12], dtype: 'int64' }],
    attributes: { ...pool, mode: 'TFIDF', min_gram_length: 2, max_skip_count: 0, weights },
  },
];
