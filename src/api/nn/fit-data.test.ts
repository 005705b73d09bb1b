// What fit() and evaluate() take, and that what they do not take they name at once.

import { expect, it } from 'vitest';
import { checkEvaluate, checkFit, type FitOptions } from './fit-data';

it.each<[object, string]>([
  [{ epochs: -1 }, 'fit() has the option epochs = -1; expected a whole number from 0.'],
  [{ epochs: '3' }, 'epochs = "3"'],
  [{ epoch: 3 }, 'fit() has no option "epoch"; it has epochs,'],
  [{ batchSize: 0 }, 'batchSize = 0; expected a whole number from 1'],
  [{ shuffle: 1 }, 'shuffle = 1; expected true or false'],
  [{ validationSplit: 1.5 }, 'validationSplit = 1.5; expected a number from 0 to 1'],
  [{ callbacks: {} }, 'callbacks = {}; expected a list'],
  [{ signal: {} }, 'signal = {}; expected an AbortSignal'],
])('fit() refuses %j', (options, message) => {
  expect(() => checkFit(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(() => checkFit(options)).toThrow(message);
});

it('takes what is left out, and epochs without end', () => {
  const { signal } = new AbortController();
  const whole: FitOptions = { epochs: Number.POSITIVE_INFINITY, stepsPerEpoch: Number.POSITIVE_INFINITY, signal };
  for (const options of [{}, { epochs: undefined }, whole]) checkFit(options as FitOptions);
  checkEvaluate('evaluate()', {});
  expect(() => checkEvaluate('predict()', { batchSize: 0.5 })).toThrow('predict() has the option batchSize = 0.5');
});
