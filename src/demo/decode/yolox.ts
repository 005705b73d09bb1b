// YOLOX: "output" [1, n, 5 + classes], the cells of strides 8, 16 and 32 one after the other, each row
// (x, y) in cells from its own, log of width and height in cells, objectness, class scores → objects.
// https://github.com/Megvii-BaseDetection/YOLOX

import { type Box, type Output, suppress } from './boxes';
import type { Size } from './fit';

export function decodeYolox(rows: Output, [height, width]: Size, labels: readonly string[]): Box[] {
  const { data, dims } = rows;
  const length = dims[2]!;
  const objects: Box[] = [];
  let row = 0;
  for (const stride of [8, 16, 32]) {
    const columns = Math.floor(width / stride);
    const cells = columns * Math.floor(height / stride);
    for (let cell = 0; cell < cells; cell++, row++) {
      const at = row * length;
      const objectness = data[at + 4]!;
      if (objectness < 0.3) continue;
      const { index, value } = best(data, at + 5, length - 5);
      const score = objectness * value;
      if (score < 0.3) continue;
      const x = ((cell % columns) + data[at]!) * stride;
      const y = (Math.floor(cell / columns) + data[at + 1]!) * stride;
      const w = Math.exp(data[at + 2]!) * stride;
      const h = Math.exp(data[at + 3]!) * stride;
      const label = labels[index] ?? `class ${index}`;
      objects.push({ x0: x - w / 2, y0: y - h / 2, x1: x + w / 2, y1: y + h / 2, score, label });
    }
  }
  return suppress(objects, 0.45);
}

function best(data: ArrayLike<number>, from: number, count: number): { index: number; value: number } {
  let index = 0;
  for (let i = 1; i < count; i++) if (data[from + i]! > data[from + index]!) index = i;
  return { index, value: data[from + index]! };
}
