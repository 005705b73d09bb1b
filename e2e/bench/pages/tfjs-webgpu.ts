// TF.js on WebGPU in its page. It reads no ONNX: the models come converted, see ../tfjs.

import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { tfDTypeOf } from '../tfjs/graph';
import { Interpreter } from '../tfjs/interpreter';
import { serve } from './page';
import type { Feed } from './runtime';
import { elementsOf } from './typed-arrays';

type Tensors = Record<string, tf.Tensor>;

let starting: Promise<void> | undefined;

async function start(): Promise<void> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TF.js could not start its WebGPU backend.');
  await tf.ready();
}

serve({
  async start() {
    starting ??= start();
    await starting;
    return '';
  },
  async open({ graph: folder, resident }, feeds) {
    if (!folder) throw new Error('the model does not convert');
    const [graph, weights] = await Promise.all([
      fetch(`${folder}/graph.json`).then((response) => response.json()),
      fetch(`${folder}/weights.bin`).then((response) => response.arrayBuffer()),
    ]);
    await starting;
    const model = new Interpreter(graph, weights);
    const held = resident ? tensorsOf(feeds) : undefined;
    const run = () => {
      if (held) return model.run(held);
      const inputs = tensorsOf(feeds);
      const answers = model.run(inputs);
      tf.dispose(inputs);
      return answers;
    };
    return {
      async outputs() {
        const answers = run();
        const read = Object.entries(answers).map(async ([name, tensor]) => {
          const data = await tensor.data<'float32'>();
          return [name, { dims: tensor.shape, data }] as const;
        });
        const outputs = Object.fromEntries(await Promise.all(read));
        tf.dispose(answers);
        return outputs;
      },
      async run() {
        const answers = run();
        const wanted = Object.entries(answers).filter(([name]) => !resident || name === 'probe');
        await Promise.all(wanted.map(([, tensor]) => tensor.data()));
        tf.dispose(answers);
      },
      dispose() {
        tf.dispose(held ?? {});
        model.dispose();
      },
    };
  },
});

function tensorsOf(feeds: readonly Feed[]): Tensors {
  return Object.fromEntries(feeds.map((feed) => [feed.name, tensorOf(feed)]));
}

function tensorOf({ dtype, dims, bytes }: Feed): tf.Tensor {
  const type = tfDTypeOf(dtype);
  const elements = elementsOf(dtype, bytes);
  return tf.tensor(dtype === 'int64' ? Int32Array.from(elements, Number) : elements, [...dims], type);
}
