// Element by element, whatever the order of the axes.

import * as tf from '@tensorflow/tfjs-core';
import type { TfCall, TfOperator } from './call';
import { inChannelsLast, inOnnxOrder, plain, type TfValue } from './values';

export function unary(fn: (x: tf.Tensor) => tf.Tensor): TfOperator {
  return ({ inputs }) => {
    const x = inputs[0] as TfValue;
    return [{ ...x, tensor: fn(x.tensor) }];
  };
}

export function binary(fn: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): TfOperator {
  return ({ inputs }) => {
    const [a, b] = inputs as [TfValue, TfValue];
    const last = a.channelsLast || b.channelsLast;
    const sides = last ? [a, b].map(beside) : [a.tensor, b.tensor];
    if (!sides.every(Boolean)) return [plain(fn(inOnnxOrder(a), inOnnxOrder(b)))];
    return [{ tensor: fn(sides[0] as tf.Tensor, sides[1] as tf.Tensor), channelsLast: last }];
  };
}

/** An operand of an operation between channels-last tensors; undefined where its axes do not say how. */
function beside(value: TfValue): tf.Tensor | undefined {
  if (value.channelsLast || value.tensor.size === 1) return value.tensor;
  return value.tensor.rank === 4 ? inChannelsLast(value) : undefined;
}

export function clip({ inputs, known, attributes }: TfCall): TfValue[] {
  const x = inputs[0] as TfValue;
  const low = known[1]?.[0] ?? (attributes.min as number | undefined) ?? -3.4e38;
  const high = known[2]?.[0] ?? (attributes.max as number | undefined) ?? 3.4e38;
  return [{ ...x, tensor: low === 0 && high === 6 ? tf.relu6(x.tensor) : tf.clipByValue(x.tensor, low, high) }];
}

/** For inference, with the four statistics as one factor and one summand a channel. */
export function batchNormalization({ inputs, attributes, prepared }: TfCall): TfValue[] {
  const [x, scale, bias, mean, variance] = inputs as [TfValue, TfValue, TfValue, TfValue, TfValue];
  const epsilon = (attributes.epsilon as number | undefined) ?? 1e-5;
  const shaped = (v: tf.Tensor) => (x.channelsLast ? v : tf.reshape(v, [-1, ...x.tensor.shape.slice(2).map(() => 1)]));
  const factor = () => tf.mul(scale.tensor, tf.rsqrt(tf.add(variance.tensor, epsilon)));
  const times = prepared('factor', () => shaped(factor()));
  const plus = prepared('summand', () => shaped(tf.sub(bias.tensor, tf.mul(mean.tensor, factor()))));
  return [{ ...x, tensor: tf.add(tf.mul(x.tensor, times), plus) }];
}
