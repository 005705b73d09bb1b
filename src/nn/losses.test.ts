// Losses against their definitions, from probabilities and from logits, far out where a naive formula fails, and their
// gradients; labels that do not fit.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { lossOptions } from '../base/compile-options';
import { type NDArray, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { differentiate } from '../transform/differentiate';
import { lossOf } from './losses';
import type { Config } from './types';

type Rows = readonly (readonly number[])[];

interface Given {
  readonly y: NDArray;
  readonly x: NDArray;
  readonly config?: Config;
  /** Applied to `x` in the graph; the loss is told what it was made from. */
  readonly activation?: 'softmax' | 'sigmoid';
}

const rows = (values: Rows): NDArray => ndarray('float32', [values.length, values[0]?.length ?? 0], values.flat());
const classes = (...values: number[]): NDArray => ndarray('int32', [values.length], values);

function lossAndGradient(name: string, { y, x, config = {}, activation }: Given) {
  const b = new GraphBuilder('loss', inferNode);
  b.input('y', y.dtype, y.dims);
  b.input('x', 'float32', x.dims);
  const [prediction] = activation ? b.add(activation === 'softmax' ? 'Softmax' : 'Sigmoid', ['x']) : ['x'];
  const loss = lossOf({ name, config }, b, 'y', prediction as string, activation && { activation, value: 'x' });
  const [total] = b.add('ReduceSum', [loss], { keepdims: 0 }) as [string];
  const { graph, gradients } = differentiate(b.finish([total]), total, ['x']);
  const feeds = new Map([
    ['y', y],
    ['x', x],
  ]);
  const outputs = hostOutputs(dropDeadCode({ ...graph, outputs: [loss, gradients.get('x') as string] }), feeds);
  const [values, gradient] = outputs as [NDArray, NDArray];
  return { dims: values.dims, loss: [...values.data], gradient: [...gradient.data] };
}

function near(got: readonly number[], expected: readonly number[], digits = 5): void {
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, digits);
  });
}

const y = rows([[0, 1, 0.5]]);
const x = rows([[0.2, 0.4, -1]]);
const log = Math.log;

describe('losses of numbers', () => {
  const expected: Record<string, number> = {
    meanSquaredError: (0.04 + 0.36 + 2.25) / 3,
    meanAbsoluteError: (0.2 + 0.6 + 1.5) / 3,
    huber: (0.02 + 0.18 + 1) / 3,
    logCosh: (log(Math.cosh(0.2)) + log(Math.cosh(0.6)) + log(Math.cosh(1.5))) / 3,
    cosineSimilarity: -(0.4 - 0.5) / (Math.sqrt(1.25) * Math.sqrt(1.2)),
    // Labels of 0 and 1 stand for -1 and 1.
    hinge: (1.2 + 0.6 + 1) / 3,
    squaredHinge: (1.44 + 0.36 + 1) / 3,
    categoricalHinge: Math.max(0, Math.max(0.2, 0, -0.5) - (0.4 - 0.5) + 1),
  };
  for (const [name, value] of Object.entries(expected)) {
    it(name, () => near(lossAndGradient(name, { y, x }).loss, [value]));
  }

  it('of probabilities', () => {
    const [p, q] = [rows([[0.2, 0.8]]), rows([[0.5, 0.5]])];
    near(lossAndGradient('kullbackLeiblerDivergence', { y: p, x: q }).loss, [0.2 * log(0.4) + 0.8 * log(1.6)]);
    near(lossAndGradient('poisson', { y: p, x: q }).loss, [0.5 - 0.5 * log(0.5)]);
    const bce = -(0.2 * log(0.5) + 0.8 * log(0.5) + 0.8 * log(0.5) + 0.2 * log(0.5)) / 2;
    near(lossAndGradient('binaryCrossentropy', { y: p, x: q }).loss, [bce]);
  });

  it('are the mean over all axes but the batch', () => {
    const shape = (values: number[]) => ndarray('float32', [2, 2, 1], values);
    const { dims, loss } = lossAndGradient('meanSquaredError', { y: shape([0, 0, 0, 0]), x: shape([1, 2, 3, 4]) });
    expect(dims).toEqual([2]);
    near(loss, [2.5, 12.5]);
  });
});

