// The first run's kernels: plain where they save more compiling than they take to run, all nodes of one pipeline alike.

import { expect, test } from 'vitest';
import type { Kernel } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import type { Candidate } from './choose';
import { QuickChooser } from './quick';

const kernel = (name: string, plain: boolean) => ({ name, ...(plain && { plain }) }) as Kernel;
const node = (output: string) => ({ node: { op: 'Conv', outputs: [output] } }) as unknown as NodeView;

/** The best candidate takes `best` seconds, the plain one `plain`. */
function found(best: number, plain?: number): Candidate[] {
  const tile = { kernel: kernel('tile', false), tunables: { rows: 4 }, seconds: best };
  if (plain === undefined) return [tile];
  return [tile, { kernel: kernel('plain', true), tunables: {}, seconds: plain }];
}

function picks(nodes: readonly Candidate[][]): string[] | undefined {
  const chooser = new QuickChooser((candidates) => candidates[0] as Candidate);
  nodes.forEach((candidates, i) => {
    expect(chooser.note(candidates, node(`y${i}`))).toBe(candidates[0]);
  });
  const { pick } = chooser;
  return pick && nodes.map((candidates, i) => pick(candidates, node(`y${i}`)).kernel.name);
}

test('a small node takes the plain variant, a large one the best', () => {
  expect(picks([found(0.001, 0.01)])).toEqual(['plain']);
  expect(picks([found(0.01, 0.5)])).toBeUndefined();
});

test('many small nodes of one pipeline count together', () => {
  expect(picks(Array.from({ length: 10 }, () => found(0.001, 0.01)))).toBeUndefined();
});

test('where a node has no plain variant, the best is compiled anyway and serves all', () => {
  expect(picks([found(0.001, 0.002), found(0.001)])).toBeUndefined();
});
