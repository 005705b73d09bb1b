// What convolutions and poolings share: windows that walk over spatial axes, as Keras counts them, and as ONNX says it.

import { choice, each, type Option } from '../base/options';
import type { Call, Sized } from './layer';
import { Tensor } from './tensor';
import type { Shape } from './types';

export const dataFormat = choice(['channelsLast', 'channelsFirst'], 'channelsLast');
export const padding = choice(['valid', 'same'], 'valid');

/** @param rank number of spatial axes */
export const convolutionOptions = (rank: number) => ({
  kernelSize: each(rank, 1),
  strides: each(rank, 1, 1),
  padding,
  dataFormat,
});

export type DataFormat = 'channelsLast' | 'channelsFirst';

/** The parts of a shape [batch, spatial…, channels], or with the channels in front. */
export function spatialShape(layer: Sized, rank: number, format: DataFormat): { spatial: Shape; channels: number } {
  const axes = ['depth', 'height', 'width'].slice(-rank);
  const names = rank === 1 ? ['steps'] : axes;
  const last = format === 'channelsLast';
  layer.requireRank(rank + 2, `[batch, ${(last ? [...names, 'channels'] : ['channels', ...names]).join(', ')}]`);
  const { shape } = layer;
  return { spatial: last ? shape.slice(1, -1) : shape.slice(2), channels: layer.size(last ? -1 : 1) };
}

export function withChannels(batch: number | null, spatial: Shape, channels: number, format: DataFormat): Shape {
  return format === 'channelsLast' ? [batch, ...spatial, channels] : [batch, channels, ...spatial];
}

type Spatial = Call<{ readonly dataFormat: Option<DataFormat> }>;

/** The input as [batch, channels, spatial…]. */
export function channelsFirst({ input, config }: Spatial): string {
  return config.dataFormat === 'channelsFirst' ? input.plain() : input.channelsFirst();
}

/** The layer's result from [batch, channels, spatial…]. */
export function fromChannelsFirst({ b, config }: Spatial, name: string): Tensor {
  return config.dataFormat === 'channelsFirst' ? Tensor.plain(b, name) : Tensor.channelsFirst(b, name);
}

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations?: readonly number[];
  readonly padding: 'valid' | 'same' | 'causal';
}

/** How many places a window has along each axis. */
export function places(spatial: Shape, window: Window): Shape {
  return spatial.map((size, i) => {
    if (size === null) return null;
    const { reach, stride } = axisOf(window, i);
    return window.padding === 'valid' ? Math.ceil((size - reach + 1) / stride) : Math.ceil(size / stride);
  });
}

/** ONNX's attributes; `same` pads the odd one at the end, as TensorFlow does. */
export function windowAttributes(spatial: readonly number[], window: Window) {
  const totals = spatial.map((size, i) => {
    const { reach, stride } = axisOf(window, i);
    return window.padding === 'valid' ? 0 : Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  // Causal: no place sees what comes after it.
  const begins = totals.map((total, i) => {
    if (window.padding !== 'causal') return Math.floor(total / 2);
    return (axisOf(window, i).reach as number) - 1;
  });
  const ends = totals.map((total, i) => (window.padding === 'causal' ? 0 : total - (begins[i] as number)));
  return {
    kernel_shape: [...window.kernel],
    strides: [...window.strides],
    ...(window.dilations && { dilations: [...window.dilations] }),
    pads: [...begins, ...ends],
  };
}

function axisOf({ kernel, strides, dilations }: Window, i: number) {
  return {
    reach: ((kernel[i] as number) - 1) * (dilations?.[i] ?? 1) + 1,
    stride: strides[i] as number,
  };
}
