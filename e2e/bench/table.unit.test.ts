// Tables and summary lines from made-up results.

import { expect, test } from 'vitest';
import { type CaseResult, cannotTrain, type StartCase } from './results';
import { caseRows, markdown, memoryRows, problems, startRows, summary, text } from './table';

const timed = (median: number) => {
  return { median, quartiles: [0.98 * median, 1.04 * median] as const, rounds: 3, error: 1e-6 };
};

const cases: CaseResult[] = [
  {
    name: 'matmul 8³',
    group: 'matmul',
    flops: 2e7,
    results: { lepton: timed(2), 'ort-wasm': timed(0.5), 'ort-webgpu': timed(30), 'jax-webgpu': timed(8) },
  },
  {
    name: 'softmax',
    group: 'bandwidth',
    bytes: 3e8,
    results: { lepton: timed(100), 'tfjs-webgpu': timed(1500), 'jax-webgpu': { problem: 'no answer within 90 s' } },
  },
  { name: 'net', group: 'network', results: {}, memory: { weightBytes: 1e6, slotBytes: 3e6, peakLiveBytes: 2e6 } },
];
const start = { libraryBytes: 99_400, modelBytes: 5e6, longestTask: 12.2, heapBytes: 7.25e6 };
const starts: StartCase[] = [
  {
    name: 'cold start',
    visit: 'first visit',
    results: {
      lepton: { ...timed(300), ...start },
      'jax-webgpu': { ...timed(600), ...start, longestTask: 170 },
    },
    floor: timed(150),
  },
];

test('one row a case, with how far Lepton is ahead of the best WebGPU peer', () => {
  expect(text(caseRows(cases, ['lepton', 'ort-wasm', 'jax-webgpu']))).toBe(
    [
      'case         lepton  ort-wasm  jax-webgpu  ahead        Lepton',
      'matmul 8³  2.00 ±3%  0.50 ±3%    8.00 ±3%  4.00×  10.0 GFLOP/s',
      'softmax     100 ±3%         —           —  15.0×      3.0 GB/s',
      'net               —         —           —      —',
    ].join('\n'),
  );
});

test('as Markdown', () => {
  expect(
    markdown([
      ['case', 'lepton'],
      ['a', '1.00'],
    ]),
  ).toBe('| case | lepton |\n| --- | ---: |\n| a | 1.00 |');
});

test('a start has rows for time, bytes, tasks and heap', () => {
  expect(startRows(starts, ['lepton', 'jax-webgpu']).slice(1)).toEqual([
    ['cold start, first visit: first answer, ms', '300 ±3%', '600 ±3%', '2.00×', '150 ±3%'],
    ['cold start, first visit: library, kB', '99', '99', '', ''],
    ['cold start, first visit: longest task, ms', '12', '170', '', ''],
    ['cold start, first visit: heap, MB', '7.3', '7.3', '', ''],
  ]);
});

test('memory against its bound, of networks only', () => {
  expect(memoryRows(cases).slice(1)).toEqual([['net', '3.00', '2.00', '1.50×']]);
});

test('the summary has the median and the worst of all that can be compared', () => {
  expect(summary({ cases, starts })).toBe(
    'Ahead of the best WebGPU peer: 4.00× on the median of 3 cases, 2.00× on the worst (cold start, first visit).',
  );
  expect(summary({ cases: [], starts: [] })).toBe('Nothing to compare.');
});

test('gaps are explained', () => {
  expect(problems({ cases, starts })).toEqual(['softmax, jax-webgpu: no answer within 90 s']);
});

test('what a runtime cannot do is told in its cell', () => {
  const result = { name: 'train', group: 'train', results: { lepton: timed(1), 'ort-wasm': { problem: cannotTrain } } };
  expect(caseRows([result], ['lepton', 'ort-wasm'])[1]).toEqual(['train', '1.00 ±3%', 'cannot train', '—', '']);
  expect(problems({ cases: [result], starts: [] })).toEqual([]);
});
