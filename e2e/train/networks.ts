// Models for the tests of training, as plain data.

import type { CallSpec, Config, InputSpec, LayerSpec, ModelSpec } from '../../src/nn/types';

export type Layer = readonly [className: string, config?: Config];

/** Layers one after the other. */
export function sequence(name: string, input: Omit<InputSpec, 'name'>, layers: readonly Layer[]): ModelSpec {
  const specs = layers.map(
    ([className, config = {}], i): LayerSpec => ({ name: `${className}_${i}`, className, config }),
  );
  const calls = specs.map(
    (layer, i): CallSpec => ({
      layer: layer.name,
      inputs: [i === 0 ? 'x' : `value${i - 1}`],
      output: `value${i}`,
    }),
  );
  return { name, inputs: [{ name: 'x', ...input }], layers: specs, calls, outputs: [`value${layers.length - 1}`] };
}

/** Flatten, Dense 128, Dense 10. */
export const mlp = sequence('mlp', { shape: [28, 28, 1], dtype: 'float32' }, [
  ['Flatten'],
  ['Dense', { units: 128, activation: 'relu' }],
  ['Dense', { units: 10, activation: 'softmax' }],
]);

/** Three convolutions with poolings between, and two dense layers. */
export const cnn = sequence('cnn', { shape: [28, 28, 1], dtype: 'float32' }, [
  ['Conv2D', { filters: 32, kernelSize: 3, activation: 'relu' }],
  ['MaxPooling2D', { poolSize: 2 }],
  ['Conv2D', { filters: 64, kernelSize: 3, activation: 'relu' }],
  ['MaxPooling2D', { poolSize: 2 }],
  ['Conv2D', { filters: 64, kernelSize: 3, activation: 'relu' }],
  ['Flatten'],
  ['Dense', { units: 64, activation: 'relu' }],
  ['Dense', { units: 10, activation: 'softmax' }],
]);
