// Rescaling and Normalization: inputs brought into range by numbers that are known before training.

import { ndarray } from '../../base/ndarray';
import { invalid, number, numbers, optional } from '../../base/options';
import { type Call, defineLayer, type Sized } from '../layer';
import { Tensor } from '../tensor';

const rescaling = defineLayer({
  className: 'Rescaling',
  options: { scale: number(), offset: number(0) },
  outputShape: ({ shape }) => shape,
  call({ f, input, config: { scale, offset } }) {
    const scaled = f.mul(input.either, scale);
    return input.like(offset === 0 ? scaled : f.add(scaled, offset));
  },
});

const options = { mean: optional(numbers()), variance: optional(numbers()) };

/** Of a layer that was adapted, or given both. */
function momentsOf({ name, config: { mean, variance } }: Sized<typeof options>) {
  if (mean && variance) return { mean, variance };
  return invalid(
    `Layer "${name}" (Normalization) has no mean and variance: call adapt(data) before the model gets its weights, or give both.`,
    { layer: name },
  );
}

/** As Keras's: (x - mean) / max(sqrt(variance), 1e-7) along the last axis. */
const normalization = defineLayer({
  className: 'Normalization',
  options,
  outputShape(layer: Sized<typeof options>) {
    const size = layer.shape.at(-1);
    for (const [name, list] of Object.entries(momentsOf(layer))) {
      if (list.length !== 1 && list.length !== size)
        layer.fail(`has ${list.length} numbers as ${name}, for the last axis`);
    }
    return layer.shape;
  },
  call(layer: Call<typeof options>) {
    const { b, f, input } = layer;
    const { mean, variance } = momentsOf(layer);
    const row = (list: readonly number[]) => b.constant(ndarray('float32', [list.length], list));
    const deviation = row(variance.map((v) => Math.max(Math.sqrt(v), 1e-7)));
    return Tensor.plain(b, f.div(f.sub(input.plain(), row(mean)), deviation));
  },
});

export default [rescaling, normalization];
