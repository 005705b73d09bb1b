// What compile() takes, and that what it does not take it names at once.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lossOptions, metricOptions, optimizerOptions } from '../../base/compile-options';
import { type CompileOptions, compileSpecOf } from './options';

const specOf = (options: object, outputs = 1) => compileSpecOf(options as CompileOptions, outputs);

describe('compile', () => {
  it('has defaults', () => {
    expect(specOf({ loss: 'huber' })).toEqual({
      spec: { optimizer: { name: 'adam', config: {} }, losses: [{ name: 'huber' }], lossWeights: [1], metrics: [[]] },
      learningRate: 0.001,
    });
    expect(specOf({ loss: 'huber', optimizer: 'sgd' }).learningRate).toBe(0.01);
  });

  it('takes options by name, one loss for all outputs or one each', () => {
    const { spec, learningRate } = specOf(
      {
        optimizer: { name: 'sgd', learningRate: 0, momentum: 0.5, clipNorm: undefined },
        loss: ['meanSquaredError', { name: 'huber', delta: 2 }],
        lossWeights: [1, 0.5],
        metrics: [['meanAbsoluteError', { name: 'huber', delta: 3 }], []],
      },
      2,
    );
    expect(learningRate).toBe(0);
    expect(spec).toEqual({
      optimizer: { name: 'sgd', config: { momentum: 0.5 } },
      losses: [{ name: 'meanSquaredError' }, { name: 'huber', config: { delta: 2 } }],
      lossWeights: [1, 0.5],
      metrics: [[{ name: 'meanAbsoluteError' }, { name: 'huber', config: { delta: 3 } }], []],
    });
  });

  it('takes mixed precision with Keras’s defaults, or options', () => {
    const of = (mixedPrecision: unknown) => specOf({ loss: 'huber', mixedPrecision }).spec.mixedPrecision;
    expect(of(true)).toEqual({ initialScale: 32768, dynamicGrowthSteps: 2000 });
    expect(of({ initialScale: 8 })).toEqual({ initialScale: 8, dynamicGrowthSteps: 2000 });
    expect(of(false)).toBe(undefined);
  });

  it.each<[string, object, string]>([
    [
      'a scale below 1',
      { mixedPrecision: { initialScale: 0.5 } },
      'option initialScale = 0.5; expected a number from 1',
    ],
    ['another precision', { mixedPrecision: 'float16' }, 'has mixedPrecision = "float16"; expected true, false or {'],
    ['an optimiser that there is not', { optimizer: 'adm' }, 'There is no optimiser "adm"; there are sgd, rmsprop'],
    ['a misspelt option', { optimizer: { name: 'adam', lr: 1 } }, '"adam" has no option "lr"; it has learningRate,'],
    [
      'an option that is out of range',
      { optimizer: { name: 'adam', beta1: 2 } },
      'The optimiser "adam" has the option beta1 = 2; expected a number from 0 to 1.',
    ],
    ['a rate that is none', { optimizer: { name: 'sgd', learningRate: '1' } }, 'learningRate = "1"; expected a number'],
    ['a rate that is no number', { optimizer: { name: 'sgd', learningRate: Number.NaN } }, 'learningRate = NaN'],
    ['a loss that there is not', { loss: 'mse' }, 'There is no loss "mse"; there are meanSquaredError'],
    ['no loss', { loss: undefined }, 'needs a loss'],
    ['an option of another loss', { loss: { name: 'hinge', fromLogits: true } }, '"hinge" has no option "fromLogits"'],
    ['an option of another type', { loss: { name: 'huber', delta: true } }, 'delta = true; expected a number from 0'],
    ['a metric that there is not', { metrics: ['acc'] }, 'There is no metric "acc"; there are'],
    ['a metric with a wrong option', { metrics: [{ name: 'auc', numThresholds: 2 }] }, 'a whole number from 3'],
    ['a metric without a name', { metrics: [{ threshold: 2 }] }, 'has {"threshold":2} where a name'],
    ['metrics that are no list', { metrics: 'accuracy' }, 'has metrics = "accuracy"; expected a list'],
    ['a loss weight that is no number', { lossWeights: [Number.NaN] }, 'expected a number for each of 1 outputs'],
    [
      'an option of its own that there is not',
      { optimiser: 'sgd' },
      'compile() has no option "optimiser"; it has optimizer, loss,',
    ],
  ])('refuses %s', (_what, options, message) => {
    let error: unknown;
    try {
      specOf({ loss: 'meanSquaredError', ...options });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) });
  });

  it('takes nothing that the guide does not name', () => {
    const guide = readFileSync(new URL('../../../docs/training.md', import.meta.url), 'utf8');
    const tables = [lossOptions, metricOptions, optimizerOptions].flatMap((table) => Object.entries(table));
    const names = new Set(tables.flatMap(([name, options]) => [name, ...Object.keys(options)]));
    expect([...names].filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});
