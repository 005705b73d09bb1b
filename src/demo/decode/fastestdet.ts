// FastestDet: one output [1, 5 + classes, h, w] of planes: objectness, x and y (tanh, in cells), width and
// height (sigmoid, of the whole picture), then class probabilities → objects.
// https://github.com/dog-qiuqiu/FastestDet

import { type Box, type Output, suppress } from './boxes';
import type { Size } from './fit';

export function decodeFastestDet(planes: Output, [height, width]: Size, labels: readonly string[]): Box[] {
  const { data, dims } = planes;
  const [, channels = 0, rows = 0, columns = 0] = dims;
  const plane = rows * columns;
  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
  const objects: Box[] = [];
  for (let cell = 0; cell < plane; cell++) {
    const value = (channel: number) => data[channel * plane + cell]!;
    if (value(0) < 0.2) continue;
    let kind = 5;
    for (let c = 6; c < channels; c++) if (value(c) > value(kind)) kind = c;
    const score = value(0) ** 0.6 * value(kind) ** 0.4;
    if (score < 0.6) continue;
    const x = ((Math.tanh(value(1)) + (cell % columns)) / columns) * width;
    const y = ((Math.tanh(value(2)) + Math.floor(cell / columns)) / rows) * height;
    const w = sigmoid(value(3)) * width;
    const h = sigmoid(value(4)) * height;
    const label = labels[kind - 5] ?? `class ${kind - 5}`;
    objects.push({ x0: x - w / 2, y0: y - h / 2, x1: x + w / 2, y1: y + h / 2, score, label });
  }
  return suppress(objects, 0.45);
}
