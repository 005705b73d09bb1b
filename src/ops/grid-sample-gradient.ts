// GridSample's backward rule. The taps of all samples are listed with their places and weights: the input's gradient adds up
// at the places what each tap has passed on, the grid's mixes what lies there by how the weights change. Where a tap meets
// another place, at whole coordinates, the slope is that of the side above.

import { int64s, ndarray } from '../base/ndarray';
import { sizeOf, stridesOf } from '../base/shape';
import type { OpDef } from '../ir/opdef';
import { Formula, reshape } from './gradient';
import { cubicA, farthest, type Mode, optionsOf, type Padding, reach, type View } from './grid-sample-taps';

/** Along one axis, by tap: [batch, taps, spots]. */
interface Taps {
  /** Numbers without a fraction, within the axis. */
  readonly places: string;
  /** 0 where the place counts as zero. */
  readonly weights: string;
  /** Of the weights, by the coordinate. */
  readonly slopes: string | undefined;
  /** Coordinates that the grid's [-1, 1] is twice as long as. */
  readonly stretch: number;
}

/** A polynomial by its coefficients, the constant last. */
const polynomial = (f: Formula, x: string, [first = 0, ...rest]: readonly number[]) =>
  rest.reduce((sum: string | number, c) => f.add(f.mul(x, sum), c), first) as string;

const a = cubicA;
const near = [a + 2, -(a + 3), 0, 1];
const far = [a, -5 * a, 8 * a, -4 * a];
const derivative = (coefficients: readonly number[]) =>
  coefficients.slice(0, -1).map((c, i) => c * (coefficients.length - 1 - i));

function tapsOf(f: Formula, coordinate: string, size: number, mode: Mode, padding: Padding, aligned: boolean): Taps {
  const { b } = f;
  const { dtype, dims } = b.type(coordinate);
  const [batch, , spots] = dims as [number, number, number];
  const [count, first] = reach[mode];
  const offsets = Array.from({ length: count }, (_, i) => first + i);
  const list = (of: (offset: number) => number) => b.constant(ndarray(dtype, [1, count, 1], offsets.map(of)));
  const start = f.of(mode === 'nearest' ? 'Round' : 'Floor', coordinate);
  const at = f.add(
    start,
    list((offset) => offset),
  );
  // Which side of the coordinate a tap lies on is known: only at 0 they meet.
  const side = list((offset) => (offset <= 0 ? -1 : 1));
  const distance = f.mul(f.sub(at, coordinate), side);
  const stretch = (aligned ? size - 1 : size) / 2;
  const ones = b.add('Expand', [f.number(1), b.constant(int64s([batch, count, spots]))])[0] as string;
  const cubic = (inner: readonly number[], outer: readonly number[]) => {
    const isInner = f.greater(
      list((offset) => Number(offset === 0 || offset === 1)),
      0,
    );
    return f.choose(isInner, polynomial(f, distance, inner), polynomial(f, distance, outer));
  };
  const weights = { nearest: () => ones, linear: () => f.sub(1, distance), cubic: () => cubic(near, far) }[mode]();
  const slopes = {
    nearest: () => undefined,
    linear: () => f.mul(ones, side),
    cubic: () => f.neg(f.mul(cubic(derivative(near), derivative(far)), side)),
  }[mode]();
  if (padding === 'zeros') {
    const inside = f.of('And', f.greater(at, -0.5), f.less(at, size - 0.5));
    const kept = { weights: f.keep(inside, weights), slopes: slopes && f.keep(inside, slopes) };
    return { places: f.of('Clip', at, 0, size - 1), ...kept, stretch };
  }
  if (padding === 'border') return { places: f.of('Clip', at, 0, size - 1), weights, slopes, stretch };
  const period = Math.max(1, aligned ? 2 * (size - 1) : 2 * size);
  const turn = f.sub(at, f.mul(f.of('Floor', f.div(at, period)), period));
  const mirrored = f.of('Min', turn, f.sub(aligned ? period : period - 1, turn));
  return { places: f.of('Clip', mirrored, 0, size - 1), weights, slopes, stretch };
}

