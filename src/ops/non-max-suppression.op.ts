// NonMaxSuppression: of the boxes of each image and class, best score first, those that overlap no better chosen
// one too much (intersection over union). Inputs: boxes [images, n, 4], scores [images, classes, n], and three
// optional scalars: the most boxes of a class (default 0), the largest overlap (default 0), and the score that
// a box must exceed. Output: [chosen, 3], each row image, class, box.

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

const { fround } = Math;

type View = NodeView<{ readonly center_point_box: number }>;

function chosen(n: View, boxes: NDArray, scores: NDArray): number[] {
  const [images, classes, count] = scores.dims as readonly [number, number, number];
  const most = n.numbers(2)?.[0] ?? 0;
  const overlap = n.numbers(3)?.[0] ?? 0;
  const least = n.numbers(4)?.[0];
  const found: number[] = [];
  for (let image = 0; image < images; image++) {
    const corners = cornersOf(boxes, image, n.attributes.center_point_box !== 0);
    for (let c = 0; c < classes; c++) {
      const start = (image * classes + c) * count;
      const score = scores.data.subarray(start, start + count);
      for (const box of suppress(corners, score, most, overlap, least)) found.push(image, c, box);
    }
  }
  return found;
}

/** Left, top, right, bottom and area of an image's boxes, side by side; in float32, as the threshold is. */
function cornersOf({ data, dims }: NDArray, image: number, centred: boolean): Float32Array {
  const count = dims[1] as number;
  const corners = new Float32Array(5 * count);
  for (let i = 0; i < count; i++) {
    const [a, b, c, d] = data.subarray(4 * (image * count + i), 4 * (image * count + i) + 4) as unknown as number[];
    const [p, q, r, s] = [a, b, c, d] as [number, number, number, number];
    // Corners come as any two diagonal ones, y first.
    const [left, top, right, bottom] = centred
      ? [p - r / 2, q - s / 2, p + r / 2, q + s / 2]
      : [Math.min(q, s), Math.min(p, r), Math.max(q, s), Math.max(p, r)];
    corners.set([left, top, right, bottom, fround(right - left) * fround(bottom - top)], 5 * i);
  }
  return corners;
}

function suppress(
  corners: Float32Array,
  score: NDArray['data'],
  most: number,
  overlap: number,
  least: number | undefined,
): number[] {
  if (most <= 0) return [];
  const order: number[] = [];
  for (let i = 0; i < score.length; i++) if (least === undefined || (score[i] as number) > least) order.push(i);
  order.sort((a, b) => (score[b] as number) - (score[a] as number) || a - b);
  const kept: number[] = [];
  for (const box of order) {
    if (kept.length >= most) break;
    if (!kept.some((better) => overlaps(corners, 5 * better, 5 * box, overlap))) kept.push(box);
  }
  return kept;
}

function overlaps(corners: Float32Array, a: number, b: number, most: number): boolean {
  const at = (i: number) => corners[i] as number;
  const width = Math.min(at(a + 2), at(b + 2)) - Math.max(at(a), at(b));
  const height = Math.min(at(a + 3), at(b + 3)) - Math.max(at(a + 1), at(b + 1));
  if (width <= 0 || height <= 0) return false;
  const shared = fround(fround(width) * fround(height));
  return fround(shared / fround(fround(at(a + 4) + at(b + 4)) - shared)) > most;
}

function choose(n: View): number[] {
  const boxes = n.constant(0) ?? n.fail('lacks its boxes (input 0)');
  const scores = n.constant(1) ?? n.fail('lacks its scores (input 1)');
  const [images, count, four] = boxes.dims;
  if (boxes.dims.length !== 3 || four !== 4) n.fail(`has boxes of shape ${formatDims(boxes.dims)}; expected [b, n, 4]`);
  if (scores.dims.length !== 3 || scores.dims[0] !== images || scores.dims[2] !== count) {
    n.fail(`has scores of shape ${formatDims(scores.dims)}; expected [${images}, classes, ${count}]`);
  }
  return chosen(n, boxes, scores);
}

export default defineOp({
  name: 'NonMaxSuppression',
  host: 'how many boxes remain is known from the data only',
  attributes: { center_point_box: int(0) },
  infer: (n) => [{ dtype: 'int64', dims: [choose(n).length / 3, 3] }],
  reference(n) {
    const found = choose(n);
    return [ndarray('int64', [found.length / 3, 3], found)];
  },
});

const boxes = {
  dims: [1, 5, 4],
  values: [0, 0, 1, 1, 0, 0.1, 1, 1.1, 1, 0.9, 0, -0.1, 0, 10, 1, 11, 0, 10.1, 1, 11.1],
  constant: true,
};
const scores = { dims: [1, 2, 5], values: [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.3, 0.3, 0.1, 0.1], constant: true };
const most = (value: number) => ({ dims: [1], dtype: 'int64' as const, values: [value], constant: true });
const number = (value: number) => ({ dims: [1], values: [value], constant: true });
export const cases: OpCase[] = [
  { name: 'two classes, ties, flipped corners', inputs: [boxes, scores, most(3), number(0.5)] },
  { name: 'best scores only', inputs: [boxes, scores, most(3), number(0.5), number(0.3)] },
  { name: 'one box a class', inputs: [boxes, scores, most(1), number(0.5)] },
  { name: 'no number given', inputs: [boxes, scores] },
  {
    name: 'an overlap of just the threshold',
    inputs: [
      { dims: [1, 2, 4], values: [0, 0, 10, 10, 0, 0, 7, 10], constant: true },
      { dims: [1, 1, 2], values: [0.9, 0.8], constant: true },
      most(9),
      number(0.7),
    ],
  },
  {
    name: 'centres and sizes',
    inputs: [
      { dims: [1, 3, 4], values: [0.5, 0.5, 1, 1, 0.5, 0.6, 1, 1, 0.5, 10.5, 1, 1], constant: true },
      { dims: [1, 1, 3], values: [0.6, 0.75, 0.3], constant: true },
      most(9),
      number(0.5),
    ],
    attributes: { center_point_box: 1 },
  },
];
