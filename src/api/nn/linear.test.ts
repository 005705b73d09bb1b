import { expect, it } from 'vitest';
import { linearRegression, linearSVM, logisticRegression } from './linear';

const configs = (model: ReturnType<typeof linearSVM>) => model.spec.layers.map(({ config }) => config);

it('is one layer, as the task needs it', () => {
  expect(linearRegression({ features: 3, outputs: 2 }).spec.inputs).toEqual([
    { name: 'input', shape: [3], dtype: 'float32' },
  ]);
  expect(configs(linearRegression({ features: 3, outputs: 2 }))).toEqual([{ units: 2, kernelInitializer: 'zeros' }]);
  expect(configs(logisticRegression({ features: 3 }))).toMatchObject([{ units: 1, activation: 'sigmoid' }]);
  expect(configs(logisticRegression({ features: 3, classes: 4 }))).toMatchObject([{ units: 4, activation: 'softmax' }]);
});

it('is compiled, and regularised where that is asked for', () => {
  expect(linearRegression({ features: 1 }).learningRate).toBe(0.05);
  expect(linearSVM({ features: 1, optimizer: 'sgd' }).learningRate).toBe(0.01);
  const l2 = (model: ReturnType<typeof linearSVM>) => configs(model)[0]?.kernelRegularizer;
  expect(l2(linearRegression({ features: 1, l2: 0.1 }))).toEqual({ name: 'l2', config: { l2: 0.1 } });
  expect(l2(linearSVM({ features: 1 }))).toEqual({ name: 'l2', config: { l2: 0.001 } });
  expect(l2(linearSVM({ features: 1, l2: 0 }))).toBeUndefined();
});
