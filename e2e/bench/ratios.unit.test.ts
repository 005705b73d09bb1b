// When a case counts as worse: by its lead over the best peer that both runs have, not by its time.

import { expect, test } from 'vitest';
import { compareRatios } from './ratios';
import type { CaseResult, RuntimeName } from './results';

type Times = Partial<Record<RuntimeName, number>>;

function run(times: Readonly<Record<string, Times>>, start: Times = {}) {
  const results = (of: Times): CaseResult['results'] =>
    Object.fromEntries(
      Object.entries(of).map(([name, median]) => [
        name,
        Number.isNaN(median) ? { problem: 'broken' } : { median, quartiles: [median, median], rounds: 1, error: 0 },
      ]),
    );
  return {
    cases: Object.entries(times).map(([name, of]) => ({ name, group: 'matmul', results: results(of) })),
    starts: [
      { name: 'start', visit: 'first visit' as const, results: results(start) as never, floor: { problem: '' } },
    ],
  };
}

const before = run({ a: { lepton: 10, 'ort-webgpu': 50, 'jax-webgpu': 30 } }, { lepton: 100, 'jax-webgpu': 200 });

const worse = (...runs: Parameters<typeof compareRatios>) => compareRatios(...runs).worse;

test('a slower machine is no regression', () => {
  expect(worse(before, run({ a: { lepton: 40, 'ort-webgpu': 200, 'jax-webgpu': 120 } }))).toEqual([]);
});

test('a lead that shrinks by more than the allowed factor is one', () => {
  expect(worse(before, run({ a: { lepton: 14, 'ort-webgpu': 50, 'jax-webgpu': 30 } }))).toEqual([]);
  const found = worse(before, run({ a: { lepton: 20, 'ort-webgpu': 50, 'jax-webgpu': 30 } }));
  expect(found).toEqual([{ name: 'a', test: 'a', before: 3, now: 1.5 }]);
});

test('only peers that both runs have are compared with', () => {
  expect(worse(before, run({ a: { lepton: 10, 'ort-webgpu': 50 } }))).toEqual([]);
  expect(worse(before, run({ a: { lepton: 20, 'ort-webgpu': 50 } }))).toMatchObject([{ before: 5, now: 2.5 }]);
});

test('an answer that is gone is a regression, a new case or one that was not run is none', () => {
  const gone = run({ a: { lepton: Number.NaN, 'jax-webgpu': 30 } });
  expect(worse(before, gone)).toEqual([{ name: 'a', test: 'a', before: 3, now: undefined }]);
  expect(worse(before, run({ b: { lepton: 99, 'jax-webgpu': 1 } }))).toEqual([]);
});

test('starts are told by their visit and found by their name', () => {
  const found = worse(before, run({}, { lepton: 200, 'jax-webgpu': 200 }));
  expect(found).toEqual([{ name: 'start, first visit', test: 'start', before: 2, now: 1 }]);
});

test('how many rows were compared is known, so that none is no success', () => {
  expect(compareRatios(before, before).compared).toBe(2);
  expect(compareRatios(before, run({ b: { lepton: 1, 'jax-webgpu': 1 } })).compared).toBe(0);
  expect(compareRatios(before, run({ a: { lepton: 10 } })).compared).toBe(0);
});
