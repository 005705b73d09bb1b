// Random numbers as a value of the graph: a constant where there is a seed, drawn anew at each run where not.

import { ndarray } from '../../base/ndarray';
import type { LowerBuilder } from '../../ir/opdef';
import { generator } from './generator';

/** Name of a float32 value of shape `dims`: uniform in [0, 1), or normal of mean 0 and variance 1. */
export function randomNumbers(
  b: LowerBuilder,
  dims: readonly number[],
  kind: 'uniform' | 'normal',
  seed?: number,
): string {
  if (seed === undefined) {
    const drawn = Math.floor(Math.random() * 2 ** 31);
    return b.add('lepton.RandomNumbers', [], {
      shape: dims,
      seed: drawn,
      normal: Number(kind === 'normal'),
    })[0] as string;
  }
  const numbers = ndarray('float32', dims);
  const next = generator(seed)[kind];
  for (let i = 0; i < numbers.data.length; i++) numbers.data[i] = next();
  return b.constant(numbers);
}
