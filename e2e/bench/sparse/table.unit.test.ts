// The table of sparse weights, from made-up results and from the committed ones.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../../.ci/command';
import type { SparseResult } from './run';
import { sparseProblems, sparseRows } from './table';

const timed = (median: number) => {
  return { median, quartiles: [0.98 * median, 1.04 * median] as const, rounds: 3, error: 1e-6 };
};

const result: SparseResult = {
  shape: '10×10 × 4',
  denseBytes: 400,
  dense: {
    lepton: { result: timed(8), kernel: 'quad', kernelTime: 6, weightBytes: 1600 },
    peers: { 'ort-webgpu': timed(30), 'tfjs-webgpu': { problem: 'lost' }, 'jax-webgpu': timed(12) },
  },
  levels: [
    { structure: 'random', zeros: 0.5, result: timed(9), kernel: 'quad', kernelTime: 6, weightBytes: 1600 },
    { structure: 'random', zeros: 0.9, result: timed(4), kernel: 'sparse', kernelTime: 2, weightBytes: 80 },
    { structure: 'int8', zeros: 0, result: { problem: 'wrong' } },
  ],
};

/** By the heads of their columns. */
function cells(results: readonly SparseResult[]) {
  const [head = [], ...rows] = sparseRows(results);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

test('times are over dense ones and over the best peer, which is named', () => {
  expect(cells([result])[1]).toEqual({
    weights: '10×10 × 4, random',
    zeros: '90 %',
    'kernel ms': '2.00',
    'dense kernel ms': '6.00',
    'over dense kernel': '3.00×',
    'run ms': '4.00',
    'dense run ms': '8.00',
    'over dense run': '2.00×',
    'best peer': 'jax-webgpu',
    'peer ms': '12.00',
    'over peer': '3.00×',
    memory: '20 %',
    kernel: 'sparse',
  });
});

test('where the dense kernel is kept, runs are the same; its memory is against the weights, not against itself', () => {
  expect(cells([result])[0]).toMatchObject({ 'over dense run': '=', 'over dense kernel': '1.00×', memory: '400 %' });
});

test('what failed leaves cells empty and has a line', () => {
  expect(cells([result])[2]).toMatchObject({ 'run ms': '—', 'over dense run': '—', memory: '—', kernel: '—' });
  expect(sparseProblems([result])).toEqual(['10×10 × 4, tfjs-webgpu: lost', '10×10 × 4, int8, 0 %: wrong']);
});

test('results from before the size of dense weights was written say no memory', () => {
  const { denseBytes: _, ...old } = result;
  expect(cells([old]).map(({ memory }) => memory)).toEqual(['—', '—', '—']);
});

describe('committed results', () => {
  const folder = join(root, 'docs/benchmarks');
  const files = readdirSync(folder).filter((name) => name.endsWith('-sparse.json'));
  test.each(files)('%s can be read', (file) => {
    const { sparse } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { sparse: SparseResult[] };
    expect(cells(sparse).length).toBeGreaterThan(0);
    for (const row of cells(sparse)) expect(row['over dense run']).toMatch(/^(=|—|\d+\.\d\d×)$/);
  });
});
