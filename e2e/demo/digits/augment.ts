// Pictures of digits as other hands would have written them: turned, leant, resized and moved a little.

import type { Random } from '../../../src/demo/digits/random';

const side = 28;

/** A changed copy of the picture at `at` of `images`, written to `to` of `out`. */
export function augment(images: Float32Array, at: number, out: Float32Array, to: number, chance: Random): void {
  const angle = 0.13 * chance.normal();
  const slant = 0.12 * chance.normal();
  const [wide, high] = [0, 1].map(() => Math.exp(0.07 * chance.normal())) as [number, number];
  const [moveX, moveY] = [0.8 * chance.normal(), 0.8 * chance.normal()];
  const [cos, sin] = [Math.cos(angle) * wide, Math.sin(angle) * high];
  const middle = (side - 1) / 2;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column - middle + moveX, row - middle + moveY];
      const fromX = cos * (x + slant * y) - sin * y + middle;
      const fromY = sin * (x + slant * y) + cos * y + middle;
      out[to + row * side + column] = sample(images, at, fromX, fromY);
    }
  }
}

/** Between the four nearest pixels. */
function sample(images: Float32Array, at: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top];
  const ink = (column: number, row: number) =>
    column < 0 || row < 0 || column >= side || row >= side ? 0 : (images[at + row * side + column] as number);
  const above = (1 - fx) * ink(left, top) + fx * ink(left + 1, top);
  const below = (1 - fx) * ink(left, top + 1) + fx * ink(left + 1, top + 1);
  return (1 - fy) * above + fy * below;
}
