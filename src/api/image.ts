// Pictures as inputs: anything a page can draw, resized and normalised on the GPU.

import { LeptonError } from '../base/errors';
import type { ImageOptions as WireImageOptions } from '../base/image-geometry';
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

/**
 * A picture as a model input of shape [1, channels, height, width] (or [1, height, width, channels]).
 * @throws INVALID_ARGUMENT where an option is not of the documented form
 */
export function image(source: ImageSource, options: ImageOptions = {}): ImageInput {
  const { layout = 'NCHW', channels = 'RGB', scale = 1 / 255, fit = 'fill', align = 'center', pad = 0 } = options;
  oneOf('layout', layout, ['NCHW', 'NHWC']);
  oneOf('channels', channels, ['RGB', 'BGR', 'gray']);
  oneOf('fit', fit, ['fill', 'contain', 'cover']);
  oneOf('align', align, ['center', 'start']);
  const { size } = options;
  if (size && !(size.length === 2 && size.every((s) => Number.isInteger(s) && s > 0))) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `image(): size must be [height, width] in whole pixels, but is [${size.join(', ')}].`,
    );
  }
  const count = channels === 'gray' ? 1 : 3;
  const perChannel = (name: 'mean' | 'std', value: number | readonly number[]): readonly number[] => {
    const list = typeof value === 'number' ? [value] : value;
    if (
      (list.length !== 1 && list.length !== count) ||
      !list.every(Number.isFinite) ||
      (name === 'std' && list.includes(0))
    ) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `image(): ${name} must be a number or ${count} numbers${name === 'std' ? ' other than 0' : ''}.`,
      );
    }
    return list;
  };
  const mean = perChannel('mean', options.mean ?? 0);
  const std = perChannel('std', options.std ?? 1);
  return new ImageInput(source, { ...(size && { size }), layout, channels, scale, mean, std, fit, align, pad });
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new LeptonError('INVALID_ARGUMENT', `image(): ${name} must be ${allowed.join(' or ')}, but is "${value}".`);
  }
}
