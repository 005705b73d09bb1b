// Convolution and pooling in TF.js, which wants channels last and filters as [height, width, in, out].

import * as tf from '@tensorflow/tfjs-core';
import type { TfCall } from './call';
import { channelsLast, inChannelsLast, type TfValue } from './values';

type Pair = [number, number];
/** One number where all sides are alike, the only form that every operator of TF.js takes. */
type Padding = number | 'same' | [Pair, Pair, Pair, Pair];

interface Window {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pad: Padding;
}

export function convolution({ inputs, attributes, activation, prepared }: TfCall): TfValue[] {
  const weights = (inputs[1] as TfValue).tensor as tf.Tensor4D;
  if (weights.rank !== 4) throw new Error('Conv is not of pictures.');
  const bias = inputs[2]?.tensor as tf.Tensor1D | undefined;
  const options = {
    x: inChannelsLast(inputs[0] as TfValue),
    dataFormat: 'NHWC' as const,
    ...windowOf(attributes),
    ...(bias && { bias }),
    ...(activation && { activation }),
  };
  const group = (attributes.group as number | undefined) ?? 1;
  if (group === 1) {
    const filter = prepared('filter', () => tf.transpose(weights, [2, 3, 1, 0])) as tf.Tensor4D;
    return [channelsLast(tf.fused.conv2d({ ...options, filter }))];
  }
  const [out, inGroup, height, width] = weights.shape;
  if (inGroup !== 1) throw new Error('TF.js has no convolution in groups on WebGPU.');
  if (typeof options.pad === 'object') throw new Error('Padding differs by side.');
  const filter = prepared('filter', () =>
    tf.transpose(tf.reshape(weights, [group, out / group, height, width]), [2, 3, 0, 1]),
  ) as tf.Tensor4D;
  return [channelsLast(tf.fused.depthwiseConv2d({ ...options, pad: options.pad, filter }))];
}

export function maxPool(call: TfCall): TfValue[] {
  const { x, size, strides, pad } = poolOf(call);
  return [channelsLast(tf.maxPool(x, size, strides, pad, pad === 'same' ? undefined : 'floor'))];
}

export function averagePool(call: TfCall): TfValue[] {
  const { x, size, strides, pad } = poolOf(call);
  if (pad !== 0) throw new Error('AveragePool has padding.');
  return [channelsLast(tf.avgPool(x, size, strides, pad, 'floor'))];
}

function poolOf({ inputs, attributes }: TfCall) {
  if (attributes.ceil_mode) throw new Error('The pool rounds up.');
  const { strides, pad } = windowOf(attributes);
  return { x: inChannelsLast(inputs[0] as TfValue), size: attributes.kernel_shape as Pair, strides, pad };
}

export function globalAverage({ inputs }: TfCall): TfValue[] {
  return [channelsLast(tf.mean(inChannelsLast(inputs[0] as TfValue), [1, 2], true))];
}

function windowOf({ auto_pad, strides = [1, 1], dilations = [1, 1], pads }: TfCall['attributes']): Window {
  return { strides: [...(strides as Pair)], dilations: [...(dilations as Pair)], pad: paddingOf(auto_pad, pads) };
}

function paddingOf(
  auto: TfCall['attributes'][string] = 'NOTSET',
  pads: TfCall['attributes'][string] = [0, 0, 0, 0],
): Padding {
  if (auto === 'SAME_UPPER') return 'same';
  if (auto === 'VALID') return 0;
  if (auto !== 'NOTSET') throw new Error(`Padding is ${auto}.`);
  const [top, left, bottom, right] = pads as [number, number, number, number];
  if (top === left && top === bottom && top === right) return top;
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}
