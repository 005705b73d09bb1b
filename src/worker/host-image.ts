// Pictures into input tensors on the host: the same sampling as shaders/image.wgsl, for the cpu backend.

import { type NDArray, ndarray } from '../base/ndarray';
import { type Pixels, resampled } from '../base/resample-image';
import type { WireImage } from './protocol';

export function hostImage({ bitmap, options }: WireImage, dims: readonly number[]): NDArray {
  const planes = options.layout === 'NCHW';
  const [height, width] = planes ? [dims[2] as number, dims[3] as number] : [dims[1] as number, dims[2] as number];
  const rgb = resampled(pixelsOf(bitmap), [height, width], options);
  const out = ndarray('float32', dims);
  const channels = options.channels === 'gray' ? 1 : 3;
  const of = (list: readonly number[], c: number) => list[c] ?? (list[0] as number);
  for (let spot = 0; spot < height * width; spot++) {
    const pixel = rgb.subarray(3 * spot, 3 * spot + 3);
    if (options.channels === 'BGR') pixel.reverse();
    const [r, g, b] = pixel as unknown as [number, number, number];
    const values = channels === 1 ? [0.299 * r + 0.587 * g + 0.114 * b] : pixel;
    values.forEach((v, c) => {
      out.data[planes ? c * width * height + spot : spot * channels + c] =
        (v * options.scale - of(options.mean, c)) / of(options.std, c);
    });
  }
  return out;
}

function pixelsOf(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}
