// What passes between the operators of the TF.js page: a tensor, and whether its four axes lie as TF.js likes
// them (batch, height, width, channels) instead of as ONNX has them.

import * as tf from '@tensorflow/tfjs-core';

export interface TfValue {
  readonly tensor: tf.Tensor;
  readonly channelsLast: boolean;
}

export const plain = (tensor: tf.Tensor): TfValue => ({ tensor, channelsLast: false });
export const channelsLast = (tensor: tf.Tensor): TfValue => ({ tensor, channelsLast: true });

/** The tensor in ONNX's order of axes. */
export function inOnnxOrder({ tensor, channelsLast }: TfValue): tf.Tensor {
  if (!channelsLast) return tensor;
  const [n, h, w, c] = tensor.shape as [number, number, number, number];
  // Where there is one pixel, or one channel, both orders are the same bytes.
  if ((h === 1 && w === 1) || c === 1) return tf.reshape(tensor, [n, c, h, w]);
  return tf.transpose(tensor, [0, 3, 1, 2]);
}

export function inChannelsLast({ tensor, channelsLast }: TfValue): tf.Tensor4D {
  if (channelsLast) return tensor as tf.Tensor4D;
  const [n, c, h, w] = tensor.shape as [number, number, number, number];
  if ((h === 1 && w === 1) || c === 1) return tf.reshape(tensor, [n, h, w, c]);
  return tf.transpose(tensor, [0, 2, 3, 1]) as tf.Tensor4D;
}
