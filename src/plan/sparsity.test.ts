// What a plan's nodes tell of weights that are mostly zeros.

import { expect, test } from 'vitest';
import { graphOf, readyToPlan } from '../../e2e/ops/harness';
import { plainAdapter } from '../../e2e/support/adapter';
import type { OpCase } from '../ir/opdef';
import { opOf } from '../ops/registry';
import { type Candidate, chosenOf, isSparse } from './choose';
import { makePlan } from './make-plan';

const adapter = plainAdapter({ software: true, features: ['subgroups'] });

/** The plan's one node, of weights [256, 256], of which one in `step` is not zero, times a vector. */
function nodeOf(step: number, pick?: (found: readonly Candidate[]) => Candidate) {
  const values = Array.from({ length: 256 * 256 }, (_, i) => (i % step === 0 ? 1 : 0));
  const test: OpCase = {
    name: 'weights',
    inputs: [
      { dims: [256, 256], dtype: 'float32', constant: true, values },
      { dims: [256, 1], dtype: 'float32' },
    ],
  };
  const graph = readyToPlan(graphOf('lepton.MatMul', test).graph, adapter);
  return makePlan(graph, { adapter, ...(pick && { pick }) }).nodes[0];
}

test('a sparse kernel has the best dense one for a rival, by estimate', () => {
  const { kernel, chosenBy, sparsity } = nodeOf(16) ?? {};
  expect(kernel).toMatch(/^sparse/);
  expect(chosenBy).toBe('estimate');
  expect(sparsity?.zeros).toBeCloseTo(15 / 16, 3);
  expect(sparsity?.rival?.kernel).not.toMatch(/^sparse/);
  expect(sparsity?.rival?.timesSlower).toBeGreaterThan(1);
});

test('a dense kernel of weights that are mostly zeros has the best sparse one', () => {
  const { sparsity } = nodeOf(16, (found) => found.find((c) => !isSparse(c)) as Candidate) ?? {};
  expect(sparsity?.rival?.kernel).toMatch(/^sparse/);
  expect(sparsity?.rival?.timesSlower).toBeLessThan(1);
});

test('what was measured tells what was measured beside it', () => {
  const rival = { kernel: 'row', time: 3 };
  const measured = (found: readonly Candidate[], withRival: boolean) => {
    const { kernel, tunables } = found[0] as Candidate;
    const choice = { kernel: kernel.name, tunables, time: 2, ...(withRival && { rival }) };
    return chosenOf(found, choice) as Candidate;
  };
  expect(nodeOf(16, (found) => measured(found, true))).toMatchObject({
    chosenBy: 'measurement',
    sparsity: { rival: { kernel: 'row', timesSlower: 1.5 } },
  });
  expect(nodeOf(16, (found) => measured(found, false))?.sparsity).toEqual({ zeros: 15 / 16 });
});

test('dense weights have none', () => {
  expect(nodeOf(1)).not.toHaveProperty('sparsity');
});

test.each(['lepton.MatMul', 'Conv', 'lepton.MatMulNBits'])('kernels of %s are sparse if they are called so', (op) => {
  const { kernels = [] } = opOf({ op, name: 'n', inputs: [], outputs: [], attributes: {} });
  for (const { name, sparse = false } of kernels) expect([name, sparse]).toEqual([name, name.includes('sparse')]);
  expect(kernels.some(({ sparse }) => sparse)).toBe(true);
});
