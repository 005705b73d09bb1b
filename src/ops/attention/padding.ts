// The masks of ONNX Runtime's attention operators, which tell padding from keys: by numbers of keys [batch], by
// their ends and starts [2 * batch], or by elements that are zero at padding, [batch, keys], [batch, queries, keys]
// or [batch, 1, longest, longest]. Padding gets `filter` added to its scores; it is not hidden altogether.

import { int64s, type NDArray, ndarray, scalar } from '../../base/ndarray';
import { formatDims, sameDims } from '../../base/shape';
import type { NodeView, TensorType } from '../../ir/node-view';
import type { Nodes } from './decompose';

interface Sizes {
  readonly batch: number;
  readonly queries: number;
  /** Earlier ones included. */
  readonly keys: number;
  readonly past: number;
}

export interface Padding {
  readonly form: 'ends' | 'ranges' | 'keys' | 'pairs' | 'square';
  readonly sizes: Sizes;
  /** Of what is added to the scores. */
  readonly dims: readonly number[];
  readonly filter: number;
  readonly type: TensorType;
}

export function paddingOf(n: NodeView, type: TensorType, sizes: Sizes, filter: number): Padding {
  const { batch, queries, keys } = sizes;
  const is = (...dims: number[]) => sameDims(type.dims, dims);
  const own = type.dims.at(-1) ?? 0;
  const byKey = { sizes, dims: [batch, 1, 1, keys], filter, type };
  const byPair = { sizes, dims: [batch, 1, queries, keys], filter, type };
  if (is(batch)) return { form: 'ends', ...byKey };
  if (is(2 * batch)) return { form: 'ranges', ...byKey };
  if (is(batch, keys)) return { form: 'keys', ...byKey };
  if (is(batch, queries, keys)) return { form: 'pairs', ...byPair };
  if (is(batch, 1, own, own) && own >= keys) return { form: 'square', ...byPair };
  return n.fail(
    `has a mask of shape ${formatDims(type.dims)}; expected [${batch}], [${2 * batch}], [${batch}, ${keys}] or [${batch}, ${queries}, ${keys}]`,
    'UNSUPPORTED_MODEL',
  );
}

/** What is added to the score of a key. */
export function paddingAt(p: Padding, mask: NDArray, b: number, i: number, key: number): number {
  const { batch, queries, keys, past } = p.sizes;
  const at = (index: number) => mask.data[index] as number;
  const own = p.type.dims.at(-1) as number;
  const kept = {
    ends: () => key < at(b),
    ranges: () => key < at(b) && key >= at(batch + b),
    keys: () => at(b * keys + key) > 0,
    pairs: () => at((b * queries + i) * keys + key) > 0,
    square: () => at((b * own + past + i) * own + key) > 0,
  }[p.form]();
  return kept ? 0 : p.filter;
}

/** The name of what is added to the scores, of shape `dims`. */
export function paddingNode(p: Padding, b: Nodes, mask: string, like: TensorType): string {
  const { batch, queries, keys, past } = p.sizes;
  const one = (op: string, inputs: string[], with_: Record<string, number> = {}) =>
    b.add(op, inputs, with_)[0] as string;
  const list = (...values: number[]) => b.constant(int64s(values));
  const number = (value: number) => b.constant(scalar(p.type.dtype, value));
  const positions = () =>
    b.constant(
      ndarray(
        p.type.dtype,
        [1, keys],
        Array.from({ length: keys }, (_, i) => i),
      ),
    );
  const column = (start: number) =>
    one('Reshape', [one('Slice', [mask, list(start), list(start + batch), list(0)]), list(batch, 1)]);
  const positive = (name: string) => one('Greater', [name, number(0)]);
  const kept = {
    ends: () => one('Less', [positions(), column(0)]),
    ranges: () =>
      one('And', [one('Less', [positions(), column(0)]), one('GreaterOrEqual', [positions(), column(batch)])]),
    keys: () => positive(mask),
    pairs: () => positive(mask),
    square: () => positive(one('Slice', [mask, list(past, 0), list(past + queries, keys), list(2, 3)])),
  }[p.form]();
  const [zero, filter] = [0, p.filter].map((x) => b.constant(scalar(like.dtype, x))) as [string, string];
  return one('Where', [one('Reshape', [kept, list(...p.dims)]), zero, filter]);
}
