import { expect, test } from 'vitest';
import { imageGeometry } from './image-geometry';
import { type Pixels, resampled } from './resample-image';

const picture = (width: number, height: number): Pixels => ({
  width,
  height,
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i * 73 + (i % 7) * 31) % 256),
});

/** One result pixel by the definition: the mean of bilinear samples spread evenly over it. */
function byHand(
  pixels: Pixels,
  size: [number, number],
  fit: 'fill' | 'contain' | 'cover',
  y: number,
  x: number,
): number[] {
  const g = imageGeometry(pixels, size, { fit, align: 'center' });
  const [ax, ay] = [x - g.left, y - g.top];
  if (ax < 0 || ay < 0 || ax >= g.insideWidth || ay >= g.insideHeight) return [9, 9, 9];
  const at = (px: number, py: number, c: number) => {
    const [cx, cy] = [Math.min(pixels.width - 1, Math.max(0, px)), Math.min(pixels.height - 1, Math.max(0, py))];
    return pixels.data[4 * (cy * pixels.width + cx) + c] as number;
  };
  const mix = (a: number, b: number, t: number) => a * (1 - t) + b * t;
  return [0, 1, 2].map((c) => {
    let sum = 0;
    for (let j = 0; j < g.tapsY; j++) {
      for (let i = 0; i < g.tapsX; i++) {
        const sx = (ax + (i + 0.5) / g.tapsX) * g.stepX - 0.5;
        const sy = (ay + (j + 0.5) / g.tapsY) * g.stepY - 0.5;
        const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
        const upper = mix(at(x0, y0, c), at(x0 + 1, y0, c), sx - x0);
        const lower = mix(at(x0, y0 + 1, c), at(x0 + 1, y0 + 1, c), sx - x0);
        sum += mix(upper, lower, sy - y0);
      }
    }
    return sum / (g.tapsX * g.tapsY);
  });
}

test.each(['fill', 'contain', 'cover'] as const)('%s: larger, smaller, narrower', (fit) => {
  for (const [pixels, size] of [
    [picture(5, 3), [7, 9]],
    [picture(40, 31), [4, 3]],
    [picture(3, 20), [6, 6]],
    [picture(1, 1), [2, 2]],
  ] as [Pixels, [number, number]][]) {
    const got = resampled(pixels, size, { fit, align: 'center', pad: 9 });
    const [height, width] = size;
    for (let y = 0, k = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (const value of byHand(pixels, size, fit, y, x)) expect(got[k++]).toBeCloseTo(value, 3);
      }
    }
  }
});

test('a picture of its own size stays as it is', () => {
  const pixels = picture(4, 3);
  const got = resampled(pixels, [3, 4], { fit: 'fill', align: 'center', pad: 0 });
  expect([...got]).toEqual([...(pixels.data as Uint8ClampedArray)].filter((_, i) => i % 4 !== 3));
});
