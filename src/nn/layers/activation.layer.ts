// Activation, and the activations that are layers of their own.

import { number, type Options, optional, wholes } from '../../base/options';
import { activate, activationOption } from '../activations';
import { type Call, defineLayer } from '../layer';
import { Tensor } from '../tensor';
import { initializer, regularizer } from '../weights';

/** A layer of one input that leaves the shape as it is. */
function elementwise<O extends Options>(className: string, options: O, call: (layer: Call<O>) => Tensor) {
  return defineLayer({ className, options, outputShape: ({ shape }) => shape, call });
}

const positive: readonly [number, number] = [0, Infinity];

const activation = elementwise('Activation', { activation: activationOption() }, (layer) =>
  activate(layer, layer.input, layer.config.activation),
);

const relu = elementwise(
  'ReLU',
  {
    maxValue: optional(number(undefined, positive)),
    negativeSlope: number(0, positive),
    threshold: number(0, positive),
  },
  ({ f, input, config: { maxValue, negativeSlope, threshold } }) => {
    const x = input.either;
    const capped = maxValue === undefined ? x : f.of('Min', x, maxValue);
    if (threshold === 0) {
      return input.like(
        negativeSlope === 0 ? f.of('Relu', capped) : f.node('LeakyRelu', [capped], { alpha: negativeSlope }),
      );
    }
    const below = f.mul(f.sub(x, threshold), negativeSlope);
    return input.like(f.of('Where', f.of('GreaterOrEqual', x, threshold), capped, below));
  },
);

const leakyRelu = elementwise('LeakyReLU', { negativeSlope: number(0.3, positive) }, ({ f, input, config }) =>
  input.like(f.node('LeakyRelu', [input.either], { alpha: config.negativeSlope })),
);

const elu = elementwise('ELU', { alpha: number(1) }, ({ f, input, config }) =>
  input.like(f.node('Elu', [input.either], { alpha: config.alpha })),
);

const softmax = elementwise('Softmax', { axis: number(-1) }, (layer) => {
  const { axis } = layer.config;
  const { rank } = layer.input;
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 1 || at >= rank) layer.fail(`runs along axis ${axis}, which its input must have`);
  return activate(layer, layer.input, 'softmax', at);
});

/** One slope for each element of a sample; with `sharedAxes` (from 1) one for all along those. */
const prelu = defineLayer({
  className: 'PReLU',
  options: { alphaInitializer: initializer('zeros'), alphaRegularizer: regularizer, sharedAxes: optional(wholes(1)) },
  weights(layer) {
    const { alphaInitializer, alphaRegularizer, sharedAxes = [] } = layer.config;
    const dims = layer.shape.slice(1).map((_, i) => (sharedAxes.includes(i + 1) ? 1 : layer.size(i + 1)));
    return [{ name: 'alpha', dims, initializer: alphaInitializer, regularizer: alphaRegularizer }];
  },
  outputShape: ({ shape }) => shape,
  call({ f, input, weight, b }) {
    const x = input.plain();
    // PRelu's slope broadcasts to the input: [features] to [batch, features].
    return Tensor.plain(b, f.node('PRelu', [x, weight('alpha')]));
  },
});

export default [activation, relu, leakyRelu, elu, softmax, prelu];
