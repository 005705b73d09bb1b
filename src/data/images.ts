// Data sets of pictures, which are decoded when their batch comes and brought to one size, as `image()` does for a model that runs.

import { abortError, LeptonError } from '../base/errors';
import type { ImageOptions } from '../base/image-geometry';
import { type Pixels, resampled } from '../base/resample-image';
import { type ArrayInput, fromArrays } from './arrays';
import { Dataset } from './dataset';
import { requireCount } from './random';
import { allBytes } from './source';

/** An address, a file, or pixels that are there already. */
export type ImageItem = string | URL | Blob | ImageBitmap | Pixels;

export interface ImagesOptions {
  /** Height and width of all pictures, in pixels. */
  readonly size: readonly [height: number, width: number];
  /** What to predict: one entry a picture, numbers (int32 where whole) or any array of `fromArrays`. */
  readonly labels?: ArrayInput;
  /** Default 'RGB'; 'gray' has one channel. */
  readonly channels?: 'RGB' | 'gray';
  /** An element is pixel · scale, with pixels from 0 to 255. Default 1/255. */
  readonly scale?: number;
  /** Default 'channelsLast': [height, width, channels]. */
  readonly layout?: 'channelsLast' | 'channelsFirst';
  /** As in `image()`. Default 'fill'. */
  readonly fit?: ImageOptions['fit'];
  /** Keeps what has been decoded, as bytes: epochs after the first do not wait. Default false. */
  readonly cache?: boolean;
}

const atOnce = 4;

/**
 * @throws INVALID_ARGUMENT for options that are not of the documented form, and where there are not as many labels as pictures;
 *   when read: NETWORK, and INVALID_DATA for what is no picture
 */
export function fromImages(images: readonly ImageItem[], options: ImagesOptions): Dataset {
  const { size, channels = 'RGB', scale = 1 / 255, layout = 'channelsLast', fit = 'fill', cache = false } = options;
  const [height, width] = size;
  requireCount('fromImages(): the height', height, 1);
  requireCount('fromImages(): the width', width, 1);
  const labels = options.labels === undefined ? undefined : labelRows(options.labels, images.length);
  const depth = channels === 'gray' ? 1 : 3;
  const length = height * width * depth;
  const kept = new Map<number, Uint8ClampedArray>();

  /** [height, width, depth] from 0 to 255 */
  const picture = async (index: number, signal?: AbortSignal): Promise<ArrayLike<number>> => {
    const known = kept.get(index);
    if (known) return known;
    const pixels = await decoded(images[index] as ImageItem, index, signal);
    const rgb = resampled(pixels, size, { fit, align: 'center', pad: 0 });
    const own = depth === 3 ? rgb : grayOf(rgb);
    if (cache) kept.set(index, Uint8ClampedArray.from(own));
    return own;
  };
  return new Dataset({
    size: images.length,
    reshuffles: false,
    async read(indices, epoch, signal) {
      const data = new Float32Array(indices.length * length);
      const place = async (index: number, i: number) => {
        const from = await picture(index, signal);
        for (let k = 0; k < length; k++) {
          const at = layout === 'channelsLast' ? k : (k % depth) * height * width + Math.floor(k / depth);
          data[i * length + at] = (from[k] as number) * scale;
        }
      };
      // A few at a time: a photograph takes tens of megabytes while it is decoded.
      let next = 0;
      const decodeRest = async () => {
        while (next < indices.length) {
          const i = next++;
          await place(indices[i] as number, i);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, decodeRest));
      const ys = await labels?.rows.read(indices, epoch, signal);
      const dims = layout === 'channelsLast' ? [height, width, depth] : [depth, height, width];
      return { xs: { type: 'float32', dims: [indices.length, ...dims], data }, ...(ys && { ys: ys.xs }) };
    },
  });
}

/** Lists of whole numbers are classes. */
function labelRows(labels: ArrayInput, count: number): Dataset {
  const isClasses = Array.isArray(labels) && labels.every((label) => Number.isInteger(label));
  const rows = fromArrays({ xs: isClasses ? Int32Array.from(labels as readonly number[]) : labels });
  if (rows.size === count) return rows;
  throw new LeptonError('INVALID_ARGUMENT', `fromImages(): there are ${rows.size} labels for ${count} pictures.`);
}

/** ITU-R BT.601, as `image()` weighs it. */
function grayOf(rgb: Float32Array): Float32Array {
  const out = new Float32Array(rgb.length / 3);
  for (let i = 0; i < out.length; i++) {
    const [r, g, b] = [rgb[3 * i] as number, rgb[3 * i + 1] as number, rgb[3 * i + 2] as number];
    out[i] = 0.299 * r + 0.587 * g + 0.114 * b;
  }
  return out;
}

async function decoded(item: ImageItem, index: number, signal?: AbortSignal): Promise<Pixels> {
  if (typeof item === 'object' && 'data' in item) return item;
  const what = `Picture ${index}${typeof item === 'string' || item instanceof URL ? ` (${item})` : ''}`;
  if (signal?.aborted) throw abortError(signal, `Reading ${what}`);
  const isBitmap = typeof item === 'object' && 'close' in item;
  const source =
    isBitmap || item instanceof Blob ? item : new Blob([await allBytes(item as string | URL, what, signal)]);
  try {
    const bitmap = isBitmap ? item : await createImageBitmap(source);
    try {
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('the browser gives no canvas.');
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height);
    } finally {
      if (!isBitmap) bitmap.close();
    }
  } catch (cause) {
    throw new LeptonError('INVALID_DATA', `${what} cannot be decoded: ${(cause as Error).message}`, {
      cause,
      details: { index },
    });
  }
}
