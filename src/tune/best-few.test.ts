// The strategy on made-up kernels and a made-up clock: what wins, what is given up, and when it stops.

import { expect, test } from 'vitest';
import { bestFew } from './best-few';
import type { Runner, TuneOptions } from './strategy';

interface Fake {
  readonly name: string;
  /** Milliseconds of one execution, measurement by measurement; the last holds on. Absent: cannot run. */
  readonly times?: readonly number[];
}

function setUp(over: Partial<TuneOptions> = {}) {
  const measured: string[] = [];
  const open = new Set<string>();
  let clock = 0;
  const runner: Runner<Fake> = {
    async prepare({ name, times }) {
      if (!times) return undefined;
      open.add(name);
      let turn = 0;
      return {
        async measure() {
          const time = times[Math.min(turn++, times.length - 1)] as number;
          clock += time;
          measured.push(name);
          return time;
        },
        dispose: () => expect(open.delete(name)).toBe(true),
      };
    },
  };
  const options = { budget: 1e6, now: () => clock, signal: new AbortController().signal, ...over };
  const names = async (space: readonly Fake[]) => (await bestFew(space, runner, options)).map((t) => t.candidate.name);
  return { runner, options, measured, open, names };
}

test('the fastest wins, by the shortest of its times, measured in turns', async () => {
  const { names, measured, open } = setUp();
  const space = [
    { name: 'a', times: [5, 5, 5] },
    { name: 'b', times: [9, 4, 6] },
    { name: 'c', times: [7] },
  ];
  expect(await names(space)).toEqual(['b', 'a', 'c']);
  expect(measured.join('')).toBe('abcabcabc');
  expect(open.size).toBe(0);
});

test('what is three times slower than the best is measured once', async () => {
  const { names, measured } = setUp();
  expect(
    await names([
      { name: 'a', times: [31] },
      { name: 'b', times: [10] },
      { name: 'c', times: [29] },
    ]),
  ).toEqual(['b', 'c', 'a']);
  expect(measured.join('')).toBe('abcbcbc');
});

test('the best guess stays where the others are hardly faster', async () => {
  expect(
    await setUp().names([
      { name: 'a', times: [100] },
      { name: 'b', times: [99] },
    ]),
  ).toEqual(['a', 'b']);
  expect(
    await setUp().names([
      { name: 'a', times: [100] },
      { name: 'b', times: [90] },
    ]),
  ).toEqual(['b', 'a']);
});

test('what cannot run is left out', async () => {
  expect(await setUp().names([{ name: 'a' }, { name: 'b', times: [3] }])).toEqual(['b']);
  expect(await setUp().names([{ name: 'a' }])).toEqual([]);
});

test('a budget that ends early leaves each candidate with one time', async () => {
  const { names, measured, open } = setUp({ budget: 10 });
  const space = [
    { name: 'a', times: [20, 1] },
    { name: 'b', times: [15] },
  ];
  expect(await names(space)).toEqual(['b', 'a']);
  expect(measured.join('')).toBe('ab');
  expect(open.size).toBe(0);
});

test('an abort ends it after the measurement at hand, without a winner', async () => {
  const stop = new AbortController();
  const { runner, options, measured, open } = setUp({ signal: stop.signal });
  const stopping: Runner<Fake> = {
    async prepare(fake) {
      const prepared = await runner.prepare(fake);
      return prepared && { ...prepared, measure: (limit) => prepared.measure(limit).finally(() => stop.abort()) };
    },
  };
  const space = [
    { name: 'a', times: [2] },
    { name: 'b', times: [1] },
  ];
  expect(await bestFew(space, stopping, options)).toEqual([]);
  expect(measured.join('')).toBe('a');
  expect(open.size).toBe(0);
});

test('an error of the adapter passes through, and frees all', async () => {
  const { runner, options, open } = setUp();
  const failing: Runner<Fake> = {
    async prepare(fake) {
      if (fake.name === 'b') throw new Error('lost');
      return runner.prepare(fake);
    },
  };
  const space = [
    { name: 'a', times: [2] },
    { name: 'b', times: [1] },
  ];
  await expect(bestFew(space, failing, options)).rejects.toThrow('lost');
  expect(open.size).toBe(0);
});
