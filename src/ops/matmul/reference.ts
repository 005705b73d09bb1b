// Matrix product by plain loops over any numeric type: the oracle of the kernels.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex } from '../../base/shape';
import { type MatMulNode, type Problem, productOf } from './problem';

export function matmulReference(n: MatMulNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const { dims, problem } = productOf(n);
  const [a, b] = [inputs[0] as NDArray, inputs[1] as NDArray];
  const out = ndarray(a.dtype, dims);
  const { alpha } = n.attributes;
  const { m, n: columns, k } = problem;
  const [aRow, aStep] = problem.a.transposed ? [1, m] : [k, 1];
  const [bStep, bColumn] = problem.b.transposed ? [1, k] : [columns, 1];
  let to = 0;
  forEachBatch(problem, (aStart, bStart) => {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let i = 0; i < k; i++) {
          sum +=
            (a.data[aStart + row * aRow + i * aStep] as number) *
            (b.data[bStart + i * bStep + column * bColumn] as number);
        }
        out.data[to++] = alpha * sum;
      }
    }
  });
  return [out];
}

function forEachBatch(p: Problem, visit: (a: number, b: number) => void): void {
  const offset = (at: readonly number[], steps: readonly number[]) =>
    at.reduce((sum, i, d) => sum + i * (steps[d] as number), 0);
  forEachIndex(p.batch, (at) => visit(offset(at, p.a.steps), offset(at, p.b.steps)));
}
