// Sparse matrices as options: what gcnFilter makes of a graph, and the text that layers share.

import { expect, it } from 'vitest';
import { LeptonError } from '../../base/errors';
import { describe as describeModel } from '../../nn/build';
import { dense, gcnConv } from './layers';
import { Network, sequential } from './network';
import { gcnFilter, type SparseMatrix, sparseMatrix } from './sparse-matrix';

it('gcnFilter adds each node to its neighbours and divides by the roots of both degrees', () => {
  // A path of three nodes.
  const path = sparseMatrix({ shape: [3, 3], rows: [0, 1, 1, 2], columns: [1, 0, 2, 1] });
  const { rowOffsets, columns, values, nonZeros } = gcnFilter(path);
  expect([...rowOffsets]).toEqual([0, 2, 5, 7]);
  expect([...columns]).toEqual([0, 1, 0, 1, 2, 1, 2]);
  const side = 1 / Math.sqrt(6);
  [1 / 2, side, side, 1 / 3, side, side, 1 / 2].forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, 6);
  });
  expect(nonZeros).toBe(7);
});

it('gcnFilter refuses what is no graph', () => {
  for (const other of [undefined, null, {}]) {
    expect(() => gcnFilter(other as unknown as SparseMatrix)).toThrow(LeptonError);
  }
  expect(() => gcnFilter(sparseMatrix({ shape: [1, 2], rows: [], columns: [] }))).toThrow(
    /square matrix, not one of 1 × 2/,
  );
  const minus = sparseMatrix({ shape: [2, 2], rows: [1], columns: [0], values: [-1] });
  expect(() => gcnFilter(minus)).toThrow(/node 1 has 0/);
});

it('layers with one matrix share its text', () => {
  const matrix = sparseMatrix({ shape: [2, 2], rows: [0], columns: [1] });
  const [first, second] = [gcnConv({ units: 1, matrix }), gcnConv({ units: 2, matrix })];
  expect(first.config.matrix).toBe(second.config.matrix);
  expect(JSON.parse(JSON.stringify(first.config.matrix))).toEqual(first.config.matrix);
});

it('a model with its matrices comes back from plain data', () => {
  const matrix = sparseMatrix({ shape: [2, 2], rows: [0], columns: [1] });
  const { spec } = sequential([gcnConv({ units: 1, matrix, inputShape: [3] })]);
  expect(Network.fromSpec(JSON.parse(JSON.stringify(spec))).spec).toEqual(spec);
});

it('samples in another order than their graph has them in are refused', async () => {
  const matrix = sparseMatrix({ shape: [2, 2], rows: [0], columns: [1] });
  const model = sequential([dense({ units: 2, inputShape: [3] }), gcnConv({ units: 1, matrix, name: 'graph' })]);
  model.compile({ loss: 'meanSquaredError' });
  await expect(model.fit(new Float32Array(6), new Float32Array(2), { batchSize: 2 })).rejects.toThrow(
    /graph takes samples in the order of its matrix: pass shuffle: false/,
  );
});

it('values that learn begin as those of the matrix', () => {
  const matrix = sparseMatrix({ shape: [2, 2], rows: [0, 1], columns: [1, 0], values: [3, 4] });
  const model = sequential([gcnConv({ units: 1, matrix, inputShape: [3], name: 'graph', trainableValues: true })]);
  const given = model.givenWeights['graph/values'];
  expect(new Float32Array(given?.bytes.buffer as ArrayBuffer)).toEqual(Float32Array.of(3, 4));
  const { weights } = describeModel(model.spec);
  expect(weights.map(({ name, dims }) => [name, dims])).toContainEqual(['graph/values', given?.dims]);
  const none = sequential([gcnConv({ units: 1, inputShape: [3], trainableValues: true } as never)]);
  expect(() => describeModel(none.spec)).toThrow(/lacks its option matrix/);
  const empty = sparseMatrix({ shape: [2, 2], rows: [], columns: [] });
  const { spec } = sequential([gcnConv({ units: 1, matrix: empty, inputShape: [3], trainableValues: true })]);
  expect(() => describeModel(spec)).toThrow(/has trainableValues, but its matrix no entries/);
});
