// MNIST as arrays, read from the shared data: pixels from 0 to 1, labels as class numbers.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dataPath } from '../support/data';

export interface Digits {
  /** [count, 28, 28, 1] */
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly count: number;
}

export function digits(part: 'train' | 't10k', count: number): Digits {
  const read = (kind: string) => gunzipSync(readFileSync(dataPath('datasets', 'mnist', `${part}-${kind}-ubyte.gz`)));
  const pixels = read('images-idx3').subarray(16, 16 + count * 784);
  const labels = read('labels-idx1').subarray(8, 8 + count);
  return { images: Float32Array.from(pixels, (p) => p / 255), labels: Int32Array.from(labels), count };
}
