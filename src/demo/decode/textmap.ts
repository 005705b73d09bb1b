// A text detector's probability map [1, 1, h, w] → boxes around its connected regions, in map pixels.
// The network marks the core of each line of text: a region grows by a share of its height again.

import type { Box, Output } from './boxes';

const threshold = 0.3;
const smallest = 3;

export function decodeTextMap({ data, dims }: Output): Box[] {
  const [, , height = 0, width = 0] = dims;
  const seen = new Uint8Array(height * width);
  const boxes: Box[] = [];
  const queue: number[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || data[start]! < threshold) continue;
    let [x0, y0, x1, y1, sum, count] = [width, height, 0, 0, 0, 0];
    seen[start] = 1;
    queue.push(start);
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      const x = i % width;
      const y = (i - x) / width;
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
      sum += data[i]!;
      count++;
      const visit = (j: number) => {
        if (seen[j] || data[j]! < threshold) return;
        seen[j] = 1;
        queue.push(j);
      };
      if (x > 0) visit(i - 1);
      if (x < width - 1) visit(i + 1);
      if (y > 0) visit(i - width);
      if (y < height - 1) visit(i + width);
    }
    const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
    if (Math.min(w, h) < smallest || sum / count < 0.5) continue;
    const grow = (w * h * 0.8) / (w + h);
    boxes.push({
      x0: x0 - grow,
      y0: y0 - grow,
      x1: x1 + 1 + grow,
      y1: y1 + 1 + grow,
      score: sum / count,
      label: 'text',
    });
  }
  return boxes.sort((a, b) => b.score - a.score);
}
