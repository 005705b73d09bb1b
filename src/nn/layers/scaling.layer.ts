// Rescaling and Normalization: inputs brought into range by numbers that are known before training.

import { ndarray } from '../../base/ndarray';
import { type Call, defineLayer, type Sized } from '../layer';
import { number, numbers } from '../options';
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

const options = { mean: numbers(), variance: numbers() };

/** As Keras's with `mean` and `variance` given: (x - mean) / max(sqrt(variance), 1e-7) along the last axis. */
const normalization = defineLayer({
  className: 'Normalization',
  options,
  outputShape(layer: Sized<typeof options>) {
    const size = layer.shape.at(-1);
    for (const [name, list] of Object.entries(layer.config)) {
      if (list.length !== 1 && list.length !== size)
        layer.fail(`has ${list.length} numbers as ${name}, for the last axis`);
    }
    return layer.shape;
  },
  call({ b, f, input, config }: Call<typeof options>) {
    const row = (list: readonly number[]) => b.constant(ndarray('float32', [list.length], list));
    const deviation = row(config.variance.map((v) => Math.max(Math.sqrt(v), 1e-7)));
    return Tensor.plain(b, f.div(f.sub(input.plain(), row(config.mean)), deviation));
  },
});

export default [rescaling, normalization];
