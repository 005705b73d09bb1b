// RNN, LSTM and GRU. The input's products for all steps are one matrix product, with both biases added; the steps
// themselves are lepton.Recurrence. layout 1, batch first, is layout 0 between transpositions.
//
// Inputs: X, W, R, B, sequence_lens, initial_h, and for LSTM initial_c and P (peepholes). Outputs: Y, Y_h, Y_c.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { type Dims, formatDims, sameDims, stridesOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { recurrentCases } from './recurrent/cases';
import { type Cell, type CellAttributes, type CellName, cellAttributes, cellNames, cellOf } from './recurrent/cell';
import { runRecurrence, type Sizes } from './recurrent/reference';
import { walkCopy } from './wgsl/strided-copy';

type View = NodeView<CellAttributes & { readonly hidden_size: number | undefined; readonly layout: number }>;

/** Order of the axes that turns layout 1 into 0, and back. */
const sequenceFirst = [1, 0, 2];
const batchFirst = { y: [2, 0, 1, 3], state: [1, 0, 2] };

interface Problem extends Sizes {
  readonly cell: Cell;
  readonly directions: number;
  readonly features: number;
}

function problemOf(n: View, name: CellName): Problem {
  const cell = cellOf(n, name);
  const { layout } = n.attributes;
  if (layout !== 0 && layout !== 1) n.fail(`has the layout ${layout}; expected 0 or 1`);
  const x = n.input(0).dims;
  if (x.length !== 3) n.fail('needs an input of rank 3');
  if (!isFloat(n.input(0).dtype)) n.fail('needs floats');
  const [steps, batch, features] = (layout ? sequenceFirst : [0, 1, 2]).map((axis) => x[axis]) as [
    number,
    number,
    number,
  ];
  const directions = cell.backwards.length;
  n.input(1);
  const hidden = n.input(2).dims[2] ?? n.fail('needs recurrent weights of rank 3');
  const rows = cell.gates * hidden;
  const state = layout ? [batch, directions, hidden] : [directions, batch, hidden];
  const expected: readonly (readonly [string, Dims])[] = [
    ['X', x],
    ['W', [directions, rows, features]],
    ['R', [directions, rows, hidden]],
    ['B', [directions, 2 * rows]],
    ['sequence_lens', [batch]],
    ['initial_h', state],
    ['initial_c', state],
    ['P', [directions, 3 * hidden]],
  ];
  expected.forEach(([what, dims], i) => {
    const input = n.inputs[i];
    if (input && !sameDims(input.dims, dims))
      n.fail(`needs ${what} of shape ${formatDims(dims)}, but has ${formatDims(input.dims)}`);
  });
  const lengths = n.inputs[4]?.dtype ?? 'int32';
  if (lengths !== 'int32') n.fail(`needs sequence_lens of int32, but has ${lengths}`);
  if (n.attributes.hidden_size !== undefined && n.attributes.hidden_size !== hidden)
    n.fail(`has the hidden_size ${n.attributes.hidden_size}, but recurrent weights for ${hidden}`);
  return { cell, steps, batch, hidden, directions, features };
}

function permute(array: NDArray, perm: readonly number[]): NDArray {
  const strides = stridesOf(array.dims);
  const pick = (from: Dims) => perm.map((axis) => from[axis] as number);
  return walkCopy(array, { dims: pick(array.dims), strides: pick(strides), offset: 0 });
}

function recurrentOp(name: CellName) {
  return defineOp({
    name,
    attributes: { ...cellAttributes, hidden_size: int(), layout: int(0) },
    infer(n) {
      const { steps, batch, hidden, directions } = problemOf(n, name);
      const { dtype } = n.input(0);
      const [y, state] = n.attributes.layout
        ? [
            [batch, steps, directions, hidden],
            [batch, directions, hidden],
          ]
        : [
            [steps, directions, batch, hidden],
            [directions, batch, hidden],
          ];
      const types: TensorType[] = [
        { dtype, dims: y },
        { dtype, dims: state },
      ];
      return name === 'LSTM' ? [...types, { dtype, dims: state }] : types;
    },
    reference: (n, inputs) => reference(n, problemOf(n, name), inputs),
    lower: (n, b) => lower(n, problemOf(n, name), b),
  });
}

