// The network that reads digits: two convolutions, 26,698 weights. What ships was trained by `npm run make:digits-model`.

import type { Sequential } from '../../api/training';

type Api = Pick<typeof import('../../api/training'), 'layers' | 'sequential'>;

/** With random weights. @param api the library's, of a page or of Node */
export function freshNetwork({ layers, sequential }: Api): Sequential {
  return sequential(
    [
      layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [28, 28, 1] }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    'digits',
  );
}

/** How the page trains it, and how it was trained. */
export const compileOptions = {
  optimizer: { name: 'adam', learningRate: 0.001 },
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
} as const;

/** The digit with the highest score. */
export function bestOf(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return best;
}
