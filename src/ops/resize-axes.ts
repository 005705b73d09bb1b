// The arithmetic of Resize, axis by axis: output size, where each output element falls in the input, and
// which input elements it is mixed from with what weights. Coordinates are rounded to float32 at every step,
// as runtimes compute them: at the border between two elements the rounding decides which is nearest.

import { formatDims } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { axesOf } from './axes';

export interface ResizeAttributes {
  readonly antialias: number;
  readonly axes: readonly number[] | undefined;
  readonly coordinate_transformation_mode: string;
  readonly cubic_coeff_a: number;
  readonly exclude_outside: number;
  readonly extrapolation_value: number;
  readonly keep_aspect_ratio_policy: string;
  readonly mode: string;
  readonly nearest_mode: string;
}

export type ResizeView = NodeView<ResizeAttributes>;

export interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly out: number;
  /** Coordinate in the input of output element `x`: x × scale + shift. */
  readonly scale: number;
  readonly shift: number;
  /** Input elements that each output element is mixed from. */
  readonly taps: number;
  /** For each output element its taps' positions, -1 where the result is the extrapolation value. */
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

const f32 = Math.fround;

interface Extent {
  readonly axis: number;
  readonly size: number;
  readonly out: number;
  /** size × scale before it is rounded down to `out`: what coordinate transformations go by. */
  readonly length: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
}

/** Axes in the order of the operator's own `axes`, with output sizes and scales settled. */
function extents(n: ResizeView): Extent[] {
  const { dims } = n.input(0);
  const axes = axesOf(n, n.attributes.axes ?? dims.map((_, i) => i), dims.length);
  const given = (i: number) => {
    const list = n.numbers(i);
    if (!list?.length) return undefined;
    if (list.length !== axes.length)
      n.fail(`has ${list.length} ${i === 2 ? 'scales' : 'sizes'} for ${axes.length} axes`);
    return list;
  };
  const crops = n.attributes.coordinate_transformation_mode === 'tf_crop_and_resize';
  const rois = crops ? (n.numbers(1) ?? n.fail('crops, but lacks its roi (input 1)')) : [];
  if (crops && rois.length !== 2 * axes.length) n.fail(`has ${rois.length} numbers as roi for ${axes.length} axes`);
  const scales = given(2);
  const sizes = given(3);
  if ((scales === undefined) === (sizes === undefined)) n.fail('needs either scales (input 2) or sizes (input 3)');
  if (scales?.some((s) => !(s > 0))) n.fail(`has scales ${formatDims(scales)}; expected positive ones`);
  const common = commonScale(
    n,
    axes.map((axis) => dims[axis] as number),
    sizes,
  );
  return axes.map((axis, i) => {
    const size = dims[axis] as number;
    const own = scales?.[i] as number;
    const out = scales
      ? Math.floor(f32(size * own))
      : common
        ? Math.floor(common * size + 0.5)
        : (sizes?.[i] as number);
    const scale = scales ? own : f32(common ?? f32(out) / f32(size));
    const length = scales || common ? f32(size * scale) : out;
    const roi = crops ? ([rois[i] as number, rois[i + axes.length] as number] as const) : ([0, 1] as const);
    return { axis, size, out, length, scale, roi };
  });
}

function commonScale(n: ResizeView, from: readonly number[], to: readonly number[] | undefined): number | undefined {
  const policy = n.attributes.keep_aspect_ratio_policy;
  if (!to || policy === 'stretch') return undefined;
  const scales = to.map((size, i) => size / (from[i] as number));
  if (policy === 'not_larger') return Math.min(...scales);
  if (policy === 'not_smaller') return Math.max(...scales);
  return n.fail(`has the keep_aspect_ratio_policy "${policy}"`);
}

export function resizedDims(n: ResizeView): number[] {
  const dims = [...n.input(0).dims];
  for (const { axis, out } of extents(n)) dims[axis] = out;
  return dims;
}

/** Scale and shift of the coordinate transformation. */
function transformation(n: ResizeView, { size, out, length, scale, roi }: Extent): [scale: number, shift: number] {
  const mode = n.attributes.coordinate_transformation_mode;
  switch (mode) {
    case 'half_pixel':
      return [1 / scale, 0.5 / scale - 0.5];
    case 'pytorch_half_pixel':
      return out > 1 ? [1 / scale, 0.5 / scale - 0.5] : [0, 0];
    case 'half_pixel_symmetric': {
      const adjustment = out / (scale * size);
      return [1 / scale, (size / 2) * (1 - adjustment) + 0.5 / scale - 0.5];
    }
    case 'asymmetric':
      return [1 / scale, 0];
    // Of opsets 11 and 12.
    case 'tf_half_pixel_for_nn':
      return [1 / scale, 0.5 / scale];
    case 'align_corners':
      return length > 1 ? [(size - 1) / (length - 1), 0] : [0, 0];
    case 'tf_crop_and_resize': {
      const [start, end] = roi;
      return length > 1
        ? [((end - start) * (size - 1)) / (length - 1), start * (size - 1)]
        : [0, 0.5 * (start + end) * (size - 1)];
    }
    default:
      return n.fail(`has the coordinate_transformation_mode "${mode}"`);
  }
}

