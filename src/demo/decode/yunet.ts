// YuNet: for each stride s of 8, 16, 32 the outputs cls_s, obj_s [1, n, 1] (0..1), bbox_s [1, n, 4] and
// kps_s [1, n, 10], one row a cell in reading order → faces with eyes, nose and corners of the mouth.
// https://github.com/ShiqiYu/libfacedetection.train

import { type Box, type Outputs, output, suppress } from './boxes';
import type { Size } from './fit';

export function decodeYuNet(outputs: Outputs, [, width]: Size): Box[] {
  const faces = [8, 16, 32].flatMap((stride) => {
    const cls = output(outputs, `cls_${stride}`).data;
    const obj = output(outputs, `obj_${stride}`).data;
    const box = output(outputs, `bbox_${stride}`).data;
    const kps = output(outputs, `kps_${stride}`).data;
    const columns = Math.ceil(width / stride);
    const found: Box[] = [];
    for (let i = 0; i < cls.length; i++) {
      const score = Math.sqrt(cls[i]! * obj[i]!);
      if (score < 0.6) continue;
      const column = i % columns;
      const row = Math.floor(i / columns);
      const x = (column + box[4 * i]!) * stride;
      const y = (row + box[4 * i + 1]!) * stride;
      const w = Math.exp(box[4 * i + 2]!) * stride;
      const h = Math.exp(box[4 * i + 3]!) * stride;
      const points = [0, 1, 2, 3, 4].map(
        (p) => [(column + kps[10 * i + 2 * p]!) * stride, (row + kps[10 * i + 2 * p + 1]!) * stride] as const,
      );
      found.push({ x0: x - w / 2, y0: y - h / 2, x1: x + w / 2, y1: y + h / 2, score, label: 'face', points });
    }
    return found;
  });
  return suppress(faces, 0.3);
}
