// Metrics: the counts of two batches, added up, make what a count by hand makes.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { metricOptions } from '../base/compile-options';
import { finish } from '../base/metric-totals';
import { type NDArray, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { totalsOf } from './metrics';
import type { Config, Named } from './types';

interface Batch {
  readonly y: NDArray;
  readonly x: NDArray;
  readonly weight?: readonly number[];
}

function measure(metric: Named, batches: readonly Batch[]): number | number[][] {
  let sums: number[] = [];
  for (const { y, x, weight } of batches) {
    const b = new GraphBuilder('metric', inferNode);
    b.input('y', y.dtype, y.dims);
    b.input('x', 'float32', x.dims);
    const feeds = new Map([
      ['y', y],
      ['x', x],
    ]);
    if (weight) feeds.set(b.input('w', 'float32', [weight.length]), ndarray('float32', [weight.length], weight));
    const totals = totalsOf(metric, b, 'y', 'x', weight && 'w');
    const values = [...(hostOutputs(b.finish([totals]), feeds)[0]?.data ?? [])];
    sums = values.map((value, i) => value + (sums[i] ?? 0));
  }
  return finish(metric, sums);
}

const rows = (...values: number[][]): NDArray =>
  ndarray('float32', [values.length, values[0]?.length ?? 0], values.flat());
const ints = (...values: number[]): NDArray => ndarray('int32', [values.length], values);
const floats = (...values: number[]): NDArray => ndarray('float32', [values.length], values);
const of = (name: string, config?: Config): Named => ({ name, ...(config && { config }) });

/** True classes 0, 1, 2, 2; said 0, 1, 1, 2. */
const threeClasses: Batch[] = [
  { y: ints(0, 1), x: rows([0.8, 0.1, 0.1], [0.2, 0.7, 0.1]) },
  { y: ints(2, 2), x: rows([0.1, 0.6, 0.3], [0, 0.4, 0.6]) },
];
/** Truth 1, 0, 1, 0, 1; said beyond 0.5: 1, 1, 0, 0, 1. */
const binary: Batch[] = [
  { y: floats(1, 0, 1), x: rows([0.9], [0.8], [0.3]) },
  { y: floats(0, 1), x: rows([0.1], [0.6]) },
];

describe('metrics', () => {
  it('accuracy, chosen from the shapes', () => {
    expect(measure(of('accuracy'), threeClasses)).toBeCloseTo(0.75, 6);
    expect(measure(of('accuracy'), binary)).toBeCloseTo(0.6, 6);
    const oneHot = [{ y: rows([1, 0, 0], [0, 0, 1]), x: rows([0.8, 0.1, 0.1], [0.2, 0.7, 0.1]) }];
    expect(measure(of('accuracy'), oneHot)).toBeCloseTo(0.5, 6);
    expect(measure(of('binaryAccuracy', { threshold: 0.2 }), binary)).toBeCloseTo(0.8, 6);
    const steps = [{ y: ndarray('int32', [1, 2], [0, 1]), x: ndarray('float32', [1, 2, 2], [0.9, 0.1, 0.8, 0.2]) }];
    expect(measure(of('accuracy'), steps)).toBeCloseTo(0.5, 6);
  });

  it('accuracy with weights', () => {
    const weighted = [{ ...(binary[0] as Batch), weight: [1, 2, 3] }];
    expect(measure(of('accuracy'), weighted)).toBeCloseTo(1 / 6, 6);
  });

  it('top k', () => {
    expect(measure(of('topKCategoricalAccuracy', { k: 2 }), threeClasses)).toBe(1);
    expect(measure(of('topKCategoricalAccuracy', { k: 1 }), threeClasses)).toBeCloseTo(0.75, 6);
  });

  it('precision, recall and F1', () => {
    // Two true positives, one false, one missed.
    expect(measure(of('precision'), binary)).toBeCloseTo(2 / 3, 6);
    expect(measure(of('recall'), binary)).toBeCloseTo(2 / 3, 6);
    expect(measure(of('f1'), binary)).toBeCloseTo(2 / 3, 6);
    // By class: precision 1, 1/2, 1; recall 1, 1, 1/2; F1 1, 2/3, 2/3.
    expect(measure(of('precision', { average: 'macro' }), threeClasses)).toBeCloseTo(2.5 / 3, 6);
    expect(measure(of('recall', { average: 'macro' }), threeClasses)).toBeCloseTo(2.5 / 3, 6);
    expect(measure(of('f1', { average: 'macro' }), threeClasses)).toBeCloseTo(7 / 9, 6);
    expect(measure(of('precision'), [{ y: floats(1), x: rows([0.1]) }])).toBe(0);
  });

  it('the area under the curve', () => {
    // Of the six pairs of a positive and a negative, four are in order.
    expect(measure(of('auc'), binary)).toBeCloseTo(4 / 6, 2);
    expect(measure(of('auc', { numThresholds: 50 }), [{ y: ints(0, 1), x: rows([0.2], [0.9]) }])).toBe(1);
  });

  it('the confusion matrix', () => {
    expect(measure(of('confusionMatrix'), threeClasses)).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 1],
    ]);
    expect(measure(of('confusionMatrix'), binary)).toEqual([
      [1, 1],
      [1, 2],
    ]);
  });

  it('errors and R²', () => {
    const batches = [
      { y: floats(1, 2), x: rows([1], [4]) },
      { y: floats(3), x: rows([2]) },
    ];
    expect(measure(of('meanSquaredError'), batches)).toBeCloseTo(5 / 3, 6);
    expect(measure(of('rootMeanSquaredError'), batches)).toBeCloseTo(Math.sqrt(5 / 3), 6);
    expect(measure(of('meanAbsoluteError'), batches)).toBeCloseTo(1, 6);
    expect(measure(of('r2'), batches)).toBeCloseTo(1 - 5 / 2, 5);
    // A loss is a metric too.
    expect(measure(of('huber'), batches)).toBeCloseTo((0 + 1.5 + 0.5) / 3, 6);
  });

  it('all have totals of one batch', () => {
    for (const name of Object.keys(metricOptions)) {
      const value = measure(of(name), name.startsWith('sparse') ? threeClasses : binary);
      expect([value].flat(2).every(Number.isFinite), name).toBe(true);
    }
  });

  it('of a name or option that there is not', () => {
    expect(() => measure(of('acc'), binary)).toThrow('There is no metric "acc"; there are meanSquaredError');
    expect(() => measure(of('f1', { average: 'all' }), binary)).toThrow('average = "all"; expected one of "micro"');
  });
});
