// The scale of the loss, from step to step, on the host.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { chain } from '../../e2e/support/network';
import { defaultLimits } from '../base/adapter';
import { type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { CompileSpec } from '../nn/types';
import { learningRateName, sampleWeightName, seedName, targetName } from './names';
import { planStep } from './plan';
import { type StepGraph, type StepRequest, stateOf, stepGraph } from './step';

const spec = chain(
  [2],
  [
    ['Dense', { units: 3, activation: 'tanh' }],
    ['Dense', { units: 1 }],
  ],
);
const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[]],
};
const request = (how: Partial<CompileSpec>): StepRequest => ({
  kind: 'train',
  spec,
  compile: { ...compile, ...how },
  inputs: [{ dtype: 'float32', dims: [2, 2] }],
  targets: [{ dtype: 'float32', dims: [2, 1] }],
});

/** Takes steps; `x` and `scale` say what is fed, and what the scale is set to before. */
function training(how: Partial<CompileSpec>) {
  const { graph, report }: StepGraph = stepGraph(request(how));
  const state = new Map(
    stateOf(spec, { ...compile, ...how }).map(({ name, dims, initial }): [string, NDArray] => {
      const values = Array.from({ length: sizeOf(dims) }, (_, i) => initial ?? Math.sin(3 * i + 1));
      return [name, ndarray('float32', dims, values)];
    }),
  );
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  return {
    state,
    step(x: readonly number[]) {
      const feeds = new Map<string, NDArray>([
        ...state,
        ['x0', ndarray('float32', [2, 2], x)],
        [targetName(0), ndarray('float32', [2, 1], [1, -1])],
        [sampleWeightName, ndarray('float32', [2], [1, 1])],
        [learningRateName, ndarray('float32', [], [0.1])],
        [seedName, ndarray('int32', [1], [1])],
      ]);
      const [numbers, ...results] = hostOutputs(graph, feeds) as [NDArray, ...NDArray[]];
      graph.outputs.slice(1).forEach((name, i) => {
        const node = makers.get(name);
        state.set(node?.inputs[node.outputs.indexOf(name)] as string, results[i] as NDArray);
      });
      const { start, weights, nextScale = -1 } = report.gradients ?? { start: 0, weights: [] };
      const finite = weights.map((_, i) => Number.isFinite(numbers.data[start + i]));
      return {
        loss: numbers.data[0] as number,
        finite,
        nextScale: numbers.data[nextScale],
        length: numbers.data.length,
      };
    },
    number: (name: string) => state.get(`optimizer/${name}`)?.data[0],
  };
}

const ordinary = [0.1, 0.2, 0.3, 0.4];

describe('the scale of the loss', () => {
  it('makes no difference to what is learnt', () => {
    const [plain, scaled] = [{}, { mixedPrecision: { initialScale: 1024, dynamicGrowthSteps: 2000 } }].map((how) => {
      const one = training(how);
      const losses = Array.from({ length: 5 }, () => one.step(ordinary).loss);
      return { losses, kernel: one.state.get('l0/kernel')?.data };
    });
    scaled?.losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(plain?.losses[i] as number, 2);
    });
    expect(plain?.losses[4]).toBeLessThan(plain?.losses[0] as number);
    for (const [i, value] of (plain?.kernel ?? []).entries()) expect(scaled?.kernel?.[i]).toBeCloseTo(value, 2);
  });

  it('doubles after so many good steps', () => {
    const { step, number } = training({ mixedPrecision: { initialScale: 8, dynamicGrowthSteps: 3 } });
    const seen = Array.from({ length: 7 }, () => {
      step(ordinary);
      return [number('dynamicScale'), number('stepCounter')];
    });
    expect(seen).toEqual([
      [8, 1],
      [8, 2],
      [16, 0],
      [16, 1],
      [16, 2],
      [32, 0],
      [32, 1],
    ]);
    expect(number('step')).toBe(7);
  });

  it('halves where a gradient is not finite, and nothing else changes', () => {
    const { step, number, state } = training({ mixedPrecision: { initialScale: 2 ** 30, dynamicGrowthSteps: 3 } });
    const before = state.get('l0/kernel')?.data;
    const { finite, loss } = step(ordinary);
    expect(finite).toContain(false);
    expect(loss).toBeGreaterThan(0);
    expect(state.get('l0/kernel')?.data).toEqual(before);
    expect([number('dynamicScale'), number('stepCounter'), number('step')]).toEqual([2 ** 29, 0, 0]);
    for (let i = 0; i < 30 && step(ordinary).finite.includes(false); i++);
    expect(number('step')).toBe(1);
    expect(state.get('l0/kernel')?.data).not.toEqual(before);
  });

  it('is not below 1: the report says that none is left', () => {
    const scaling = { initialScale: 1.5, dynamicGrowthSteps: 3 };
    const { step, number, state } = training({ mixedPrecision: scaling, lossWeights: [4] });
    // The output is a number of float16, but four times as much, its gradient, is not.
    state.set('l1/bias', ndarray('float32', [1], [60_000]));
    const { loss, finite, nextScale } = step(ordinary);
    expect(Number.isFinite(loss)).toBe(true);
    expect(finite).toContain(false);
    expect(nextScale).toBe(0.75);
    expect(number('dynamicScale')).toBe(1);
  });

  it('stays where the loss itself is not finite', () => {
    const { step, number } = training({ mixedPrecision: { initialScale: 8, dynamicGrowthSteps: 3 } });
    step(ordinary);
    expect(step([Number.NaN, 0, 0, 0]).loss).toBeNaN();
    expect([number('dynamicScale'), number('stepCounter'), number('step')]).toEqual([8, 1, 1]);
  });

  it('goes with gradients that are gathered, and with what is computed again', () => {
    const mixedPrecision = { initialScale: 4, dynamicGrowthSteps: 2 };
    const { step, number } = training({ mixedPrecision, gradientAccumulationSteps: 2, recompute: 2 });
    for (let i = 0; i < 4; i++) step(ordinary);
    expect([number('step'), number('gathered'), number('dynamicScale')]).toEqual([2, 0, 16]);
  });
});

it('an adapter without float16 is an error, not float32', () => {
  const mixedPrecision = { initialScale: 4, dynamicGrowthSteps: 2 };
  const adapter = { vendor: 'v', architecture: '', description: 'Some GPU', limits: defaultLimits, software: false };
  const plan = (features: string[]) => planStep(request({ mixedPrecision }), { adapter: { ...adapter, features } });
  expect(() => plan([])).toThrow(/\(Some GPU\) has no float16 .*: compile without mixedPrecision/);
  expect(plan(['shader-f16']).report.gradients?.nextScale).toBe(6);
});