function reference(n: View, problem: Problem, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const { cell, steps, batch, hidden, directions, features } = problem;
  const { dtype } = n.input(0);
  const arrange = (array: NDArray | undefined) =>
    array && (n.attributes.layout ? permute(array, sequenceFirst) : array);
  const [x, w, r] = [arrange(inputs[0]), inputs[1], inputs[2]].map((a) => a?.data ?? []);
  const bias = inputs[3]?.data;
  const rows = cell.gates * hidden;
  const resetBias = cell.name === 'GRU' && !cell.resetFirst;
  const projected = new Float64Array(steps * batch * directions * rows);
  for (let i = 0; i < projected.length; i++) {
    const [sequence, row] = [Math.floor(i / (directions * rows)), i % (directions * rows)];
    const [d, gate] = [Math.floor(row / rows), Math.floor((row % rows) / hidden)];
    const own = bias?.[d * 2 * rows + (row % rows)] ?? 0;
    const recurrent = bias?.[d * 2 * rows + rows + (row % rows)] ?? 0;
    let sum = resetBias && gate === 2 ? own : own + recurrent;
    for (let k = 0; k < features; k++)
      sum += (x?.[sequence * features + k] as number) * (w?.[row * features + k] as number);
    projected[i] = sum;
  }
  const extra = resetBias
    ? bias &&
      Float64Array.from({ length: directions * hidden }, (_, i) => {
        return bias[(Math.floor(i / hidden) * 2 + 1) * rows + 2 * hidden + (i % hidden)] as number;
      })
    : inputs[7]?.data;
  const { y, h, c } = runRecurrence(cell, problem, {
    projected,
    weight: (d, row, k) => r?.[(d * rows + row) * hidden + k] as number,
    extra,
    lengths: inputs[4]?.data,
    hidden: arrange(inputs[5])?.data,
    memory: arrange(inputs[6])?.data,
  });
  const outputs = [
    ndarray(dtype, [steps, directions, batch, hidden], y),
    ...[h, c].map((data) => ndarray(dtype, [directions, batch, hidden], data)),
  ];
  const arranged = n.attributes.layout
    ? outputs.map((array, i) => permute(array, i === 0 ? batchFirst.y : batchFirst.state))
    : outputs;
  return cell.name === 'LSTM' ? arranged : arranged.slice(0, 2);
}

function lower(n: View, problem: Problem, b: LowerBuilder): string[] {
  const { cell, hidden, directions, features } = problem;
  const [, w, r] = n.node.inputs as [string, string, string];
  const { dtype } = n.input(0);
  const rows = cell.gates * hidden;
  const shape = (...dims: number[]) => b.constant(int64s(dims));
  const one = (op: string, inputs: readonly string[], attributes?: Parameters<LowerBuilder['add']>[2]) =>
    b.add(op, inputs, attributes)[0] as string;
  const arranged = (i: number) => {
    if (!n.has(i)) return '';
    const name = n.node.inputs[i] as string;
    return n.attributes.layout ? one('Transpose', [name], { perm: sequenceFirst }) : name;
  };
  const matrix = one('Reshape', [w, shape(directions * rows, features)]);
  let projected = one('lepton.MatMul', [arranged(0), matrix], { transB: 1 });
  let extra = n.has(7) ? (n.node.inputs[7] as string) : '';
  if (n.has(3)) {
    const [own, recurrent] = b.add('Split', [n.node.inputs[3] as string, shape(rows, rows)], { axis: 1 }, 2) as [
      string,
      string,
    ];
    let added = recurrent;
    if (cell.name === 'GRU' && !cell.resetFirst) {
      const [gates, reset] = b.add('Split', [recurrent, shape(2 * hidden, hidden)], { axis: 1 }, 2) as [string, string];
      added = one('Concat', [gates, b.constant(ndarray(dtype, [directions, hidden]))], { axis: 1 });
      extra = reset;
    }
    const bias = one('Reshape', [one('Add', [own, added]), shape(directions * rows)]);
    projected = one('Add', [projected, bias]);
  }
  const quads = Math.ceil(hidden / 4);
  const padded = hidden % 4 ? one('Pad', [r, shape(0, 0, 0, 0, 0, 4 * quads - hidden)]) : r;
  const columns = one('Reshape', [padded, shape(directions, cell.gates, hidden, quads, 4)]);
  const packed = one('Transpose', [columns], { perm: [0, 3, 2, 1, 4] });
  const lengths = n.has(4) ? (n.node.inputs[4] as string) : '';
  const { layout, ...attributes } = n.node.attributes;
  const results = b.add(
    'lepton.Recurrence',
    [projected, packed, extra, lengths, arranged(5), arranged(6)],
    { ...attributes, cell: cell.name, hidden_size: hidden },
    [3, 2].find((count) => n.wants(count - 1)) ?? 1,
  );
  return layout
    ? results.map((r, i) => one('Transpose', [r], { perm: i === 0 ? batchFirst.y : batchFirst.state }))
    : results;
}

export default cellNames.map(recurrentOp);

export const cases: Record<CellName, OpCase[]> = recurrentCases;
