// Pictures brought to a size: bilinear samples, several to a result pixel where the picture shrinks, as shaders/image.wgsl takes
// them, so that what a model learns from is what it is fed.

import { type ImageOptions, imageGeometry } from './image-geometry';

/** RGBA bytes in rows: an ImageData, or anything of its form. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** [height, width, 3] in RGB, from 0 to 255; `pad` around what `contain` leaves free. */
export function resampled(
  pixels: Pixels,
  size: readonly [height: number, width: number],
  { fit, align, pad }: Pick<ImageOptions, 'fit' | 'align' | 'pad'>,
): Float32Array<ArrayBuffer> {
  const [height, width] = size;
  const g = imageGeometry(pixels, size, { fit, align });
  const columns = tapsAlong(width, g.left, g.insideWidth, g.stepX, g.tapsX, pixels.width, 4);
  const rows = tapsAlong(height, g.top, g.insideHeight, g.stepY, g.tapsY, pixels.height, 4 * pixels.width);
  const out = new Float32Array(height * width * 3);
  const { data } = pixels;
  const share = 1 / (g.tapsX * g.tapsY);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      if (!rows.inside[y] || !columns.inside[x]) {
        out.fill(pad, at, at + 3);
        continue;
      }
      let [red, green, blue] = [0, 0, 0];
      // Two neighbours to a tap.
      for (let j = 2 * y * g.tapsY; j < 2 * (y + 1) * g.tapsY; j++) {
        for (let i = 2 * x * g.tapsX; i < 2 * (x + 1) * g.tapsX; i++) {
          const from = (rows.offsets[j] as number) + (columns.offsets[i] as number);
          const weight = (rows.weights[j] as number) * (columns.weights[i] as number);
          red += weight * (data[from] as number);
          green += weight * (data[from + 1] as number);
          blue += weight * (data[from + 2] as number);
        }
      }
      out[at] = red * share;
      out[at + 1] = green * share;
      out[at + 2] = blue * share;
    }
  }
  return out;
}

/** Along one axis, for every result pixel: whether the picture is there, and for each of its taps both source pixels. */
function tapsAlong(
  size: number,
  start: number,
  inside: number,
  step: number,
  taps: number,
  limit: number,
  stride: number,
): { inside: boolean[]; offsets: Int32Array; weights: Float64Array } {
  const offsets = new Int32Array(size * taps * 2);
  const weights = new Float64Array(size * taps * 2);
  const isInside = Array.from({ length: size }, (_, i) => i - start >= 0 && i - start < inside);
  const clamped = (i: number) => Math.min(limit - 1, Math.max(0, i)) * stride;
  for (let i = 0, at = 0; i < size; i++) {
    for (let t = 0; t < taps; t++, at += 2) {
      // The first pixel's centre is at 0.5.
      const place = (i - start + (t + 0.5) / taps) * step - 0.5;
      const before = Math.floor(place);
      offsets[at] = clamped(before);
      offsets[at + 1] = clamped(before + 1);
      weights[at] = 1 - (place - before);
      weights[at + 1] = place - before;
    }
  }
  return { inside: isInside, offsets, weights };
}
