// Networks that answer with a picture: planes [1, 3 or 1, h, w] → RGBA pixels, values clamped to a byte.
// Works through the rows in slices and lets the page breathe between them: no slice takes 16 ms.

import type { Output } from './boxes';

/** Hands control back to the page until its next task. */
export type Breathe = () => Promise<void>;

const pixelsASlice = 60_000;

/** Three planes are red, green, blue; `scale` brings the values to 0..255. */
export async function planesToPixels(planes: Output, scale: number, breathe: Breathe): Promise<ImageData> {
  const [, channels = 1, height = 0, width = 0] = planes.dims;
  const plane = height * width;
  const image = new ImageData(width, height);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = planes.data[channels === 1 ? i : c * plane + i]! * scale;
    image.data[4 * i + 3] = 255;
    if (i % pixelsASlice === pixelsASlice - 1) await breathe();
  }
  return image;
}

/** Puts a luminance plane [1, 1, h, w] in 0..1 into a colour picture of the same size, keeping its colours. */
export async function replaceLuminance(luminance: Output, colour: ImageData, breathe: Breathe): Promise<ImageData> {
  const image = new ImageData(colour.width, colour.height);
  const from = colour.data;
  for (let i = 0; i < luminance.data.length; i++) {
    const y = 0.299 * from[4 * i]! + 0.587 * from[4 * i + 1]! + 0.114 * from[4 * i + 2]!;
    const shift = luminance.data[i]! * 255 - y;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = from[4 * i + c]! + shift;
    image.data[4 * i + 3] = 255;
    if (i % pixelsASlice === pixelsASlice - 1) await breathe();
  }
  return image;
}
