// What stands for a sparse constant where kernels are measured: noise with as many non-zeros in every row, in much the same
// columns and in blocks alike, of floats or of bytes that are numbers raised by 128; and what makes two patterns alike enough to share a measurement.

import { type DType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { type Dims, sizeOf } from '../base/shape';
import { xorshift } from '../base/xorshift';
import { type BlockShape, blockShapes, type Pattern, raisedZero } from '../ir/pattern';

const made = new WeakMap<Pattern, NDArray>();

/** The same array for the same pattern: contestants have equal weights. Rows of bytes may be longer than the pattern's. */
export function sparseNoise(dtype: DType, dims: Dims, pattern: Pattern): NDArray {
  const known = made.get(pattern);
  if (known?.dtype === dtype) return known;
  const array = ndarray(dtype, dims);
  const next = xorshift();
  const random = () => (next() >>> 0) / 2 ** 32;
  made.set(pattern, array);
  const floats = isFloat(dtype);
  if (!floats) array.data.fill(raisedZero);
  const rowLength = sizeOf(dims.slice(1));
  const put = (row: number, column: number) => {
    const part = random();
    array.data[row * rowLength + column] = floats ? 0.5 + part / 2 : raisedZero + 64 + Math.floor(64 * part);
  };
  if (isPaired(pattern)) {
    fillPairs(put, pattern, random);
    return array;
  }
  const { height, width, perRow, perColumn } = unitsOf(pattern);
  const cumulative = cumulativeOf(perColumn);
  const total = cumulative.at(-1) ?? 0;
  const taken = new Uint32Array(perColumn.length);
  perRow.forEach((count, y) => {
    for (let left = count; left > 0; ) {
      let x = indexOf(cumulative, random() * total);
      // Columns run out where they are weighted: the next one that is free.
      while (taken[x] === y + 1) x = (x + 1) % taken.length;
      taken[x] = y + 1;
      left--;
      for (let row = y * height; row < Math.min(pattern.rows, (y + 1) * height); row++) {
        for (let column = x * width; column < Math.min(pattern.columns, (x + 1) * width); column++) {
          put(row, column);
        }
      }
    }
  });
  return array;
}

/** Whether two of every four neighbours are all there are, and most of them are. */
function isPaired({ rows, columns, nonZeros, mostOfFour }: Pattern): boolean {
  return Math.min(mostOfFour.alongRow, mostOfFour.alongColumn) <= 2 && nonZeros > 0.4 * rows * columns;
}

type Put = (row: number, column: number) => void;

function fillPairs(put: Put, { rows, columns, mostOfFour }: Pattern, random: () => number): void {
  const alongRow = mostOfFour.alongRow <= 2;
  const [lines, length] = alongRow ? [rows, columns] : [columns, rows];
  for (let line = 0; line < lines; line++) {
    for (let four = 0; four < length; four += 4) {
      const first = Math.floor(4 * random());
      const second = (first + 1 + Math.floor(3 * random())) % 4;
      for (const at of [four + first, four + second]) {
        if (at < length) alongRow ? put(line, at) : put(at, line);
      }
    }
  }
}

/** What the non-zeros come in: the largest blocks that are nearly full, or one by one. */
function unitsOf(pattern: Pattern) {
  const { nonZeros, blocks } = pattern;
  const shape = [...blockShapes].reverse().find((s) => nonZeros >= nearlyFull * sizeOfBlock(s) * blocks[s].count);
  if (!shape) return { height: 1, width: 1, perRow: pattern.perRow, perColumn: pattern.perColumn };
  const [height, width] = sizesOf(shape);
  return { height, width, perRow: blocks[shape].perRow, perColumn: blocks[shape].perColumn };
}

const nearlyFull = 0.8;

const sizesOf = (shape: BlockShape) => shape.split('x').map(Number) as [number, number];
const sizeOfBlock = (shape: BlockShape) => sizesOf(shape).reduce((a, b) => a * b);

/**
 * A text that patterns share whose kernels take about the same time: non-zeros and blocks to a twentieth of what there is,
 * skew to a power of two.
 */
export function likeness({ nonZeros, perRow, perColumn, blocks, mostOfFour }: Pattern): string {
  const step = (n: number) => Math.round(Math.log(Math.max(1, n)) / Math.log(1.05));
  const skew = (counts: Uint32Array) => {
    const longest = counts.reduce((most, n) => Math.max(most, n), 0);
    return Math.round(Math.log2((longest * counts.length) / Math.max(1, nonZeros)));
  };
  const fours = [mostOfFour.alongRow, mostOfFour.alongColumn].map((most) => most <= 2);
  return [
    '~',
    step(nonZeros),
    ...blockShapes.map((s) => step(blocks[s].count)),
    skew(perRow),
    skew(perColumn),
    ...fours,
  ].join();
}

function cumulativeOf(counts: Uint32Array): Float64Array {
  let sum = 0;
  return Float64Array.from(counts, (n) => {
    sum += n;
    return sum;
  });
}

/** The first place whose sum exceeds `at`. */
function indexOf(cumulative: Float64Array, at: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
