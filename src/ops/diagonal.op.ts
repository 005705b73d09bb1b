// Trilu and EyeLike: what lies on one side of a diagonal, and what lies on it. Both compare a column of row
// numbers with a row of column numbers, so they are element-wise and fuse with their neighbours.

import type { DType } from '../base/dtype';
import { ndarray, scalar } from '../base/ndarray';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import { formatDims } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';

/** Rows and columns of the matrices in input 0. */
function matrixOf(n: NodeView): [rows: number, columns: number] {
  const { dims } = n.input(0);
  if (dims.length < 2) n.fail(`needs an input of rank 2 or more, but got ${formatDims(dims)}`);
  return dims.slice(-2) as [number, number];
}

/** Adds a bool matrix: whether `comparison` holds of an element's column and its row + `shift`. */
function compare(n: NodeView, b: LowerBuilder, comparison: string, shift: number): string {
  const [rows, columns] = matrixOf(n);
  // Beyond the matrix all shifts are one; it may be more than an int32 holds.
  const first = Math.min(Math.max(shift, -rows), columns);
  const column = b.constant(
    ndarray(
      'int32',
      [1, columns],
      Array.from({ length: columns }, (_, i) => i),
    ),
  );
  const row = b.constant(
    ndarray(
      'int32',
      [rows, 1],
      Array.from({ length: rows }, (_, i) => i + first),
    ),
  );
  return b.add(comparison, [column, row])[0] as string;
}

const diagonalOf = (n: NodeView) => n.numbers(1)?.[0] ?? 0;

const trilu = defineOp({
  name: 'Trilu',
  attributes: { upper: int(1) },
  infer(n) {
    matrixOf(n);
    diagonalOf(n);
    return [{ dtype: n.input(0).dtype, dims: n.input(0).dims }];
  },
  reference(n, [x]) {
    const source = x ?? n.fail('lacks its input');
    const [rows, columns] = matrixOf(n);
    const out = ndarray(source.dtype, source.dims);
    for (let i = 0; i < out.data.length; i++) {
      const above = (i % columns) - ((Math.floor(i / columns) % rows) + diagonalOf(n));
      if (n.attributes.upper ? above >= 0 : above <= 0) out.data[i] = source.data[i] as number;
    }
    return [out];
  },
  lower(n, b) {
    const kept = compare(n, b, n.attributes.upper ? 'GreaterOrEqual' : 'LessOrEqual', diagonalOf(n));
    return b.add('Where', [kept, n.node.inputs[0] as string, b.constant(scalar(n.input(0).dtype, 0))]);
  },
});

function eyeType(n: NodeView<{ readonly dtype: number | undefined }>): DType {
  const { dtype } = n.attributes;
  if (dtype === undefined) return n.input(0).dtype;
  return (
    dtypeOfNumber(dtype) ??
    n.fail(`asks for ONNX's element type number ${dtype}, which Lepton lacks`, 'UNSUPPORTED_MODEL')
  );
}

const eyeLike = defineOp({
  name: 'EyeLike',
  attributes: { dtype: int(), k: int(0) },
  shapeOnly: true,
  infer(n) {
    if (matrixOf(n).length !== n.input(0).dims.length) n.fail('needs an input of rank 2');
    return [{ dtype: eyeType(n), dims: n.input(0).dims }];
  },
  reference(n) {
    const [rows, columns] = matrixOf(n);
    const out = ndarray(eyeType(n), [rows, columns]);
    for (let row = 0; row < rows; row++) {
      const column = row + n.attributes.k;
      if (column >= 0 && column < columns) out.data[row * columns + column] = 1;
    }
    return [out];
  },
  lower(n, b) {
    const [one, zero] = [1, 0].map((v) => b.constant(scalar(eyeType(n), v))) as [string, string];
    return b.add('Where', [compare(n, b, 'Equal', n.attributes.k), one, zero]);
  },
});

export default [trilu, eyeLike];

const k = (value: number) => ({ dtype: 'int64', dims: [], values: [value], constant: true }) as const;

export const cases: Record<string, OpCase[]> = {
  Trilu: [
    { name: 'upper', inputs: [{ dims: [2, 5, 7] }] },
    { name: 'lower from -1', inputs: [{ dims: [6, 4] }, k(-1)], attributes: { upper: 0 } },
    { name: 'upper from 2, int64', inputs: [{ dtype: 'int64', dims: [4, 4] }, k(2)] },
  ],
  EyeLike: [
    { name: 'the input type', inputs: [{ dims: [3, 5] }], attributes: { k: 1 } },
    { name: 'below the diagonal, int64', inputs: [{ dims: [4, 3] }], attributes: { k: -2, dtype: 7 } },
    { name: 'large enough for the GPU', inputs: [{ dims: [257, 259] }], attributes: { k: -3 } },
  ],
};
