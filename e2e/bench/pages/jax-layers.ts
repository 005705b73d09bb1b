// Layers of the models that the benchmark trains, written out for jax-js, which has none. Every array that a layer is given
// is moved into what it computes: `ref` keeps one for another use.

import { lax, nn, numpy as np } from '@jax-js/jax';
import type { ModelSpec } from '../../../src/nn/types';

export type Arrays = Record<string, np.Array>;
type Config = Readonly<Record<string, unknown>>;
/** A weight of the layer by its own name. */
type Weight = (name: string) => np.Array;
type Layer = (inputs: readonly np.Array[], weight: Weight, config: Config) => np.Array;

/** Softmax stands before the loss alone, which takes what goes into it. */
const activations: Readonly<Record<string, (x: np.Array) => np.Array>> = {
  linear: (x) => x,
  softmax: (x) => x,
  relu: nn.relu,
};

function activated(x: np.Array, { activation = 'linear' }: Config): np.Array {
  return (activations[activation as string] as (x: np.Array) => np.Array)(x);
}

/** Rows times columns, whatever axes stand before the last. */
function product(x: np.Array, kernel: np.Array): np.Array {
  const [lead, rows] = [x.shape.slice(0, -1), x.shape.at(-1) as number];
  const columns = kernel.shape[1] as number;
  return np.matmul(x.reshape([-1, rows]), kernel).reshape([...lead, columns]);
}

/** Images lie as [batch, channels, height, width] between layers, and kernels as `kernelOrder` has them. */
const layers: Readonly<Record<string, Layer>> = {
  Conv2D([x], weight, config) {
    const sums = lax.conv(x as np.Array, weight('kernel'), [1, 1], 'VALID');
    return activated(sums.add(weight('bias').reshape([1, -1, 1, 1])), config);
  },
  MaxPooling2D: ([x]) => lax.reduceWindow(x as np.Array, np.max, [2, 2], [2, 2]),
  Flatten([x]) {
    const images = x as np.Array;
    return images.transpose([0, 2, 3, 1]).reshape([images.shape[0] as number, -1]);
  },
  Dense([x], weight, config) {
    return activated(product(x as np.Array, weight('kernel')).add(weight('bias')), config);
  },
  Add: ([a, b]) => (a as np.Array).add(b as np.Array),
  LayerNormalization([x], weight) {
    return nn
      .standardize(x as np.Array, -1, { epsilon: 0.001 })
      .mul(weight('gamma'))
      .add(weight('beta'));
  },
  MultiHeadAttention([query, value], weight) {
    const heads = (name: string, x: np.Array) => {
      const [features, count, depth] = weight(`${name}/kernel`).shape as [number, number, number];
      const all = product(x, weight(`${name}/kernel`).reshape([features, count * depth]));
      return all.reshape([...all.shape.slice(0, -1), count, depth]).add(weight(`${name}/bias`));
    };
    const v = value as np.Array;
    const mixed = nn.dotProductAttention(heads('query', query as np.Array), heads('key', v.ref), heads('value', v));
    const [batch, steps, count, depth] = mixed.shape as [number, number, number, number];
    const kernel = weight('output/kernel').reshape([count * depth, -1]);
    return product(mixed.reshape([batch, steps, count * depth]), kernel).add(weight('output/bias'));
  },
  LSTM([x], weight, { units }) {
    const size = units as number;
    const [, steps] = (x as np.Array).shape as [number, number];
    const fromInput = product(x as np.Array, weight('kernel')).add(weight('bias'));
    const recurrent = weight('recurrentKernel');
    let [h, c]: (np.Array | undefined)[] = [];
    for (let t = 0; t < steps; t++) {
      const row = (t < steps - 1 ? fromInput.ref : fromInput).slice([], t);
      const sums: np.Array = h ? row.add(np.matmul(h, t < steps - 1 ? recurrent.ref : recurrent)) : row;
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) =>
        (gate < 3 ? sums.ref : sums).slice([], [gate * size, (gate + 1) * size]),
      ) as [np.Array, np.Array, np.Array, np.Array];
      const written = nn.sigmoid(i).mul(np.tanh(g));
      const keep = nn.sigmoid(f);
      if (!c) keep.dispose();
      c = c ? keep.mul(c).add(written) : written;
      h = nn.sigmoid(o).mul(np.tanh(t < steps - 1 ? c.ref : c));
    }
    return h as np.Array;
  },
};

/** How the axes of Keras's kernels of a convolution are put for jax-js: filters first. */
export const kernelOrder = [3, 2, 0, 1];

/** What the model answers. */
export function forward({ inputs, calls, layers: specs, outputs }: ModelSpec, x: np.Array, weights: Arrays): np.Array {
  const reads = calls.flatMap((call) => call.inputs);
  const left = new Map(reads.map((name) => [name, reads.filter((other) => other === name).length]));
  const values = new Map<string, np.Array>();
  const take = (name: string): np.Array => {
    const uses = left.get(name) as number;
    left.set(name, uses - 1);
    const value = values.get(name) as np.Array;
    return uses > 1 ? value.ref : value;
  };
  const input = inputs[0]?.name as string;
  // Images come channels last; others have no four axes.
  values.set(input, x.ndim === 4 ? x.transpose([0, 3, 1, 2]) : x);
  for (const { layer, inputs, output } of calls) {
    const { className, config } = specs.find(({ name }) => name === layer) as ModelSpec['layers'][number];
    const call = layers[className];
    if (!call) throw new Error(`This page has no ${className} for jax-js.`);
    values.set(
      output,
      call(inputs.map(take), (name) => weights[`${layer}/${name}`] as np.Array, config),
    );
  }
  return values.get(outputs[0] as string) as np.Array;
}
