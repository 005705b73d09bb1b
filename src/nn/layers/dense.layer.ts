// Dense: activation(input · kernel + bias) along the last axis.

import { whole } from '../../base/options';
import { activate, activationOption } from '../activations';
import { defineLayer } from '../layer';
import { Tensor } from '../tensor';
import { kernelOptions } from '../weights';

export default defineLayer({
  className: 'Dense',
  options: { units: whole(1), activation: activationOption('linear'), ...kernelOptions },
  weights(layer) {
    const { units, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer } = layer.config;
    const kernel = { name: 'kernel', dims: [layer.size(-1), units], initializer: kernelInitializer };
    return [
      { ...kernel, regularizer: kernelRegularizer },
      ...(useBias ? [{ name: 'bias', dims: [units], initializer: biasInitializer, regularizer: biasRegularizer }] : []),
    ];
  },
  outputShape(layer) {
    if (layer.shape.length < 2) layer.fail('needs an input [batch, …, features]');
    return [...layer.shape.slice(0, -1), layer.config.units];
  },
  call(layer) {
    const { f, config } = layer;
    const product = f.node('MatMul', [layer.input.plain(), layer.weight('kernel')]);
    const sum = config.useBias ? f.add(product, layer.weight('bias')) : product;
    return activate(layer, Tensor.plain(layer.b, sum), config.activation);
  },
});