describe('crossentropies', () => {
  const z = rows([
    [1, 2, -1],
    [0, 0, 3],
  ]);
  const labels = rows([
    [0, 1, 0],
    [1, 0, 0],
  ]);
  const shares = [
    [1, 2, -1],
    [0, 0, 3],
  ].map((row) => {
    const e = row.map(Math.exp);
    return e.map((v) => v / e.reduce((a, b) => a + b, 0));
  }) as [number[], number[]];
  const expected = [-log(shares[0][1] as number), -log(shares[1][0] as number)];
  const gradient = [...shares[0], ...shares[1]].map((p, i) => p - (labels.data[i] as number));

  it('are the same from logits, from a softmax and from its logits', () => {
    for (const given of [
      { y: labels, x: z, config: { fromLogits: true } },
      { y: labels, x: z, activation: 'softmax' as const },
    ]) {
      const found = lossAndGradient('categoricalCrossentropy', given);
      near(found.loss, expected);
      near(found.gradient, gradient);
    }
    near(lossAndGradient('categoricalCrossentropy', { y: labels, x: rows(shares) }).loss, expected);
  });

  it('take numbers of classes, as integers or floats, with an axis more or not', () => {
    for (const y of [classes(1, 0), ndarray('float32', [2], [1, 0]), ndarray('int32', [2, 1], [1, 0])]) {
      const found = lossAndGradient('sparseCategoricalCrossentropy', { y, x: z, config: { fromLogits: true } });
      near(found.loss, expected);
      near(found.gradient, gradient);
    }
    const perStep = { y: ndarray('int32', [1, 2], [1, 0]), x: ndarray('float32', [1, 2, 3], z.data) };
    const found = lossAndGradient('sparseCategoricalCrossentropy', { ...perStep, config: { fromLogits: true } });
    near(found.loss, [((expected[0] as number) + (expected[1] as number)) / 2]);
  });

  it('smooth labels', () => {
    const found = lossAndGradient('categoricalCrossentropy', {
      y: rows([[0, 1, 0]]),
      x: rows([shares[0]]),
      config: { labelSmoothing: 0.3 },
    });
    const [a, b, c] = shares[0].map(log) as [number, number, number];
    near(found.loss, [-(0.1 * a + 0.8 * b + 0.1 * c)]);
  });

  it('stay exact far out', () => {
    const far = rows([[200, -200]]);
    const wrong = rows([[0, 1]]);
    for (const given of [{ activation: 'sigmoid' as const }, { config: { fromLogits: true } }]) {
      const { loss, gradient } = lossAndGradient('binaryCrossentropy', { y: wrong, x: far, ...given });
      near(loss, [200]);
      near(gradient, [0.5, -0.5]);
    }
    near(lossAndGradient('categoricalCrossentropy', { y: wrong, x: far, activation: 'softmax' }).loss, [400]);
    // From bare probabilities nothing is known beyond 1e-7 of 0 and 1.
    near(lossAndGradient('binaryCrossentropy', { y: wrong, x: rows([[1, 0]]) }).loss, [-log(1e-7)], 0);
  });
});

describe('every loss', () => {
  for (const name of Object.keys(lossOptions)) {
    it(`${name} has a finite gradient`, () => {
      const sparse = name.startsWith('sparse');
      const given = { y: sparse ? classes(1) : rows([[0, 1, 0.5]]), x: rows([[0.2, 0.5, 0.3]]) };
      const { gradient } = lossAndGradient(name, given);
      expect(gradient.every(Number.isFinite)).toBe(true);
      expect(gradient.some((g) => g !== 0)).toBe(true);
    });
  }

  it('names labels that do not fit', () => {
    const of = (name: string, y: NDArray) => () => lossAndGradient(name, { y, x: rows([[1, 2, 3]]) });
    expect(of('meanSquaredError', rows([[1, 2]]))).toThrow('[1, 3], but got [1, 2]');
    expect(of('sparseCategoricalCrossentropy', rows([[0, 1, 0]]))).toThrow('go with categoricalCrossentropy');
    expect(of('meanSquareError', rows([[1, 2, 3]]))).toThrow('There is no loss "meanSquareError"; there are');
  });
});
