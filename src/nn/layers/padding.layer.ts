// ZeroPadding2D and UpSampling2D: images with a border of zeros, and with each pixel repeated.

import { int64s } from '../../base/ndarray';
import { each, type Option } from '../../base/options';
import { type Call, defineLayer, type Sized } from '../layer';
import { reshaped, Tensor } from '../tensor';
import type { Shape } from '../types';
import { channelsFirst, type DataFormat, dataFormat, fromChannelsFirst, spatialShape, withChannels } from '../window';

type Sides = readonly [number, number];

/** A number for all sides, one for the vertical and the horizontal ones, or [[top, bottom], [left, right]]. */
const sides: Option<readonly [Sides, Sides]> = (value = 1, fail) => {
  const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
  const pair = (v: unknown): Sides => {
    if (isSize(v)) return [v, v];
    if (Array.isArray(v) && v.length === 2 && v.every(isSize)) return v as unknown as Sides;
    return fail('a whole number from 0, two of them, or [[top, bottom], [left, right]]');
  };
  if (!Array.isArray(value)) return [pair(value), pair(value)];
  return value.length === 2 ? [pair(value[0]), pair(value[1])] : fail('two numbers, or two pairs');
};

function resized(layer: Sized<{ dataFormat: Option<DataFormat> }>, sizeOf: (size: number, i: number) => number): Shape {
  const { spatial, channels } = spatialShape(layer, 2, layer.config.dataFormat);
  const out = spatial.map((size, i) => (size === null ? null : sizeOf(size, i)));
  return withChannels(layer.shape[0] as number | null, out, channels, layer.config.dataFormat);
}

const paddingOptions = { padding: sides, dataFormat };

const zeroPadding = defineLayer({
  className: 'ZeroPadding2D',
  options: paddingOptions,
  outputShape: (layer: Sized<typeof paddingOptions>) =>
    resized(
      layer,
      (size, i) => size + (layer.config.padding[i]?.[0] as number) + (layer.config.padding[i]?.[1] as number),
    ),
  call(layer: Call<typeof paddingOptions>) {
    const [[top, bottom], [left, right]] = layer.config.padding;
    const pads = layer.b.constant(int64s([0, 0, top, left, 0, 0, bottom, right]));
    return fromChannelsFirst(layer, layer.f.node('Pad', [channelsFirst(layer), pads]));
  },
});

const upSamplingOptions = { size: each(2, 1, 2), dataFormat };

const upSampling = defineLayer({
  className: 'UpSampling2D',
  options: upSamplingOptions,
  outputShape: (layer: Sized<typeof upSamplingOptions>) =>
    resized(layer, (size, i) => size * (layer.config.size[i] as number)),
  call(layer: Call<typeof upSamplingOptions>) {
    const { b, f, input, config } = layer;
    const [rows, columns] = config.size as [number, number];
    const first = config.dataFormat === 'channelsFirst' || input.isFirst;
    const x = first ? channelsFirst(layer) : input.plain();
    const [batch, p, q, r] = b.type(x).dims as [number, number, number, number];
    const [apart, wide, flat] = first
      ? [
          [batch, p, q, 1, r, 1],
          [batch, p, q, rows, r, columns],
          [batch, p, q * rows, r * columns],
        ]
      : [
          [batch, p, 1, q, 1, r],
          [batch, p, rows, q, columns, r],
          [batch, p * rows, q * columns, r],
        ];
    const spread = f.node('Expand', [reshaped(b, x, apart as number[]), b.constant(int64s(wide as number[]))]);
    const result = reshaped(b, spread, flat as number[]);
    return first ? fromChannelsFirst(layer, result) : Tensor.plain(b, result);
  },
});

export default [zeroPadding, upSampling];
