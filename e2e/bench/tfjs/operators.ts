// ONNX operators in terms of TF.js's, as far as the benchmark's models need them. Attributes have ONNX's
// meaning at opset 17 and later.

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, first, number, type TfCall, type TfOperator } from './call';
import { averagePool, convolution, globalAverage, maxPool } from './convolution';
import { lstm } from './lstm';
import { concat, flatten, gather, pad, reshape, resize, slice, split, squeeze, transpose, unsqueeze } from './movement';
import { batchNormalization, binary, clip, unary } from './pointwise';
import { inOnnxOrder, plain, type TfValue } from './values';

/** Right sides are weights here; TF.js's own dense layers have them as [in, out]. */
function gemm({ inputs, attributes, activation, prepared }: TfCall): TfValue[] {
  const [a, b] = inputs.slice(0, 2).map((value) => inOnnxOrder(value as TfValue)) as [tf.Tensor, tf.Tensor];
  if (number(attributes.alpha, 1) !== 1 || number(attributes.beta, 1) !== 1) throw new Error('Gemm is scaled.');
  const columns = a.shape[a.rank - 1] as number;
  const rows = (a.rank === 2 ? a : tf.reshape(a, [-1, columns])) as tf.Tensor2D;
  const bias = inputs[2]?.tensor;
  const product = tf.fused.matMul({
    a: rows,
    b: (number(attributes.transB, 0) ? prepared('b', () => tf.transpose(b)) : b) as tf.Tensor2D,
    transposeA: number(attributes.transA, 0) === 1,
    ...(bias && { bias }),
    ...(activation && { activation }),
  });
  return [plain(a.rank === 2 ? product : tf.reshape(product, [...a.shape.slice(0, -1), product.shape[1] as number]))];
}

function matMul(call: TfCall): TfValue[] {
  const [a, b] = call.inputs.map((value) => inOnnxOrder(value as TfValue)) as [tf.Tensor, tf.Tensor];
  return b.rank === 2 && a.rank > 2 ? gemm(call) : [plain(tf.matMul(a, b))];
}

function softmax(call: TfCall): TfValue[] {
  const x = first(call);
  const axis = number(call.attributes.axis, -1);
  if (axis !== -1 && axis !== x.rank - 1) throw new Error('Softmax is not over the last axis.');
  return [plain(tf.softmax(x))];
}

/** https://arxiv.org/abs/1607.06450, over the last axis. */
function layerNormalization(call: TfCall): TfValue[] {
  const x = first(call);
  const { mean, variance } = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, number(call.attributes.epsilon, 1e-5))));
  const [scale, bias] = call.inputs.slice(1);
  const scaled = tf.mul(normal, (scale as TfValue).tensor);
  return [plain(bias ? tf.add(scaled, bias.tensor) : scaled)];
}

function reduce(fn: (x: tf.Tensor, axes: number[] | undefined, keepDims: boolean) => tf.Tensor): TfOperator {
  return (call) => {
    const x = first(call);
    return [plain(fn(x, axesOf(call, x.rank), number(call.attributes.keepdims, 1) === 1))];
  };
}

export const operators: Readonly<Record<string, TfOperator>> = {
  Abs: unary(tf.abs),
  Add: binary(tf.add),
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Clip: clip,
  Concat: concat,
  Conv: convolution,
  Div: binary(tf.div),
  Erf: unary(tf.erf),
  Exp: unary(tf.exp),
  Flatten: flatten,
  Gather: gather,
  Gemm: gemm,
  GlobalAveragePool: globalAverage,
  Identity: ({ inputs }) => [inputs[0] as TfValue],
  LSTM: lstm,
  LayerNormalization: layerNormalization,
  Log: unary(tf.log),
  MatMul: matMul,
  MaxPool: maxPool,
  Mul: binary(tf.mul),
  Neg: unary(tf.neg),
  Pad: pad,
  Pow: binary(tf.pow),
  ReduceMax: reduce(tf.max),
  ReduceMean: reduce(tf.mean),
  ReduceMin: reduce(tf.min),
  ReduceSum: reduce(tf.sum),
  Relu: unary(tf.relu),
  Reshape: reshape,
  Resize: resize,
  Sigmoid: unary(tf.sigmoid),
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Sqrt: unary(tf.sqrt),
  Squeeze: squeeze,
  Sub: binary(tf.sub),
  Tanh: unary(tf.tanh),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
