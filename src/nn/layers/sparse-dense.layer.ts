// SparseDense: a dense layer on samples that are the rows of a sparse matrix [samples, features] and come by their numbers:
// activation(matrix[input] · kernel + bias). Only entries are multiplied, and in training a share `dropout` of them is left out.

import { ndarray } from '../../base/ndarray';
import { number, whole } from '../../base/options';
import { activate, activationOption } from '../activations';
import { defineLayer } from '../layer';
import { sparseMatrix, sparseProduct } from '../sparse';
import { Tensor } from '../tensor';
import { kernelOptions } from '../weights';

export default defineLayer({
  className: 'SparseDense',
  options: {
    units: whole(1),
    matrix: sparseMatrix,
    activation: activationOption('linear'),
    dropout: number(0, [0, 1]),
    ...kernelOptions,
  },
  integers: true,
  weights({ config }) {
    const { units, matrix, useBias } = config;
    const kernel = { name: 'kernel', dims: [matrix.shape[1], units], initializer: config.kernelInitializer };
    const bias = { name: 'bias', dims: [units], initializer: config.biasInitializer };
    return [
      { ...kernel, regularizer: config.kernelRegularizer },
      ...(useBias ? [{ ...bias, regularizer: config.biasRegularizer }] : []),
    ];
  },
  outputShape: ({ shape, config }) => [...shape, config.units],
  call(layer) {
    const { b, f, config, weight, training } = layer;
    const { matrix, dropout, useBias, activation } = config;
    let values = b.constant(ndarray('float32', [matrix.values.length], matrix.values));
    if (training && dropout > 0) {
      const { seed, salt } = layer.draw();
      values = f.node('lepton.SeededDropout', [values, seed], { ratio: dropout, salt });
    }
    const all = sparseProduct(layer, matrix, weight('kernel'), values);
    const numbers = layer.input.plain();
    const whole = b.type(numbers).dtype === 'int32' ? numbers : f.node('Cast', [numbers], { to: 6 });
    const product = f.node('Gather', [all, whole], { axis: 0 });
    const sum = useBias ? f.add(product, weight('bias')) : product;
    return activate(layer, Tensor.plain(b, sum), activation);
  },
});