/** The coordinate of output element `x`, in the order of operations that float32 runtimes use. */
function coordinate(n: ResizeView, extent: Extent, x: number): number {
  const { size, out, length, scale } = extent;
  const mode = n.attributes.coordinate_transformation_mode;
  if (mode === 'asymmetric') return f32(x / scale);
  if (mode === 'align_corners') return length > 1 ? f32(f32(x * (size - 1)) / f32(length - 1)) : 0;
  if (mode === 'half_pixel' || (mode === 'pytorch_half_pixel' && out > 1)) return f32(f32((x + 0.5) / scale) - 0.5);
  const [factor, shift] = transformation(n, extent);
  return f32(x * factor + shift);
}

/** Every output position lists its taps while planning; more than these no picture has. */
const mostTaps = 1 << 22;

/** How many elements an output element is mixed from. */
function tapsOf(n: ResizeView, { scale }: Extent): number {
  return n.attributes.mode === 'nearest' ? 1 : 2 - 2 * firstTap(n, scale);
}

/** The axes that change anything; throws through `n.fail` where the attributes make no sense. */
export function resizeAxes(n: ResizeView): Axis[] {
  return extents(n).flatMap((extent) => {
    const { axis, size, out } = extent;
    const reach = tapsOf(n, extent);
    if (!(out * reach <= mostTaps)) {
      n.fail(
        `would mix ${reach} elements for each of ${out} along axis ${axis}, too many to list`,
        'UNSUPPORTED_MODEL',
      );
    }
    const rows = Array.from({ length: out }, (_, x) => tapsAt(n, extent, coordinate(n, extent, x)));
    const taps = rows[0]?.length ?? 1;
    const unchanged = size === out && rows.every((row, x) => row.every(([i, w]) => i === x || w === 0));
    if (unchanged) return [];
    const [scale, shift] = transformation(n, extent);
    const flat = rows.flat();
    return [{ axis, size, out, scale, shift, taps, indices: flat.map(([i]) => i), weights: flat.map(([, w]) => w) }];
  });
}

type Tap = [index: number, weight: number];

/** Antialiasing widens the filter where the result is smaller than the input. */
function stretchOf({ attributes }: ResizeView, scale: number): number {
  return attributes.antialias ? Math.min(scale, 1) : 1;
}

/** The filter begins at this element, counted from the one left of the coordinate. */
function firstTap(n: ResizeView, scale: number): number {
  return Math.floor(-(n.attributes.mode === 'linear' ? 1 : 2) / stretchOf(n, scale)) + 1;
}

function tapsAt(n: ResizeView, { size, scale }: Extent, x: number): Tap[] {
  const { mode, antialias, exclude_outside: excludes, cubic_coeff_a: a } = n.attributes;
  const clamped = (i: number) => Math.min(Math.max(i, 0), size - 1);
  const outside = n.attributes.coordinate_transformation_mode === 'tf_crop_and_resize' && (x < 0 || x > size - 1);
  if (mode === 'nearest') return [[outside ? -1 : clamped(nearest(n, x)), 1]];
  const reach = mode === 'linear' ? 1 : mode === 'cubic' ? 2 : n.fail(`has the mode "${mode}"`);
  const stretch = stretchOf(n, scale);
  const first = firstTap(n, scale);
  // The fraction is in (0, 1]: at an element exactly, that element is the right one of the two in the middle.
  const left = Math.ceil(x) - 1;
  const weight = (distance: number) => (reach === 1 ? Math.max(0, 1 - distance) : cubic(distance, a));
  const taps = Array.from({ length: 2 - 2 * first }, (_, k): Tap => {
    const i = left + first + k;
    const excluded = excludes && (i < 0 || i >= size);
    return [outside ? -1 : clamped(i), excluded ? 0 : weight(Math.abs(i - x) * stretch)];
  });
  const sum = antialias || excludes ? taps.reduce((s, [, w]) => s + w, 0) : 1;
  return taps.map(([i, w]) => [i, w / sum]);
}

function nearest(n: ResizeView, x: number): number {
  switch (n.attributes.nearest_mode) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    default:
      return n.fail(`has the nearest_mode "${n.attributes.nearest_mode}"`);
  }
}

/** https://en.wikipedia.org/wiki/Bicubic_interpolation#Bicubic_convolution_algorithm */
function cubic(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}
