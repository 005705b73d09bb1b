// The command line: what is taken, and what is refused.

import { expect, test } from 'vitest';
import { parseOptions } from './options';
import { runtimeNames } from './results';

test('without arguments everything runs on the software adapter', () => {
  expect(parseOptions([])).toEqual({
    only: /(?:)/,
    runtimes: runtimeNames,
    rounds: 7,
    adapter: 'software',
    check: false,
    update: false,
  });
});

test('takes every option', () => {
  const args = ['--only=^conv', '--runtimes=jax-webgpu,lepton', '--rounds=3', '--adapter=hardware', '--json=a=b.json'];
  expect(parseOptions([...args, '--check'])).toEqual({
    only: /^conv/,
    runtimes: ['lepton', 'jax-webgpu'],
    rounds: 3,
    adapter: 'hardware',
    json: 'a=b.json',
    check: true,
    update: false,
  });
  expect(parseOptions(['--update', '--rounds=9'])?.update).toBe(true);
  expect(parseOptions(['--only', 'train', '--rounds', '3', '--check'])).toEqual(
    parseOptions(['--only=train', '--rounds=3', '--check']),
  );
  expect(parseOptions(['--only', 'sparse', '--update'])).toMatchObject({ only: /sparse/, update: true });
});

test.each([
  [['--what']],
  [['--only=(']],
  [['--rounds=0']],
  [['--rounds=2.5']],
  [['--rounds=']],
  [['--runtimes=lepton,none']],
  [['--adapter=best']],
  [['--only=a', '--only=b']],
  [['--check', '--update']],
  [['--update', '--only=a']],
  [['a']],
])('refuses %j', (args) => {
  expect(parseOptions(args)).toBeUndefined();
});
