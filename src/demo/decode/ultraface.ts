// UltraFace: "scores" [1, n, 2] (background, face) and "boxes" [1, n, 4] (corners in 0..1) → faces.
// https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB

import { type Box, type Outputs, output, suppress } from './boxes';
import type { Size } from './fit';

export function decodeUltraFace(outputs: Outputs, [height, width]: Size): Box[] {
  const scores = output(outputs, 'scores');
  const corners = output(outputs, 'boxes').data;
  const faces: Box[] = [];
  for (let i = 0; i < scores.dims[1]!; i++) {
    const score = scores.data[2 * i + 1]!;
    if (score < 0.7) continue;
    const at = (k: number, scale: number) => corners[4 * i + k]! * scale;
    faces.push({ x0: at(0, width), y0: at(1, height), x1: at(2, width), y1: at(3, height), score, label: 'face' });
  }
  return suppress(faces, 0.3);
}
