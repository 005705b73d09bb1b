// What integers stand for is no further from the weights than half a step, and zero is zero.

import { expect, test } from 'vitest';
import { float16ToNumber, numberToFloat16 } from '../base/float16';
import type { MatrixView } from './layers';
import { fromInt4, fromInt8, isAnyTooSmall, toInt4, toInt8 } from './quantize';

const [rows, columns] = [9, 70];
const views: MatrixView[] = [
  { rows, columns, rowStride: columns, columnStride: 1 },
  { rows, columns, rowStride: 1, columnStride: rows },
];
/** Every seventh is zero, one row and one block are wholly so, and a block has no negative number. */
function weightsOf({ rowStride, columnStride }: MatrixView): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = Math.sin(12.9898 * (r * columns + c)) * (r + 1);
      const isZero = r === 3 || (r === 4 && c < 32) || (r + c) % 7 === 0;
      out[r * rowStride + c * columnStride] = isZero ? 0 : r === 5 && c < 32 ? Math.abs(value) : value;
    }
  }
  return out;
}

function eachWeight(view: MatrixView, visit: (r: number, c: number, at: number) => void): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) visit(r, c, r * view.rowStride + c * view.columnStride);
  }
}

test.each(views)('int8 %#', (view) => {
  const weights = weightsOf(view);
  const int8 = toInt8(view, weights, 'float32');
  const stand = fromInt8(view, int8);
  eachWeight(view, (r, _, at) => {
    const [w, s] = [weights[at] as number, stand[at] as number];
    expect(Math.abs(w - s)).toBeLessThanOrEqual((int8.scales[r] as number) * 0.5001);
    if (w === 0) expect(s).toBe(0);
  });
});

test.each(views.flatMap((view) => [32, 64, 128].flatMap((size) => [true, false].map((s) => [view, size, s] as const))))(
  'int4 %#',
  (view, size, symmetric) => {
    const weights = weightsOf(view);
    const int4 = toInt4(view, weights, size, symmetric, 'float32');
    const stand = fromInt4(view, int4, size);
    eachWeight(view, (r, c, at) => {
      const [w, s] = [weights[at] as number, stand[at] as number];
      const scale = int4.scales[r * int4.blocks + Math.floor(c / size)] as number;
      // A zero point is a whole number: an end of the range may be cut off by half a step more.
      expect(Math.abs(w - s)).toBeLessThanOrEqual(scale * (symmetric ? 0.5001 : 1.0001));
      if (w === 0) expect(s + 0).toBe(0);
    });
  },
);

test.each(views)('scales of halves are halves, and codes are of those %#', (view) => {
  const weights = weightsOf(view);
  const half = (scale: number) => float16ToNumber(numberToFloat16(scale));
  const int8 = toInt8(view, weights, 'float16');
  const int4 = toInt4(view, weights, 32, true, 'float16');
  for (const scale of [...int8.scales, ...int4.scales]) expect(scale).toBe(half(scale));
  const stand = fromInt8(view, int8);
  eachWeight(view, (r, _, at) => {
    const scale = int8.scales[r] as number;
    expect(Math.abs((weights[at] as number) - (stand[at] as number))).toBeLessThanOrEqual(scale * 0.5001);
  });
  const tiny = weights.map((w) => w * 1e-6);
  expect(isAnyTooSmall(int8.scales, 'float16')).toBe(false);
  expect(isAnyTooSmall(toInt8(view, tiny, 'float16').scales, 'float16')).toBe(true);
  expect(isAnyTooSmall(toInt4(view, tiny, 32, true, 'float16').scales, 'float16')).toBe(true);
  expect(isAnyTooSmall(toInt8(view, tiny, 'float32').scales, 'float32')).toBe(false);
});
