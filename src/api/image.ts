// Pictures as inputs: anything a page can draw, resized and normalised on the GPU.

import { LeptonError } from '../base/errors';
import type { ImageOptions as WireImageOptions } from '../base/image-geometry';
import { choice, number, type Option, optional, readOptions } from '../base/options';
import type { WireImage } from '../worker/protocol';

export type ImageSource =
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | VideoFrame
  | Blob;

export interface ImageOptions {
  /** Height and width of the result in pixels. Default: those of the model's input. */
  size?: readonly [height: number, width: number];
  /** Default 'NCHW'. */
  layout?: 'NCHW' | 'NHWC';
  /** Default 'RGB'. */
  channels?: 'RGB' | 'BGR' | 'gray';
  /** An element is (pixel · scale − mean) / std, with pixels from 0 to 255. Default 1/255. */
  scale?: number;
  /** One for all channels, or one a channel in the order of `channels`. Default 0. */
  mean?: number | readonly number[];
  /** Default 1. */
  std?: number | readonly number[];
  /**
   * 'fill' stretches the picture to the size (default), 'contain' keeps its proportions and fills up
   * with `pad`, 'cover' keeps them and cuts off.
   */
  fit?: 'fill' | 'contain' | 'cover';
  /** Where 'contain' and 'cover' put the picture: in the middle (default), or its top left corner at the top left. */
  align?: 'center' | 'start';
  /** Pixel value from 0 to 255 around the picture with 'contain'. Default 0. */
  pad?: number;
}

/** A picture to feed to `model.run`; made by `image()`. */
export class ImageInput {
  // Private to JavaScript too: that is what remains in the declarations, and tells a picture from any other object.
  readonly #source: ImageSource;
  readonly #options: WireImageOptions;

  /** @internal */
  constructor(source: ImageSource, options: WireImageOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** @internal The source is copied, so it stays the caller's. */
  async toWire(name: string): Promise<WireImage> {
    try {
      return { bitmap: await createImageBitmap(this.#source), options: this.#options };
    } catch (cause) {
      throw new LeptonError(
        'INVALID_INPUT',
        `The picture fed as "${name}" cannot be read: ${(cause as Error).message} It must be loaded, not empty, and a video must be playing.`,
        { cause },
      );
    }
  }
}

const sizes: Option<readonly [number, number] | undefined> = optional((value: unknown, fail) => {
  const list = value as readonly [number, number];
  const right = Array.isArray(value) && value.length === 2 && value.every((size) => Number.isInteger(size) && size > 0);
  return right ? list : fail('[height, width] in whole pixels');
});

/** One for all channels, or one for each. */
const perChannel =
  (count: number, fallback: number, mayBeZero: boolean): Option<readonly number[]> =>
  (value = fallback, fail) => {
    const list = Array.isArray(value) ? value : [value];
    const right = list.every((one) => Number.isFinite(one) && (mayBeZero || one !== 0));
    if (right && (list.length === 1 || list.length === count)) return list as number[];
    return fail(`a number or ${count} numbers${mayBeZero ? '' : ' other than 0'}`);
  };

const imageOptions = (channels: number) => ({
  size: sizes,
  layout: choice(['NCHW', 'NHWC'], 'NCHW'),
  channels: choice(['RGB', 'BGR', 'gray'], 'RGB'),
  scale: number(1 / 255),
  mean: perChannel(channels, 0, true),
  std: perChannel(channels, 1, false),
  fit: choice(['fill', 'contain', 'cover'], 'fill'),
  align: choice(['center', 'start'], 'center'),
  pad: number(0),
});

/**
 * A picture as a model input of shape [1, channels, height, width] (or [1, height, width, channels]).
 * @throws INVALID_ARGUMENT where an option is not of the documented form
 */
export function image(source: ImageSource, options: ImageOptions = {}): ImageInput {
  const { size, ...rest } = readOptions('image()', imageOptions(options?.channels === 'gray' ? 1 : 3), options);
  return new ImageInput(source, { ...(size && { size }), ...rest });
}
