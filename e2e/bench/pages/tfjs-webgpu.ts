// TF.js on WebGPU in its page. It reads no ONNX: the models come converted, see ../tfjs.

import * as tf from '@tensorflow/tfjs-core';
import { tfDTypeOf } from '../tfjs/graph';
import { Interpreter } from '../tfjs/interpreter';
import { channelsLast, inChannelsLast, inOnnxOrder, plain, type TfValue } from '../tfjs/values';
import { serve } from './page';
import type { Feed } from './runtime';
import { start } from './tfjs-start';
import { elementsOf } from './typed-arrays';

type Values = Record<string, TfValue>;

serve({
  start: () => start().then(() => ''),
  async open({ graph: folder, resident }, feeds) {
    if (!folder) throw new Error('the model does not convert');
    const [graph, weights] = await Promise.all([
      fetch(`${folder}/graph.json`).then((response) => response.json()),
      fetch(`${folder}/weights.bin`).then((response) => response.arrayBuffer()),
    ]);
    await start();
    const model = new Interpreter(graph, weights);
    const held = resident ? valuesOf(feeds, held4d) : undefined;
    /** Outputs in ONNX's order of axes. */
    const answer = (): Record<string, tf.Tensor> =>
      tf.tidy(() => {
        const values = model.run(held ?? valuesOf(feeds, plain));
        return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, inOnnxOrder(value)]));
      });
    return {
      async outputs() {
        const answers = answer();
        const read = Object.entries(answers).map(async ([name, tensor]) => {
          const data = await tensor.data<'float32'>();
          return [name, { dims: tensor.shape, data }] as const;
        });
        const outputs = Object.fromEntries(await Promise.all(read));
        tf.dispose(answers);
        return outputs;
      },
      async run() {
        // The first element, which is all that is read of what stays on the GPU, is the same in either order of axes.
        const answers = held ? tf.tidy(() => [firstOf(model.run(held, ['y']).y as TfValue)]) : Object.values(answer());
        await Promise.all(answers.map((tensor) => tensor.data()));
        tf.dispose(answers);
      },
      dispose() {
        tf.dispose(Object.values(held ?? {}).map(({ tensor }) => tensor));
        model.dispose();
      },
    };
  },
});

function valuesOf(feeds: readonly Feed[], form: (tensor: tf.Tensor) => TfValue): Values {
  return Object.fromEntries(feeds.map((feed) => [feed.name, form(tensorOf(feed))]));
}

/** Images that stay on the GPU lie there as TF.js likes them. */
function held4d(tensor: tf.Tensor): TfValue {
  return tensor.rank === 4 ? channelsLast(tf.tidy(() => tf.clone(inChannelsLast(plain(tensor))))) : plain(tensor);
}

function firstOf({ tensor }: TfValue): tf.Tensor {
  return tf.slice(tf.reshape(tensor, [-1]), [0], [1]);
}

function tensorOf({ dtype, dims, bytes }: Feed): tf.Tensor {
  const type = tfDTypeOf(dtype);
  const elements = elementsOf(dtype, bytes);
  return tf.tensor(dtype === 'int64' ? Int32Array.from(elements, Number) : elements, [...dims], type);
}
