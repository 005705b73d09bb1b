// Unique: the distinct elements of a tensor, or its distinct slices along an axis, sorted or in the order they
// first stand in; with the place where each stands first, which of them each one is, and how many of each there
// are. Slices are compared element by element; NaN equals NaN and sorts behind all numbers.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { compareNumbers } from './order';

type View = NodeView<{ readonly axis: number | undefined; readonly sorted: number }>;

/** The slices as [outer, count, inner]: without an axis each element is one. */
function slicesOf(n: View) {
  const { dims } = n.input(0);
  if (n.attributes.axis === undefined)
    return { outer: 1, count: sizeOf(dims), inner: 1, dims: [sizeOf(dims)], axis: 0 };
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const [outer, inner] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis + 1))];
  return { outer, count: dims[axis] as number, inner, dims, axis };
}

interface Group {
  /** The slice that stands first. */
  readonly first: number;
  readonly members: number[];
}

function groups(n: View, { data }: NDArray): Group[] {
  const { outer, count, inner } = slicesOf(n);
  const compare = (a: number, b: number): number => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const [x, y] = [data[(o * count + a) * inner + i] as number, data[(o * count + b) * inner + i] as number];
        const order = compareNumbers(x, y);
        if (order !== 0) return order;
      }
    }
    return 0;
  };
  const found: Group[] = [];
  for (const slice of Array.from({ length: count }, (_, i) => i).sort((a, b) => compare(a, b) || a - b)) {
    const last = found.at(-1);
    if (last && compare(last.first, slice) === 0) last.members.push(slice);
    else found.push({ first: slice, members: [slice] });
  }
  return n.attributes.sorted ? found : found.sort((a, b) => a.first - b.first);
}

export default defineOp({
  name: 'Unique',
  host: 'how many elements differ is known from the data only',
  attributes: { axis: int(), sorted: int(1) },
  infer(n) {
    const { dims, axis, count } = slicesOf(n);
    const distinct = groups(n, n.constant(0) ?? n.fail('lacks its input')).length;
    const places = (size: number) => ({ dtype: 'int64', dims: [size] }) as const;
    return [
      { dtype: n.input(0).dtype, dims: dims.with(axis, distinct) },
      places(distinct),
      places(count),
      places(distinct),
    ];
  },
  reference(n, [x]) {
    const input = x ?? n.fail('lacks its input');
    const { outer, count, inner, dims, axis } = slicesOf(n);
    const found = groups(n, input);
    const values = ndarray(input.dtype, dims.with(axis, found.length));
    const inverse = ndarray('int64', [count]);
    found.forEach(({ first, members }, g) => {
      for (const slice of members) inverse.data[slice] = g;
      for (let o = 0; o < outer; o++) {
        const from = (o * count + first) * inner;
        values.data.set(input.data.subarray(from, from + inner), (o * found.length + g) * inner);
      }
    });
    return [values, int64s(found.map((g) => g.first)), inverse, int64s(found.map((g) => g.members.length))];
  },
});

const given = (dims: number[], ...values: number[]) => ({ dims, values, constant: true });
export const cases: OpCase[] = [
  { name: 'sorted', inputs: [given([6], 2, 1, 1, 3, 4, 3)], outputs: 4 },
  { name: 'in order of appearance', inputs: [given([2, 3], 2, 1, 1, 3, 4, 3)], attributes: { sorted: 0 }, outputs: 4 },
  { name: 'not a number', inputs: [given([5], Number.NaN, 1, Number.NaN, -Infinity, 1)], outputs: 4 },
  { name: 'rows', inputs: [given([4, 2], 1, 0, 1, 0, 0, 2, 2, 3)], attributes: { axis: 0 }, outputs: 4 },
  {
    name: 'columns of a cube',
    inputs: [given([2, 3, 2], 1, 1, 0, 1, 1, 1, 2, 1, 0, 1, 2, 1)],
    attributes: { axis: -2, sorted: 0 },
    outputs: 4,
  },
];
