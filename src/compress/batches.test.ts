// Calibration data is cut into what the model takes at a time; what is no sample goes with every batch.

import { describe, expect, test } from 'vitest';
import { ndarray } from '../base/ndarray';
import type { Dim, Graph, Value } from '../ir/graph';
import { batchesOf } from './batches';

function graphOf(inputs: Readonly<Record<string, readonly Dim[]>>): Graph {
  const values = Object.entries(inputs).map(([name, dims]): [string, Value] => [
    name,
    { name, dtype: 'float32', dims },
  ]);
  return { name: 'g', nodes: [], values: new Map(values), inputs: Object.keys(inputs), outputs: [] };
}

const dataOf = (inputs: Readonly<Record<string, readonly number[]>>) => ({
  inputs: Object.fromEntries(Object.entries(inputs).map(([name, dims]) => [name, ndarray('float32', dims)])),
});

function shapes(wanted: Readonly<Record<string, readonly Dim[]>>, given: Readonly<Record<string, readonly number[]>>) {
  const batches = batchesOf(graphOf(wanted), dataOf(given));
  return Array.from({ length: batches.count }, (_, i) =>
    Object.fromEntries(Object.entries(batches.at(i)).map(([name, { dims }]) => [name, dims])),
  );
}

describe('batchesOf', () => {
  test('samples are cut, the last batch is smaller', () => {
    expect(shapes({ x: ['n', 3] }, { x: [40, 3] })).toEqual([{ x: [32, 3] }, { x: [8, 3] }]);
    expect(shapes({ x: [2, 1, 3] }, { x: [4, 3] })).toEqual([{ x: [2, 1, 3] }, { x: [2, 1, 3] }]);
  });

  test('a scalar and a state go with every batch, of as many samples as the state is for', () => {
    const model = { x: ['batch', 'time'], state: [2, 'batch', 4], rate: [] } as const;
    const each = { x: [3, 5], state: [2, 3, 4], rate: [] };
    expect(shapes(model, { x: [6, 5], state: [2, 3, 4], rate: [1] })).toEqual([each, each]);
    const one = { x: [1, 5], state: [2, 1, 4], rate: [] };
    expect(shapes(model, { x: [2, 5], state: [2, 1, 4], rate: [] })).toEqual([one, one]);
  });

  test('what has a size of its own goes with every batch of one', () => {
    const each = { picture: [1, 3, 8, 8], size: [2] };
    expect(shapes({ picture: [1, 3, 8, 8], size: [2] }, { picture: [2, 3, 8, 8], size: [2] })).toEqual([each, each]);
    expect(shapes({ x: ['n', 3], y: [40, 3] }, { x: [40, 3], y: [40, 3] })).toEqual([{ x: [40, 3], y: [40, 3] }]);
  });

  test('names what does not go together', () => {
    const model = { x: ['n', 3], y: ['n', 2] } as const;
    expect(() => shapes(model, { x: [4, 3], y: [5, 2] })).toThrow(/\(4 for "x", 5 for "y"\)/);
    expect(() => shapes({ x: [1, 3], y: [2, 3] }, { x: [1, 3], y: [2, 3] })).toThrow(/\(1 for "x", 2 for "y"\)/);
    expect(() => shapes({ x: [1, 3], y: [2, 3] }, { x: [4, 3], y: [4, 3] })).toThrow(/of 1 and 2 samples at a time/);
    expect(() => shapes({ x: ['n', 3], s: [2, 'n'] }, { x: [5, 3], s: [2, 2] })).toThrow(/takes 2 at a time/);
    expect(() => shapes({ x: ['n', 3], r: [] }, { x: [5, 3], r: [5] })).toThrow(/"r" is \[5\]; expected one number/);
    expect(() => shapes({ x: ['n', 3] }, { x: [0, 3] })).toThrow(/at least one/);
  });
});
