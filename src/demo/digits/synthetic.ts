// Digits that the page writes itself: the way a pen takes, leant, squeezed and bent as hands do, as a picture like those of
// MNIST. The same seed gives the same digit.

import { boundsOf, type InkOptions, type Point, pictureOf, pixels, type Stroke } from './ink';
import { type Random, random } from './random';
import { skeletons } from './skeletons';

/** Pictures with the digits they show. */
export interface Examples {
  /** [count, 28, 28, 1] */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** How strongly strokes are changed: 1 for handwriting from a skeleton, less for copies of handwriting. */
export function distorted(strokes: readonly Stroke[], amount: number, chance: Random): Stroke[] {
  const angle = chance.normal() * 0.12 * amount;
  const slant = chance.normal() * 0.2 * amount;
  const stretch = Math.exp(chance.normal() * 0.16 * amount);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const waves = [0, 1].map(() => ({
    height: chance.normal() * 0.035 * amount,
    x: chance.between(-1.2, 1.2),
    y: chance.between(-1.2, 1.2),
    phase: chance.between(0, 2 * Math.PI),
  }));
  const { left, top, width, height } = boundsOf(strokes);
  const size = Math.max(width, height, 1e-6);
  const bend = (wave: (typeof waves)[number], x: number, y: number) =>
    wave.height * Math.sin(2 * Math.PI * (wave.x * x + wave.y * y) + wave.phase);
  // The lengths of strokes vary one by one, so that loops close or stay open.
  const moves = strokes.map((): Point => [chance.normal() * 0.02 * amount, chance.normal() * 0.02 * amount]);
  return strokes.map((stroke, i) =>
    stroke.map(([px, py]): Point => {
      const [x, y] = [(px - left) / size - 0.5, (py - top) / size - 0.5];
      const [shiftX, shiftY] = moves[i] as Point;
      const wide = (x + shiftX + bend(waves[0] as (typeof waves)[number], x, y)) * stretch - slant * y;
      const high = y + shiftY + bend(waves[1] as (typeof waves)[number], x, y);
      return [cos * wide - sin * high, sin * wide + cos * high];
    }),
  );
}

/** What a pen of some width leaves, darker or lighter. */
function penOf(chance: Random): InkOptions {
  return { radius: Math.min(2.1, Math.max(0.7, 1.2 + 0.32 * chance.normal())), softness: chance.between(0.9, 1.7) };
}

export function writtenDigit(digit: number, seed: number): Stroke[] {
  const chance = random(seed, digit);
  return distorted(chance.one(skeletons[digit] as (typeof skeletons)[number]), 1, chance);
}

/** Digits by their numbers: the same number of the same seed is the same digit. */
export function synthetic(indices: readonly number[], seed: number): Examples {
  const labels = Int32Array.from(indices, (index) => Math.floor(random(seed, index, 7).between(0, 10)));
  const images = new Float32Array(indices.length * pixels);
  indices.forEach((index, i) => {
    const chance = random(seed, index, 11);
    const strokes = distorted(chance.one(skeletons[labels[i] as number] as (typeof skeletons)[number]), 1, chance);
    images.set(grainy(pictureOf(strokes, penOf(chance)), chance), i * pixels);
  });
  return { images, labels };
}

/** A drawing as other hands would have drawn it. */
export function variation(strokes: readonly Stroke[], chance: Random): Float32Array {
  return pictureOf(distorted(strokes, 0.45, chance), penOf(chance));
}

/** Ink is not even. */
function grainy(picture: Float32Array, chance: Random): Float32Array {
  return picture.map((ink) => (ink === 0 ? 0 : Math.min(1, Math.max(0, ink + 0.06 * chance.normal()))));
}
