import { describe, expect, it } from 'vitest';
import { NodeView } from '../../ir/node-view';
import { kernelProblem, type MatMulAttributes, productOf } from './problem';

function view(a: number[], b: number[], attributes: Partial<MatMulAttributes> = {}) {
  const node = { name: 'product', op: 'lepton.MatMul', inputs: ['a', 'b'], outputs: ['y'], attributes: {} };
  const inputs = [a, b].map((dims) => ({ dtype: 'float32' as const, dims, isConstant: false }));
  return new NodeView<MatMulAttributes>(node, { transA: 0, transB: 0, alpha: 1, ...attributes }, inputs);
}

describe('productOf', () => {
  it.each([
    [[3], [3], []],
    [[3], [3, 4], [4]],
    [[2, 3], [3], [2]],
    [[3], [5, 3, 4], [5, 4]],
    [[5, 2, 3], [3], [5, 2]],
    [
      [2, 1, 5, 7],
      [3, 7, 6],
      [2, 3, 5, 6],
    ],
  ])('%j by %j gives %j', (a, b, dims) => {
    expect(productOf(view(a, b)).dims).toEqual(dims);
  });

  it('refuses operands that do not fit, naming what does not', () => {
    expect(() => productOf(view([2, 3], [4, 5]))).toThrow('inner sizes differ: 3 and 4');
    expect(() => productOf(view([2, 2, 3], [4, 3, 5]))).toThrow('batch dimensions that do not broadcast');
    expect(() => productOf(view([], [4, 3]))).toThrow('scalar operand');
    expect(() => productOf(view([3], [3, 4], { transA: 1 }))).toThrow('operand of one dimension');
  });
});

describe('kernelProblem', () => {
  it('takes a batch that shares one B as more rows', () => {
    expect(kernelProblem(view([4, 6, 5, 8], [8, 9]))).toMatchObject({ m: 120, n: 9, k: 8, batch: [] });
  });

  it('turns a matrix times a column into a row times the transposed matrix', () => {
    const problem = kernelProblem(view([2, 9, 5], [5, 1]));
    expect(problem).toMatchObject({ m: 1, n: 18, k: 5, a: { input: 1 }, b: { input: 0, transposed: true } });
  });

  it('keeps the rows of a batch apart where they are the last axis of the result', () => {
    expect(kernelProblem(view([2, 9, 5], [5]))).toMatchObject({ m: 1, n: 9, batch: [2], b: { input: 0, steps: [45] } });
  });

  it('walks broadcast batches by steps, merged where both operands allow', () => {
    const problem = kernelProblem(view([2, 1, 5, 7], [2, 3, 7, 6]));
    expect(problem).toMatchObject({ batch: [2, 3], a: { steps: [35, 0] }, b: { steps: [126, 42] } });
    expect(kernelProblem(view([2, 3, 5, 7], [2, 3, 7, 6]))).toMatchObject({ batch: [6], a: { steps: [35] } });
  });
});
