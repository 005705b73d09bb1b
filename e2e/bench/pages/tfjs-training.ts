// TF.js training on WebGPU in its page: its own layers, trained with `trainOnBatch`. Attention, which its layers lack, is
// written out in tfjs-attention.ts.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Feed, Training, TrainingData, TrainingRun } from './runtime';
import { TfAttention } from './tfjs-attention';
import { start } from './tfjs-start';
import { serveTraining } from './training';
import { elementsOf } from './typed-arrays';

type Factory = (config: object) => tfl.layers.Layer;

const factories = new Map(Object.entries(tfl.layers).map(([name, make]) => [name.toLowerCase(), make as Factory]));

async function train({ spec, loss, learningRate }: Training, { weights, x, y }: TrainingData): Promise<TrainingRun> {
  const layers = spec.layers.map(({ name, className, config }) => {
    const make = className === 'MultiHeadAttention' ? attention : (factories.get(className.toLowerCase()) as Factory);
    return make({ ...config, name });
  });
  const named = new Map(layers.map((layer) => [layer.name, layer]));
  const inputs = spec.inputs.map(({ name, shape }) => tfl.input({ name, shape: [...shape] }));
  const values = new Map(spec.inputs.map(({ name }, i) => [name, inputs[i] as tfl.SymbolicTensor]));
  const of = (names: readonly string[]) => names.map((name) => values.get(name) as tfl.SymbolicTensor);
  for (const { layer, inputs, output } of spec.calls) {
    const read = of(inputs);
    const made = (named.get(layer) as tfl.layers.Layer).apply(
      read.length === 1 ? (read[0] as tfl.SymbolicTensor) : read,
    );
    values.set(output, made as tfl.SymbolicTensor);
  }
  const model = tfl.model({ inputs, outputs: of(spec.outputs) });
  for (const layer of layers) {
    const own = weights.filter(({ name }) => name.startsWith(`${layer.name}/`)).map(tensorOf);
    layer.setWeights(own);
    tf.dispose(own);
  }
  const optimizer = tf.train.adam(learningRate);
  model.compile({ optimizer, loss });
  return {
    async step() {
      const batch = [tensorOf(x), tensorOf(y)] as const;
      const value = await model.trainOnBatch(...batch);
      tf.dispose([...batch]);
      return value as number;
    },
    dispose() {
      model.dispose();
      optimizer.dispose();
    },
  };
}

serveTraining({ start: () => start().then(() => ''), train });

function attention(config: object): tfl.layers.Layer {
  return new TfAttention(config as ConstructorParameters<typeof TfAttention>[0]);
}

/** It has class numbers as a column of floats. */
function tensorOf({ dtype, dims, bytes }: Feed): tf.Tensor {
  const elements = elementsOf(dtype, bytes);
  return dtype === 'int32' ? tf.tensor(Float32Array.from(elements), [...dims, 1]) : tf.tensor(elements, [...dims]);
}
