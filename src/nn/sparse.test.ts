// Layers with sparse matrices: their values by hand, and what they refuse.

import { describe, expect, it } from 'vitest';
import { chain, hostNetwork, oneLayer } from '../../e2e/support/network';
import { compressedRows, matrixText } from '../base/compressed-rows';
import { describe as describeModel } from './build';

/** [[0, 2], [0.5, 0]] */
const swap = matrixText(compressedRows({ shape: [2, 2], rows: [1, 0], columns: [0, 1], values: [0.5, 2] }));
const wide = matrixText(compressedRows({ shape: [2, 3], rows: [0, 1, 1], columns: [2, 0, 1], values: [3, 1, -1] }));

const outputs = (...args: Parameters<typeof hostNetwork>) =>
  Array.from(hostNetwork(...args).run().outputs[0]?.data ?? []);

describe('layers with sparse matrices', () => {
  it('SparseMatMul mixes samples', () => {
    const model = oneLayer('SparseMatMul', { matrix: swap }, [[2]]);
    expect(outputs(model, 2, false, { x0: [1, 2, 3, 4] })).toEqual([6, 8, 0.5, 1]);
  });

  it('SparseMatMul makes fewer samples of more, or more of fewer', () => {
    const model = oneLayer('SparseMatMul', { matrix: wide }, [[1, 2]]);
    expect(describeModel(model)).toMatchObject({ batch: 3, outputs: [{ shape: [2, 1, 2] }] });
    const [output] = hostNetwork(model, 3, false, { x0: [1, 2, 3, 4, 5, 6] }).run().outputs;
    expect(output).toMatchObject({ dims: [2, 1, 2], data: Float32Array.of(15, 18, -2, -2) });
  });

  it('GCNConv multiplies with its kernel as well, in either order', () => {
    const given = { x0: [1, 2, 3, 4], 'layer/kernel': [1, -1] };
    const narrow = oneLayer('GCNConv', { units: 1, matrix: swap, useBias: false }, [[2]]);
    expect(outputs(narrow, 2, false, given)).toEqual([-2, -0.5]);
    const broad = oneLayer('GCNConv', { units: 2, matrix: swap, activation: 'relu' }, [[1]]);
    expect(outputs(broad, 2, false, { x0: [1, 3], 'layer/kernel': [1, -1], 'layer/bias': [0, 4] })).toEqual([
      6, 0, 0.5, 3.5,
    ]);
  });

  it('SparseDense looks rows up', () => {
    const model = oneLayer('SparseDense', { units: 2, matrix: wide, useBias: false }, [[]], 'int32');
    const given = { x0: [1, 0, 1], 'layer/kernel': [1, 2, 10, 20, 100, 200] };
    expect(outputs(model, 3, false, given)).toEqual([-9, -18, 300, 600, -9, -18]);
  });

  it('leaves entries out in training alone', () => {
    const model = oneLayer('SparseDense', { units: 1, matrix: wide, dropout: 0.999, useBias: false }, [[]], 'int32');
    const given = { x0: [1, 0], 'layer/kernel': [1, 2, 4] };
    expect(outputs(model, 2, true, given)).toEqual([0, 0]);
    expect(outputs(model, 2, false, given)).toEqual([-1, 12]);
  });

  it('say what they cannot do', () => {
    const refused = (className: string, config: object, shape: number[]) => () =>
      describeModel(chain(shape, [[className, config as Record<string, never>]]));
    expect(refused('GCNConv', { units: 2 }, [3])).toThrow(
      /lacks its option matrix: a matrix that sparseMatrix\(\) made/,
    );
    expect(refused('GCNConv', { units: 2, matrix: [[1]] }, [3])).toThrow(/matrix = \[\[1\]\]; expected a matrix that/);
    expect(refused('GCNConv', { units: 2, matrix: wide }, [3])).toThrow(
      /needs a square matrix, of nodes by nodes, not 2 × 3/,
    );
    expect(refused('GCNConv', { units: 2, matrix: swap }, [3, 4])).toThrow(/needs an input \[nodes, features\]/);
    expect(() => hostNetwork(oneLayer('GCNConv', { units: 1, matrix: swap }, [[2]]), 3, false)).toThrow(
      /needs all 2 samples of its matrix as one batch: pass batchSize: 2, and shuffle: false to fit/,
    );
  });
});
