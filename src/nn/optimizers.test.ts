// Optimisers as graphs: what a step does, clipping, rates by layer, steps that are not wanted, and LAMB's formula.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { optimizerOptions } from '../base/compile-options';
import { type NDArray, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { registerTrainingOperators } from '../ops/training';
import { slotsOf, update } from './optimizers';
import type { Named } from './types';

registerTrainingOperators();

interface Weight {
  readonly values: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly multiplier?: number;
}

/** The weights after as many steps as there are gradients. */
function updated(named: Named, weights: readonly Weight[], learningRate: number, wanted = 1): number[][] {
  const b = new GraphBuilder('update', inferNode);
  const declared = weights.map(({ values }, i) => ({ name: `w${i}`, dims: [values.length] }));
  const slots = slotsOf(named, declared);
  const state = new Map<string, NDArray>();
  weights.forEach(({ values }, i) => {
    state.set(b.input(`w${i}`, 'float32', [values.length]), ndarray('float32', [values.length], values));
    b.input(`g${i}`, 'float32', [values.length]);
  });
  for (const { name, dims, initial } of slots) {
    state.set(b.input(name, 'float32', dims), ndarray('float32', dims, new Array(dims[0]).fill(initial)));
  }
  for (const name of ['rate', 'step', 'wanted']) b.input(name, 'float32', []);
  const { outputs } = update(named, b, {
    weights: weights.map(({ multiplier = 1 }, i) => ({
      name: `w${i}`,
      gradient: `g${i}`,
      learningRateMultiplier: multiplier,
    })),
    learningRate: 'rate',
    step: 'step',
    wanted: 'wanted',
  });
  const graph = b.finish(outputs);
  // Output i of a node that overwrites is its input i.
  const overwritten = outputs.map((name) => {
    const node = graph.nodes.find((n) => n.outputs.includes(name));
    return node?.inputs[node.outputs.indexOf(name)] as string;
  });
  expect([...overwritten].sort()).toEqual([...state.keys()].sort());
  const steps = weights[0]?.gradients.length ?? 0;
  for (let step = 1; step <= steps; step++) {
    const feeds = new Map(state);
    weights.forEach(({ gradients, values }, i) => {
      feeds.set(`g${i}`, ndarray('float32', [values.length], gradients[step - 1]));
    });
    const numbers = { rate: learningRate, step, wanted };
    for (const [name, value] of Object.entries(numbers)) feeds.set(name, ndarray('float32', [], [value]));
    hostOutputs(graph, feeds).forEach((value, i) => {
      state.set(overwritten[i] as string, value);
    });
  }
  return weights.map((_, i) => [...(state.get(`w${i}`) as NDArray).data]);
}

function near(got: readonly number[] | undefined, expected: readonly number[]): void {
  expect(got?.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(got?.[i]).toBeCloseTo(value, 5);
  });
}

const one: Weight = { values: [1, -2], gradients: [[0.5, 1]] };
const two: Weight = {
  values: [1],
  gradients: [[0.5], [0.25]],
};

describe('optimisers', () => {
  it('descend', () => {
    near(updated({ name: 'sgd' }, [one], 0.1)[0], [0.95, -2.1]);
    const momentum = { name: 'sgd', config: { momentum: 0.9 } };
    near(updated(momentum, [two], 0.1)[0], [1 - 0.05 - (0.045 + 0.025)]);
    // The first step of Adam goes as far as the rate, whatever the gradient.
    near(updated({ name: 'adam' }, [one], 0.01)[0], [0.99, -2.01]);
    near(updated({ name: 'adamw', config: { weightDecay: 0.5 } }, [one], 0.01)[0], [0.995 - 0.01, -1.99 - 0.01]);
    near(updated({ name: 'adagrad' }, [two], 0.1)[0], [1 - 0.05 / Math.sqrt(0.35) - 0.025 / Math.sqrt(0.35 + 0.0625)]);
    near(updated({ name: 'rmsprop' }, [{ ...two, gradients: [[0.5]] }], 0.1)[0], [1 - 0.05 / Math.sqrt(0.025)]);
  });

  it('LAMB moves a layer in proportion to its length', () => {
    const weight = { values: [3, -4], gradients: [[1, 2]] };
    // The first step of Adam would be (1, 1); with decay 0.5 it is (2.5, -1), and the weight is 5 long.
    const trust = 5 / Math.sqrt(2.5 ** 2 + 1);
    const named = { name: 'lamb', config: { weightDecay: 0.5 } };
    near(updated(named, [weight], 0.1)[0], [3 - 0.1 * trust * 2.5, -4 + 0.1 * trust]);
    near(updated({ name: 'lamb' }, [{ values: [0], gradients: [[1]] }], 0.1)[0], [-0.1]);
  });

  it('clip gradients by value, by weight, and all together', () => {
    const weights = [
      { values: [0, 0], gradients: [[3, 4]] },
      { values: [0], gradients: [[12]] },
    ];
    const clipped = (config: object) => updated({ name: 'sgd', config: { ...config } }, weights, 1);
    expect(clipped({ clipValue: 3.5 }).map((w) => w.map(Math.abs))).toEqual([[3, 3.5], [3.5]]);
    const byNorm = clipped({ clipNorm: 10 });
    near(byNorm[0], [-3, -4]);
    near(byNorm[1], [-10]);
    const together = clipped({ globalClipnorm: 6.5 });
    near(together[0], [-1.5, -2]);
    near(together[1], [-6]);
  });

  it('heed the factor of a layer', () => {
    const weights = [one, { ...one, multiplier: 0.5 }];
    for (const name of ['sgd', 'lamb']) {
      const [full, half] = updated({ name }, weights, 0.1) as [number[], number[]];
      near(
        half.map((v, i) => v - (one.values[i] as number)),
        full.map((v, i) => (v - (one.values[i] as number)) / 2),
      );
    }
  });

  it('leave everything as it is where a step is not wanted', () => {
    for (const name of Object.keys(optimizerOptions)) expect(updated({ name }, [two], 0.1, 0)).toEqual([[1]]);
  });

  it('name what is wrong', () => {
    expect(() => slotsOf({ name: 'adm' }, [])).toThrow('There is no optimiser "adm"; there are sgd');
    expect(() => slotsOf({ name: 'sgd', config: { momentum: 2 } }, [])).toThrow(
      'momentum = 2; expected a number from 0',
    );
  });
});
