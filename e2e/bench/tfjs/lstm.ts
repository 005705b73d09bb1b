// One LSTM layer in TF.js: the products with the inputs of all steps at once, then a fused product and the
// gates for each step. https://onnx.ai/onnx/operators/onnx__LSTM.html

import * as tf from '@tensorflow/tfjs-core';
import type { TfCall } from './call';
import { inOnnxOrder, plain, type TfValue } from './values';

export function lstm({ inputs, attributes, prepared }: TfCall): TfValue[] {
  const [x, w, r, b] = inputs.map((value) => value && inOnnxOrder(value)) as [tf.Tensor3D, ...tf.Tensor3D[]];
  const plainForm = inputs.length <= 4 && (attributes.direction ?? 'forward') === 'forward' && w?.shape[0] === 1;
  if (!plainForm || !w || !r || !b || attributes.activations) throw new Error('LSTM is not of the plain form.');
  const [steps, batch, from] = x.shape;
  const hidden = r.shape[2];
  const fromInput = prepared('w', () => tf.transpose(tf.squeeze(w, [0]))) as tf.Tensor2D;
  const fromState = prepared('r', () => tf.transpose(tf.squeeze(r, [0]))) as tf.Tensor2D;
  const bias = prepared('b', () => {
    const both = tf.reshape(b, [2, 4 * hidden]);
    return tf.sum(both, 0);
  }) as tf.Tensor1D;
  const all = tf.fused.matMul({ a: tf.reshape(x, [steps * batch, from]), b: fromInput, bias });
  const rows = tf.split(all, steps, 0) as tf.Tensor2D[];
  const states: tf.Tensor[] = [];
  let [h, c]: (tf.Tensor | undefined)[] = [];
  for (const row of rows) {
    const gates = h ? tf.add(row, tf.matMul(h as tf.Tensor2D, fromState)) : row;
    const [i, o, f, g] = tf.split(gates, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const written = tf.mul(tf.sigmoid(i), tf.tanh(g));
    c = c ? tf.add(tf.mul(tf.sigmoid(f), c), written) : written;
    h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    states.push(h);
  }
  const last = (state: tf.Tensor | undefined) => plain(tf.reshape(state as tf.Tensor, [1, batch, hidden]));
  return [plain(tf.reshape(tf.stack(states), [steps, 1, batch, hidden])), last(h), last(c)];
}
