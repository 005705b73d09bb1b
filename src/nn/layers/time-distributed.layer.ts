// TimeDistributed: a layer on each step by itself, [batch, steps, …]. All steps go through it at once, as one larger batch.

import { type Option, type Options, readOptions } from '../../base/options';
import { Call, defineLayer, Sized } from '../layer';
import { reshaped, Tensor } from '../tensor';
import type { Config, Shape } from '../types';

interface Inner {
  readonly className: string;
  readonly config: Config;
}

const inner: Option<Inner> = (value, fail) => {
  const { className, config = {} } = (value ?? {}) as Partial<Inner>;
  return typeof className === 'string' ? { className, config } : fail('a layer');
};
const options = { layer: inner };

/** The layer inside, on what one step is. */
function within(outer: Sized<typeof options>, batch: number | null) {
  const { className, config } = outer.config.layer;
  if (outer.shape.length < 3) outer.fail('needs an input [batch, steps, …]');
  const def = outer.layerOf(className);
  const read = readOptions(`The ${className} of layer "${outer.name}"`, def.options, config);
  const shape: Shape = [batch, ...outer.shape.slice(2)];
  return { def, sized: new Sized<Options>(outer.name, className, read, [shape], outer.layerOf) };
}

export default defineLayer({
  className: 'TimeDistributed',
  options,
  weights(layer: Sized<typeof options>) {
    const { def, sized } = within(layer, null);
    return def.weights?.(sized) ?? [];
  },
  outputShape(layer: Sized<typeof options>) {
    const { def, sized } = within(layer, null);
    const [batch, steps] = layer.shape as [number | null, number | null];
    return [batch, steps, ...def.outputShape(sized).slice(1)];
  },
  call(layer: Call<typeof options>) {
    const { b, input, weight, training, trainable, draw, update } = layer;
    const [batch, steps, ...sizes] = input.dims as [number, number, ...number[]];
    const { def, sized } = within(layer, batch * steps);
    const merged = Tensor.plain(b, reshaped(b, input.plain(), [batch * steps, ...sizes]));
    const result = def.call(new Call(sized, b, [merged], weight, training, trainable, draw, update)).plain();
    return Tensor.plain(b, reshaped(b, result, [batch, steps, ...b.type(result).dims.slice(1)]));
  },
});
