// How a picture becomes an input: the options, where it lands, and how densely it must be sampled. Shared by the
// GPU path and by the host's, so that both give the same pixels.

/** How a picture becomes an input, every choice made but the size. */
export interface ImageOptions {
  /** Height and width of the result; default: those of the model's input. */
  readonly size?: readonly [height: number, width: number];
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: 'RGB' | 'BGR' | 'gray';
  /** An element is (pixel · scale − mean) / std, with pixels from 0 to 255. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly fit: 'fill' | 'contain' | 'cover';
  /** Where `contain` puts the picture. */
  readonly align: 'center' | 'start';
  /** Pixel value (0 to 255) around the picture with `contain`. */
  readonly pad: number;
}

export interface ImageGeometry {
  readonly width: number;
  readonly height: number;
  /** The picture's place in the result, in result pixels; `cover` reaches outside. */
  readonly left: number;
  readonly top: number;
  readonly insideWidth: number;
  readonly insideHeight: number;
  /** Source pixels a result pixel. */
  readonly stepX: number;
  readonly stepY: number;
  readonly tapsX: number;
  readonly tapsY: number;
}

/** More sampling points than this a pixel and axis change the result less than rounding to 8 bits does. */
const mostTaps = 8;

export function imageGeometry(
  source: { readonly width: number; readonly height: number },
  size: readonly [height: number, width: number],
  { fit, align }: Pick<ImageOptions, 'fit' | 'align'>,
): ImageGeometry {
  const [height, width] = size;
  const ratios = [width / source.width, height / source.height] as const;
  const ratio = fit === 'contain' ? Math.min(...ratios) : Math.max(...ratios);
  const insideWidth = fit === 'fill' ? width : source.width * ratio;
  const insideHeight = fit === 'fill' ? height : source.height * ratio;
  const share = align === 'center' ? 0.5 : 0;
  const [stepX, stepY] = [source.width / insideWidth, source.height / insideHeight];
  return {
    width,
    height,
    left: (width - insideWidth) * share,
    top: (height - insideHeight) * share,
    insideWidth,
    insideHeight,
    stepX,
    stepY,
    tapsX: taps(stepX),
    tapsY: taps(stepY),
  };
}

function taps(step: number): number {
  return Math.min(mostTaps, Math.max(1, Math.ceil(step)));
}
