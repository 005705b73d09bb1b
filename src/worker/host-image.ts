// Pictures into input tensors on the host: the same sampling as shaders/image.wgsl, for the cpu backend.

import { imageGeometry } from '../base/image-geometry';
import { type NDArray, ndarray } from '../base/ndarray';
import type { WireImage } from './protocol';

export function hostImage({ bitmap, options }: WireImage, dims: readonly number[]): NDArray {
  const planes = options.layout === 'NCHW';
  const [height, width] = planes ? [dims[2] as number, dims[3] as number] : [dims[1] as number, dims[2] as number];
  const g = imageGeometry(bitmap, [height, width], options);
  const sample = sampler(bitmap);
  const out = ndarray('float32', dims);
  const channels = options.channels === 'gray' ? 1 : 3;
  const of = (list: readonly number[], c: number) => list[c] ?? (list[0] as number);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [ax, ay] = [x - g.left, y - g.top];
      let pixel: number[] = [options.pad, options.pad, options.pad];
      if (ax >= 0 && ay >= 0 && ax < g.insideWidth && ay < g.insideHeight) {
        pixel = [0, 0, 0];
        for (let ty = 0; ty < g.tapsY; ty++) {
          for (let tx = 0; tx < g.tapsX; tx++) {
            const rgb = sample((ax + (tx + 0.5) / g.tapsX) * g.stepX, (ay + (ty + 0.5) / g.tapsY) * g.stepY);
            for (let c = 0; c < 3; c++) pixel[c] = (pixel[c] as number) + (rgb[c] as number) / (g.tapsX * g.tapsY);
          }
        }
      }
      if (options.channels === 'BGR') pixel.reverse();
      const [r, gr, b] = pixel as [number, number, number];
      const values = channels === 1 ? [0.299 * r + 0.587 * gr + 0.114 * b] : pixel;
      const spot = y * width + x;
      values.forEach((v, c) => {
        out.data[planes ? c * width * height + spot : spot * channels + c] =
          (v * options.scale - of(options.mean, c)) / of(options.std, c);
      });
    }
  }
  return out;
}

/** Bilinear samples of a picture; coordinates are in pixels, the first pixel's centre at 0.5. */
function sampler(bitmap: ImageBitmap): (x: number, y: number) => number[] {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const at = (x: number, y: number, c: number) =>
    data[4 * (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))) + c] as number;
  return (x, y) => {
    const [x0, y0] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [px, py] = [x - 0.5 - x0, y - 0.5 - y0];
    return [0, 1, 2].map((c) => {
      const upper = at(x0, y0, c) * (1 - px) + at(x0 + 1, y0, c) * px;
      const lower = at(x0, y0 + 1, c) * (1 - px) + at(x0 + 1, y0 + 1, c) * px;
      return upper * (1 - py) + lower * py;
    });
  };
}
