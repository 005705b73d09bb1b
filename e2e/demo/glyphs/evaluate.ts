// Measures the detector on scenes it has not seen: precision, recall and F1 of boxes of the right class
// that overlap a glyph by at least half (intersection over union), each glyph found at most once.

import { type Box, overlap } from '../../../src/demo/decode/boxes';
import { decodeGlyphs, glyphClasses } from '../../../src/demo/decode/glyphs';
import { forward, type Layer, rows } from './network';
import { drawScene, type Random, type Scene } from './scene';
import { normalise } from './train';

export interface Quality {
  readonly glyphs: number;
  readonly found: number;
  readonly wrong: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Mean overlap of the boxes that were right. */
  readonly overlap: number;
}

export function detect(network: readonly Layer[], scene: Scene): Box[] {
  const head = forward(network, normalise(scene)).planes.at(-1)!;
  const n = head.height * head.width;
  const classes = glyphClasses.length;
  const row = (r: number, i: number) => head.data[r * n + i]!;
  const heat = new Float32Array(classes * n);
  for (let i = 0; i < n; i++) {
    const presence = 1 / (1 + Math.exp(-row(rows.presence, i)));
    const powers = glyphClasses.map((_, c) => Math.exp(row(rows.classes + c, i)));
    const total = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, c) => {
      heat[c * n + i] = (presence * power) / total;
    });
  }
  const dims = (channels: number) => [1, channels, head.height, head.width];
  return decodeGlyphs({
    heat: { data: heat, dims: dims(classes) },
    box: { data: head.data.slice(rows.box * n, (rows.box + 4) * n), dims: dims(4) },
  });
}

export function measure(
  next: Random,
  network: readonly Layer[],
  scenes: number,
  width: number,
  height: number,
): Quality {
  let glyphs = 0;
  let found = 0;
  let wrong = 0;
  let overlaps = 0;
  for (let s = 0; s < scenes; s++) {
    const scene = drawScene(next, width, height, { count: 6 + Math.floor(next() * 10), scale: 1, grain: 0.05 });
    const open = scene.glyphs.map((g): Box => ({ ...g, score: 1, label: glyphClasses[g.kind]! }));
    glyphs += open.length;
    for (const box of detect(network, scene)) {
      const hit = open.findIndex((truth) => truth.label === box.label && overlap(truth, box) >= 0.5);
      if (hit < 0) wrong++;
      else {
        found++;
        overlaps += overlap(open[hit]!, box);
        open.splice(hit, 1);
      }
    }
  }
  const precision = found / Math.max(1, found + wrong);
  const recall = found / glyphs;
  const f1 = (2 * precision * recall) / Math.max(1e-9, precision + recall);
  return { glyphs, found, wrong, precision, recall, f1, overlap: overlaps / Math.max(1, found) };
}
