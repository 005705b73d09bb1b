// Attention with several heads as a layer of TF.js, whose own is not public: https://arxiv.org/abs/1706.03762. Applied to
// [query, value], both [batch, steps, features]; weights have Keras's shapes and order.

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

type Weight = ReturnType<tfl.layers.Layer['addWeight']>;

export class TfAttention extends tfl.layers.Layer {
  static className = 'TfAttention';
  private readonly heads: number;
  private readonly depth: number;
  private readonly own: Weight[] = [];

  constructor({ name, numHeads, keyDim }: { name: string; numHeads: number; keyDim: number }) {
    super({ name });
    this.heads = numHeads;
    this.depth = keyDim;
  }

  override build(shapes: tfl.Shape | tfl.Shape[]): void {
    const { heads, depth } = this;
    const features = (shapes as tfl.Shape[])[0]?.at(-1) as number;
    const add = (name: string, shape: number[]) =>
      this.own.push(this.addWeight(name, shape, 'float32', tfl.initializers.zeros()));
    for (const name of ['query', 'key', 'value']) {
      add(`${name}/kernel`, [features, heads, depth]);
      add(`${name}/bias`, [heads, depth]);
    }
    add('output/kernel', [heads, depth, features]);
    add('output/bias', [features]);
    this.built = true;
  }

  override computeOutputShape(shapes: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return (shapes as tfl.Shape[])[0] as tfl.Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { heads, depth } = this;
    const inner = heads * depth;
    const [q, v] = inputs as [tf.Tensor3D, tf.Tensor3D];
    return tf.tidy(() => {
      const weights = this.own.map((weight) => weight.read());
      const project = (x: tf.Tensor, [rows, columns]: [number, number], at: number) => {
        const kernel = tf.reshape(weights[at] as tf.Tensor, [rows, columns]);
        const sums = tf.matMul(tf.reshape(x, [-1, rows]) as tf.Tensor2D, kernel as tf.Tensor2D);
        return tf.add(sums, tf.reshape(weights[at + 1] as tf.Tensor, [columns]));
      };
      /** [batch, heads, steps, depth] */
      const split = (x: tf.Tensor3D, at: number) => {
        const [batch, steps, features] = x.shape;
        return tf.transpose(tf.reshape(project(x, [features, inner], at), [batch, steps, heads, depth]), [0, 2, 1, 3]);
      };
      const scores = tf.matMul(tf.mul(split(q, 0), 1 / Math.sqrt(depth)), split(v, 2), false, true);
      const mixed = tf.transpose(tf.matMul(tf.softmax(scores), split(v, 4)), [0, 2, 1, 3]);
      return tf.reshape(project(mixed, [inner, q.shape[2]], 6), q.shape);
    });
  }
}
