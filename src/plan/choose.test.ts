// Ranking kernel variants: what a measured adapter changes in the estimate, and which candidates are measured.

import { expect, test } from 'vitest';
import { plainAdapter } from '../../e2e/support/adapter';
import type { AdapterRates } from '../base/tuning';
import type { Cost, Kernel } from '../ir/kernel';
import { NodeView } from '../ir/node-view';
import { candidates, chosenOf, estimate, shortlist } from './choose';

const adapter = (software: boolean) => plainAdapter({ software });
const node = new NodeView({ name: 'n', op: 'Test', inputs: [], outputs: [], attributes: {} }, {}, []);

function kernel(name: string, flops: readonly number[]): Kernel {
  const cost = (n: number): Cost => ({ flops: n, traffic: 0, workgroups: 1e4 });
  return {
    name,
    space: { variant: flops.map((_, i) => i) },
    cost: (_, t) => cost(flops[t.variant as number] as number),
    dispatches: () => [],
  };
}

const names = (found: ReturnType<typeof shortlist>) => found.map((c) => `${c.kernel.name}${c.tunables.variant}`);

test('measures the best of every kernel before the tunables of one, and nothing that is far behind', () => {
  const found = candidates(
    [kernel('a', [1e9, 2e9, 1.5e9]), kernel('b', [3e9, 2.5e9]), kernel('c', [9e9])],
    node,
    adapter(false),
  );
  expect(names(found)).toEqual(['a0', 'a2', 'a1', 'b1', 'b0', 'c0']);
  expect(names(shortlist(found, 9))).toEqual(['a0', 'b1', 'a2', 'a1', 'b0']);
  expect(names(shortlist(found, 2))).toEqual(['a0', 'b1']);
  expect(shortlist([], 2)).toEqual([]);
});

test('measures the best dense kernel beside sparse ones, however far behind it seems', () => {
  const sparse = (name: string, flops: readonly number[]) => ({ ...kernel(name, flops), sparse: true });
  const far = candidates(
    [sparse('s', [1e9, 1.5e9]), sparse('t', [1.2e9]), kernel('d', [50e9, 60e9])],
    node,
    adapter(false),
  );
  expect(names(shortlist(far, 3))).toEqual(['s0', 't0', 'd0']);
  expect(names(shortlist(far, 8))).toEqual(['s0', 't0', 's1', 'd0']);
  const near = candidates([sparse('s', [1e9]), kernel('d', [2e9])], node, adapter(false));
  expect(names(shortlist(near, 8))).toEqual(['s0', 'd0']);
  expect(names(shortlist(candidates([sparse('s', [1e9])], node, adapter(false)), 8))).toEqual(['s0']);
});

test('finds what a measurement chose, where the node still has it', () => {
  const found = candidates([kernel('a', [1, 2]), kernel('b', [3])], node, adapter(false));
  const chosen = chosenOf(found, { kernel: 'a', tunables: { variant: 1 }, time: 7 });
  expect(chosen).toMatchObject({ kernel: { name: 'a' }, tunables: { variant: 1 }, measured: 7 });
  expect(chosenOf(found, { kernel: 'gone', tunables: {}, time: 7 })).toBeUndefined();
  expect(chosenOf(found, { kernel: 'a', tunables: { variant: 2 }, time: 7 })).toBeUndefined();
  expect(chosenOf(found, { kernel: 'a', tunables: {}, time: 7 })).toBeUndefined();
});

test('a measured GPU is estimated by its own speed; a measurement that cannot be is kept within bounds', () => {
  const compute: Cost = { flops: 1e12, traffic: 0, workgroups: 1e5 };
  const memory: Cost = { flops: 0, traffic: 1e12, workgroups: 1e5 };
  const gpu = adapter(false);
  const large: AdapterRates = { flops: 50e12, bandwidth: 2.5e12, dispatch: 3e-6 };
  expect(estimate(compute, gpu) / estimate(compute, gpu, large)).toBeGreaterThan(4);
  expect(estimate(memory, gpu) / estimate(memory, gpu, large)).toBeGreaterThan(4);
  const absurd: AdapterRates = { flops: 1e30, bandwidth: 1, dispatch: 1e9 };
  for (const cost of [compute, memory]) {
    const ratio = estimate(cost, gpu, absurd) / estimate(cost, gpu);
    expect(ratio).toBeGreaterThan(1e-3);
    expect(ratio).toBeLessThan(1e3);
  }
  expect(estimate(compute, adapter(true), large)).toBe(estimate(compute, adapter(true)));
});
