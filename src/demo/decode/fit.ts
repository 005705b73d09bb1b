// How a picture was laid into the network's input, and the way back for what was found there.
// Means the same as `fit` and `align` of the API's image(): 'fill' stretches, 'contain' keeps the whole
// picture with bars around it or after it, 'cover' centres a crop.

import type { Box } from './boxes';

export interface Fitting {
  readonly fit: 'fill' | 'contain' | 'cover';
  /** Where 'contain' and 'cover' put the picture; 'center' unless told. */
  readonly align?: 'center' | 'start';
}
/** [height, width], as everywhere in ONNX. */
export type Size = readonly [number, number];

interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** input = picture · scale + offset */
export function placement({ fit, align }: Fitting, input: Size, picture: Size): Placement {
  const [height, width] = input;
  const [pictureHeight, pictureWidth] = picture;
  const sx = width / pictureWidth;
  const sy = height / pictureHeight;
  if (fit === 'fill') return { scaleX: sx, scaleY: sy, offsetX: 0, offsetY: 0 };
  const scale = fit === 'contain' ? Math.min(sx, sy) : Math.max(sx, sy);
  const share = align === 'start' ? 0 : 0.5;
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: (width - pictureWidth * scale) * share,
    offsetY: (height - pictureHeight * scale) * share,
  };
}

/** From pixels of the input to pixels of the picture, cut at its edges. */
export function toPicture(box: Box, fitting: Fitting, input: Size, picture: Size): Box {
  const { scaleX, scaleY, offsetX, offsetY } = placement(fitting, input, picture);
  const x = (v: number) => Math.min(picture[1], Math.max(0, (v - offsetX) / scaleX));
  const y = (v: number) => Math.min(picture[0], Math.max(0, (v - offsetY) / scaleY));
  const points = box.points?.map(([px, py]) => [x(px), y(py)] as const);
  return { ...box, x0: x(box.x0), y0: y(box.y0), x1: x(box.x1), y1: y(box.y1), ...(points && { points }) };
}
