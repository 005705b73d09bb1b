// Where a picture lands in a model's input, and how densely it must be sampled: shared by the GPU path
// and by the host's, so that both give the same pixels.

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
  fit: 'fill' | 'contain' | 'cover',
  align: 'center' | 'start',
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
