// Cases of lepton.SparseMatMul whose values are fed, so that they have a gradient: with empty rows and columns, and a full row.

import { offsetsOf } from '../../base/compressed-rows';
import type { OpCase } from '../../ir/opdef';

export const sparseGradCases: OpCase[] = [undefined, 6, 8].map((n) => {
  const places = [[0, 2, 4], [], [0, 1, 2, 3, 4], [3]];
  const list = (dtype: 'int32' | 'uint16', values: readonly number[]) => {
    return { dtype, dims: [values.length], values, constant: true };
  };
  const columns = places.flat();
  return {
    name: `4x6 with values that are fed times ${n === undefined ? 'a vector' : `${n} columns`}`,
    inputs: [
      { dims: [columns.length] },
      list('uint16', columns),
      list('int32', [...offsetsOf(places.map(({ length }) => length))]),
      { dims: n === undefined ? [6] : [6, n] },
    ],
    attributes: { rows: 4, columns: 6 },
  };
});
