import { describe, expect, it } from 'vitest';
import type { CompileSpec } from '../nn/types';
import { checkGradients, readReport } from './training-report';

const compile: CompileSpec = { optimizer: { name: 'sgd' }, losses: [], lossWeights: [], metrics: [] };
const scaled: CompileSpec = { ...compile, mixedPrecision: { initialScale: 8, dynamicGrowthSteps: 9 } };
const weights = ['a/kernel', 'a/bias'];
const of = (numbers: readonly number[], nextScale?: number) => {
  const gradients = { start: 4, weights, ...(nextScale !== undefined && { nextScale }) };
  const layout = { metrics: [[{ start: 2, length: 2 }]], gradients, length: numbers.length };
  return readReport(layout, new Uint8Array(Float32Array.from(numbers).buffer));
};

describe('the report of a step', () => {
  it('is read by its layout', () => {
    const { batch, broken } = of([0.5, 0.25, 3, 4, 1, 2]);
    expect(batch).toEqual({ loss: 0.5, losses: [0.25], metrics: [[[3, 4]]] });
    expect(broken).toBe(undefined);
  });

  it('names the first weight whose gradient is not finite', () => {
    const report = of([0.5, 0.25, 3, 4, 1, Number.NaN]);
    expect(() => checkGradients(report, compile)).toThrow('The loss is 0.5, but the gradient of the weight "a/bias"');
    expect(() => checkGradients(of([0, 0, 0, 0, Infinity, Number.NaN]), compile)).toThrow('"a/kernel"');
  });

  it('such a gradient is no error while a smaller scale is left', () => {
    expect(() => checkGradients(of([0, 0, 0, 0, 1, Infinity, 1], 6), scaled)).not.toThrow();
    expect(() => checkGradients(of([0, 0, 0, 0, 1, Infinity, 0.5], 6), scaled)).toThrow(/"a\/bias".*beyond 65504/);
    expect(() => checkGradients(of([0, 0, 0, 0, 1, 1, 0.5], 6), scaled)).not.toThrow();
  });
});
