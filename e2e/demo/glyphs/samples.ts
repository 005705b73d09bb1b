// The demo's sample pictures: scenes of twice the network's input size, drawn from seeds of their own and
// without grain, so that they compress well. Tests draw them again to know what is in them.

import { glyphClasses } from '../../../src/demo/decode/glyphs';
import { drawScene, random, type Scene } from './scene';

/** Width and height of the network's input. */
export const inputSize = { width: 320, height: 240 } as const;

const seeds = [5555, 7777, 4444] as const;

export function drawSamples(): Scene[] {
  const { width, height } = inputSize;
  return seeds.map((seed) => drawScene(random(seed), 2 * width, 2 * height, { count: 14, scale: 2, grain: 0 }));
}

/** What is in a scene: classes and centres in pixels. */
export function truthOf(scene: Scene): { label: string; x: number; y: number }[] {
  return scene.glyphs.map(({ kind, x0, y0, x1, y1 }) => ({
    label: glyphClasses[kind]!,
    x: (x0 + x1) / 2,
    y: (y0 + y1) / 2,
  }));
}
