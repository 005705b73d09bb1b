// The kernel of the result, told apart from what prepares weights.

import { expect, test } from 'vitest';
import { resultKernel } from './kernel-name';

test.each([
  [['lepton.MatMul: quad rowQuads=4 lanes=16'], 'quad rowQuads=4 lanes=16'],
  [['Conv: winograd core=1'], 'winograd core=1'],
  [['lepton.PackBits: gather', 'lepton.MatMulNBits: row lanes=16', 'Slice: copy'], 'MatMulNBits: row lanes=16'],
  [['lepton.SparseTensor: place', 'lepton.MatMul: sparse-pairs-row'], 'sparse-pairs-row'],
  [['Slice: copy'], undefined],
])('%j', (nodes, kernel) => {
  expect(resultKernel(nodes)).toBe(kernel);
});
