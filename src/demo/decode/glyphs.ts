// Decodes the demo's own detector: "heat" [1, 5, h, w] (scores after the sigmoid) and "box" [1, 4, h, w]
// (centre offset in cells, log of width and height over `boxUnit`) → boxes in input pixels.
// The constants are shared with the script that trains the network, so that both mean the same.

import { type Box, type Outputs, output, suppress } from './boxes';

export const glyphClasses = ['circle', 'square', 'triangle', 'cross', 'star'] as const;
export const stride = 8;
export const boxUnit = 32;
/** Of pixels in 0..1, the same for all channels. */
export const mean = 0.5;
export const std = 0.25;

/** A cell counts where its score is at least `threshold` and the highest of the cells around it. */
export function decodeGlyphs(outputs: Outputs, threshold = 0.4): Box[] {
  const heat = output(outputs, 'heat');
  const box = output(outputs, 'box').data;
  const [, classes = 0, height = 0, width = 0] = heat.dims;
  const plane = height * width;
  const found: Box[] = [];
  for (let kind = 0; kind < classes; kind++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const cell = y * width + x;
        const score = heat.data[kind * plane + cell]!;
        if (score < threshold) continue;
        const centreX = (x + 0.5 + box[cell]!) * stride;
        const centreY = (y + 0.5 + box[plane + cell]!) * stride;
        const halfWidth = (Math.exp(box[2 * plane + cell]!) * boxUnit) / 2;
        const halfHeight = (Math.exp(box[3 * plane + cell]!) * boxUnit) / 2;
        found.push({
          x0: centreX - halfWidth,
          y0: centreY - halfHeight,
          x1: centreX + halfWidth,
          y1: centreY + halfHeight,
          score,
          label: glyphClasses[kind]!,
        });
      }
    }
  }
  return oneShapeAPlace(suppress(found, 0.3));
}

/** Two shapes cannot be in one place: of boxes that cover each other, the best stays whatever its label. */
function oneShapeAPlace(boxes: readonly Box[]): Box[] {
  const unlabelled = boxes.map((box) => ({ ...box, label: '' }));
  const kept = new Set(suppress(unlabelled, 0.5));
  return boxes.filter((_, i) => kept.has(unlabelled[i]!));
}
