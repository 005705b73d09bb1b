// Embedding: whole numbers below `inputDim`, each to a row of a learned table [inputDim, outputDim].

import { whole } from '../../base/options';
import { defineLayer } from '../layer';
import { Tensor } from '../tensor';
import { initializer, regularizer } from '../weights';

export default defineLayer({
  className: 'Embedding',
  options: {
    inputDim: whole(1),
    outputDim: whole(1),
    embeddingsInitializer: initializer('randomUniform'),
    embeddingsRegularizer: regularizer,
  },
  integers: true,
  weights({ config: { inputDim, outputDim, embeddingsInitializer, embeddingsRegularizer } }) {
    const dims = [inputDim, outputDim];
    return [{ name: 'embeddings', dims, initializer: embeddingsInitializer, regularizer: embeddingsRegularizer }];
  },
  outputShape: ({ shape, config }) => [...shape, config.outputDim],
  call({ b, f, input, weight }) {
    const tokens = input.plain();
    const whole = b.type(tokens).dtype === 'int32' ? tokens : f.node('Cast', [tokens], { to: 6 });
    return Tensor.plain(b, f.node('Gather', [weight('embeddings'), whole], { axis: 0 }));
  },
});
