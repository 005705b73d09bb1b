import { expect, it } from 'vitest';
import { NodeView } from '../../ir/node-view';
import { equationOf } from './equation';

function read(equation: string, ...shapes: number[][]) {
  const node = { name: 'sum', op: 'Einsum', inputs: shapes.map((_, i) => `x${i}`), outputs: ['y'], attributes: {} };
  const inputs = shapes.map((dims) => ({ dtype: 'float32' as const, dims, isConstant: false }));
  return equationOf(new NodeView(node, { equation }, inputs));
}

it.each([
  [
    'ij,jk',
    [
      [2, 3],
      [3, 4],
    ],
    ['i', 'k'],
  ],
  ['ba', [[2, 3]], ['a', 'b']],
  ['ii', [[3, 3]], []],
  [' i j -> j ', [[2, 3]], ['j']],
  [
    'b...,...a',
    [
      [2, 5, 4],
      [4, 3],
    ],
    ['.1', '.0', 'a', 'b'],
  ],
  ['...->', [[2, 3]], []],
])('%s has the result %j', (equation, shapes, output) => {
  expect(read(equation, ...(shapes as number[][])).output).toEqual(output);
});

it('lets axes of size 1 stretch, and aligns ellipses at their ends', () => {
  const { operands, sizes } = read('...i,...i->...', [5, 1, 7], [4, 1]);
  expect(operands).toEqual([
    ['.1', '.0', 'i'],
    ['.0', 'i'],
  ]);
  expect(Object.fromEntries(sizes)).toEqual({ '.1': 5, '.0': 4, i: 7 });
});

it.each([
  [
    'ij,jk',
    [
      [2, 3],
      [4, 4],
    ],
    'the sizes 3 and 4 for "j"',
  ],
  ['ij', [[2, 3, 4]], 'the term "ij"'],
  ['i..j', [[2, 3]], 'the term "i..j"'],
  ['ij', [[2, 3], [3]], '1 terms'],
  ['i->k', [[2]], '"k" in the result'],
  ['i->ii', [[2]], 'names a label twice'],
  ['i->i->i', [[2]], 'which is none'],
])('refuses %s of %j', (equation, shapes, problem) => {
  expect(() => read(equation, ...(shapes as number[][]))).toThrow(problem);
});
