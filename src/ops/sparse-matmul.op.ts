// lepton.SparseMatMul: a sparse matrix in compressed rows (sparse/csr.ts) times a dense vector or matrix.
// Inputs: values [nnz], columnIndices [nnz], rowOffsets [rows + 1], b [columns] or [columns, n].
// Output: [rows] or [rows, n]. A fused program's per-channel operands follow the rows.

import { type NumericArray, ndarray } from '../base/ndarray';
import { required } from '../ir/attributes';
import { defineOp } from '../ir/opdef';
import { sparseCases } from './sparse/cases';
import { sparseGrad } from './sparse/grad';
import { sparseGradCases } from './sparse/grad-cases';
import { sparseKernels } from './sparse/kernels';
import { sparseOutput, sparseProblem } from './sparse/problem';

type FourArrays = [NumericArray, NumericArray, NumericArray, NumericArray];

export default defineOp({
  name: 'lepton.SparseMatMul',
  attributes: { rows: required('int'), columns: required('int') },
  infer: sparseOutput,
  reference(n, inputs) {
    const p = sparseProblem(n);
    const [values, columns, offsets, b] = inputs.map((t) => t?.data) as NumericArray[] as FourArrays;
    const out = ndarray(n.input(0).dtype, [p.rows, ...n.input(3).dims.slice(1)]);
    for (let row = 0; row < p.rows; row++) {
      for (let j = 0; j < p.n; j++) {
        let sum = 0;
        for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
          sum += (values[i] as number) * (b[(columns[i] as number) * p.n + j] as number);
        }
        out.data[row * p.n + j] = sum;
      }
    }
    return [out];
  },
  grad: sparseGrad,
  kernels: sparseKernels,
});

export const cases = [...sparseCases, ...sparseGradCases];
