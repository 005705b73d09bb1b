// Dropout: in training, each element becomes 0 with the probability `rate`, and the others grow so that the mean stays.
// https://jmlr.org/papers/v15/srivastava14a.html

import { number } from '../../base/options';
import { defineLayer } from '../layer';

export default defineLayer({
  className: 'Dropout',
  options: { rate: number(undefined, [0, 1]) },
  outputShape: ({ shape }) => shape,
  call({ f, input, config, training, draw }) {
    if (!training || config.rate === 0) return input;
    const { seed, salt } = draw();
    return input.like(f.node('lepton.SeededDropout', [input.either, seed], { ratio: config.rate, salt }));
  },
});