export const gridSampleGrad: NonNullable<OpDef<never, View['attributes']>['grad']> = (n, b, [gradient]) => {
  if (gradient === undefined) return [];
  const [x, grid] = n.node.inputs as [string, string];
  const { mode, padding, aligned } = optionsOf(n);
  const { dtype, dims } = n.input(0);
  const [batch = 0, channels = 0, ...sizes] = dims;
  const rank = sizes.length;
  const spots = sizeOf(n.output(0).dims.slice(2));
  const { dtype: gridType, dims: gridDims } = n.input(1);
  // Half the precision would not tell the places of a large image apart.
  const f = new Formula(b, gridType === 'float16' ? 'float32' : gridType);
  const components = reshape(b, f.like(grid, gridType === 'float16' ? 'float32' : gridType), [batch, 1, spots, rank]);
  const axes = sizes.map((size, d): Taps => {
    const g = f.node('Gather', [components, b.constant(int64s([rank - 1 - d]))], { axis: 3 });
    const from = f.add(reshape(b, g, [batch, 1, spots]), 1);
    const exact = aligned ? f.mul(from, (size - 1) / 2) : f.mul(f.sub(f.mul(from, size), 1), 0.5);
    return tapsOf(f, f.of('Clip', exact, -farthest, farthest), size, mode, padding, aligned);
  });
  /** [batch, taps of the first axis, of the second …, spots]: those of axis `d` repeated along the others. */
  const along = (value: string, d: number) =>
    reshape(b, value, [batch, ...sizes.map((_, i) => (i === d ? reach[mode][0] : 1)), spots]);
  const product = (factors: readonly string[]) => factors.reduce((all, factor) => f.mul(all, factor));

  const taps = reach[mode][0] ** rank;
  const strides = stridesOf(sizes);
  const places = axes
    .map((axis, d) => along(f.mul(axis.places, strides[d] as number), d))
    .reduce((sum, part) => f.add(sum, part));
  const indices = reshape(b, f.node('Cast', [places], { to: 6 }), [batch, taps * spots]);
  // Channels last: a tap passes on all of them at one place.
  const lines = (value: string, count: number) =>
    f.node('Transpose', [reshape(b, value, [batch, channels, count])], { perm: [0, 2, 1] });
  const given = reshape(b, lines(gradient, spots), [batch, 1, spots, channels]);

  const weights = product(axes.map((axis, d) => along(axis.weights, d)));
  const passed = f.mul(given, f.like(reshape(b, weights, [batch, taps, spots, 1]), dtype));
  const [sums] = b.add('lepton.GatherGradient', [indices, reshape(b, passed, [batch, taps * spots, channels])], {
    size: sizeOf(sizes),
  }) as [string];
  const dx = reshape(b, f.node('Transpose', [sums], { perm: [0, 2, 1] }), dims);
  if (axes.some(({ slopes }) => slopes === undefined)) return [dx, undefined];

  const sets = reshape(b, indices, [batch, taps * spots, 1]);
  const there = f.node('GatherND', [lines(x, sizeOf(sizes)), sets], { batch_dims: 1 });
  const last = b.constant(int64s([-1]));
  const shares = f.node('ReduceSum', [f.mul(given, reshape(b, there, [batch, taps, spots, channels])), last], {
    keepdims: 0,
  });
  const owned = reshape(b, f.like(shares, b.type(weights).dtype), [batch, ...sizes.map(() => reach[mode][0]), spots]);
  const parts = axes.map(({ slopes, stretch }, d) => {
    const changes = product(axes.map((axis, i) => along(i === d ? (slopes as string) : axis.weights, i)));
    const all = reshape(b, f.mul(owned, changes), [batch, taps, spots]);
    const sum = f.node('ReduceSum', [all, b.constant(int64s([1]))], { keepdims: 0 });
    return reshape(b, f.mul(sum, stretch), [batch, spots, 1]);
  });
  const dgrid = rank === 1 ? (parts[0] as string) : f.node('Concat', parts.reverse(), { axis: 2 });
  return [dx, f.like(reshape(b, dgrid, gridDims), gridType)];
};
