// Models whose shapes, branches or iterations hang on data, each with inputs that show it.

import { type NDArray, ndarray, scalar } from '../../src/base/ndarray';
import {
  type GraphSpec,
  makeModel,
  type NodeSpec,
  type TensorSpec,
  tensorOf,
  type ValueSpec,
} from '../support/onnx-writer';

export interface StagedModel {
  readonly name: string;
  readonly model: Uint8Array<ArrayBuffer>;
  /** One run each. */
  readonly runs: readonly Readonly<Record<string, NDArray>>[];
  /** Operators that must have run on the host, those that planning computed among them. */
  readonly host: readonly string[];
}

type Attributes = NodeSpec['attributes'];

const node = (op: string, inputs: string[], outputs: string[], attributes?: Attributes): NodeSpec => ({
  op,
  name: `${op} to ${outputs[0]}`,
  inputs,
  outputs,
  ...(attributes && { attributes }),
});
const value = (name: string, dtype: ValueSpec['dtype'], ...shape: (number | string)[]): ValueSpec => ({
  name,
  dtype,
  shape,
});
const floats = (...values: number[]) => ndarray('float32', [values.length], values);
const integers = (name: string, ...values: number[]): TensorSpec =>
  tensorOf(name, ndarray('int64', [values.length], values));
const number = (name: string, v: number): TensorSpec => tensorOf(name, scalar('float32', v));
const branch = (output: string, nodes: NodeSpec[]): { graph: GraphSpec } => ({
  graph: { nodes, outputs: [value(output, 'float32', 'n')] },
});

export const stagedModels: readonly StagedModel[] = [
  {
    name: 'a shape that is fed',
    model: makeModel({
      nodes: [node('Reshape', ['x', 'shape'], ['r']), node('Relu', ['r'], ['y'])],
      inputs: [value('x', 'float32', 6), value('shape', 'int64', 2)],
      outputs: [value('y', 'float32', 'a', 'b')],
    }),
    runs: [
      { x: floats(-1, 2, -3, 4, -5, 6), shape: ndarray('int64', [2], [2, 3]) },
      { x: floats(-1, 2, -3, 4, -5, 6), shape: ndarray('int64', [2], [-1, 1]) },
      { x: floats(7, 2, -3, 4, -5, 6), shape: ndarray('int64', [2], [2, 3]) },
    ],
    host: [],
  },
  {
    name: 'a length that small integers give: planning computes it',
    model: makeModel({
      nodes: [node('Mul', ['n', 'two'], ['length']), node('Expand', ['x', 'length'], ['e']), node('Neg', ['e'], ['y'])],
      inputs: [value('x', 'float32', 1), value('n', 'int64', 1)],
      outputs: [value('y', 'float32', 'm'), value('length', 'int64', 1)],
      initializers: [integers('two', 2)],
    }),
    runs: [
      { x: floats(3), n: ndarray('int64', [1], [2]) },
      { x: floats(3), n: ndarray('int64', [1], [4]) },
    ],
    host: ['Mul'],
  },
  {
    name: 'coordinates of what the GPU computes, and work on them',
    model: makeModel({
      nodes: [
        node('Relu', ['x'], ['positive']),
        node('NonZero', ['positive'], ['places']),
        node('Squeeze', ['places', 'axis'], ['flat']),
        node('Gather', ['positive', 'flat'], ['found']),
        node('Mul', ['found', 'ten'], ['y']),
      ],
      inputs: [value('x', 'float32', 'n')],
      outputs: [value('y', 'float32', 'k'), value('places', 'int64', 1, 'k')],
      initializers: [integers('axis', 0), number('ten', 10)],
    }),
    runs: [{ x: floats(-1, 2, 0, 4) }, { x: floats(1, 2, 3, 4) }, { x: floats(-1, -2) }],
    host: ['NonZero'],
  },
  {
    name: 'a branch that hangs on a sum',
    model: makeModel({
      nodes: [
        node('ReduceSum', ['x'], ['sum'], { keepdims: { int: 0 } }),
        node('Greater', ['sum', 'zero'], ['more']),
        node('If', ['more'], ['b'], {
          then_branch: branch('t', [node('Sqrt', ['x'], ['t'])]),
          else_branch: branch('e', [node('Concat', ['x', 'x'], ['e'], { axis: { int: 0 } })]),
        }),
        node('Add', ['b', 'sum'], ['y']),
      ],
      inputs: [value('x', 'float32', 'n')],
      outputs: [value('y', 'float32', 'm')],
      initializers: [number('zero', 0)],
    }),
    runs: [{ x: floats(1, 4, 9) }, { x: floats(-1, -4, 1) }, { x: floats(4, 4, 4) }],
    host: [],
  },
  {
    name: 'a loop that runs until its state is large enough, with what it passed',
    model: makeModel({
      nodes: [
        node('Loop', ['', 'go', 'x'], ['y', 'passed'], {
          body: {
            graph: {
              nodes: [
                node('Mul', ['state', 'factor'], ['next']),
                node('ReduceMax', ['next'], ['largest'], { keepdims: { int: 0 } }),
                node('Less', ['largest', 'limit'], ['more']),
              ],
              inputs: [value('i', 'int64'), value('c', 'bool'), value('state', 'float32', 2)],
              outputs: [value('more', 'bool'), value('next', 'float32', 2), value('largest', 'float32')],
              initializers: [number('limit', 20)],
            },
          },
        }),
      ],
      inputs: [value('x', 'float32', 2), value('factor', 'float32')],
      outputs: [value('y', 'float32', 2), value('passed', 'float32', 'k')],
      initializers: [tensorOf('go', scalar('bool', 1))],
    }),
    runs: [
      { x: floats(1, 2), factor: scalar('float32', 2) },
      { x: floats(1, 30), factor: scalar('float32', 3) },
    ],
    host: [],
  },
  {
    name: 'a scan, backwards and forwards, over the columns',
    model: makeModel({
      nodes: [
        node('Scan', ['start', 'x', 'x'], ['last', 'sums'], {
          num_scan_inputs: { int: 2 },
          scan_input_axes: { ints: [1, 1] },
          scan_input_directions: { ints: [0, 1] },
          scan_output_axes: { ints: [1] },
          scan_output_directions: { ints: [1] },
          body: {
            graph: {
              nodes: [
                node('Sub', ['a', 'b'], ['d']),
                node('Add', ['s', 'd'], ['next']),
                node('Identity', ['next'], ['out']),
              ],
              inputs: [value('s', 'float32', 2), value('a', 'float32', 2), value('b', 'float32', 2)],
              outputs: [value('next', 'float32', 2), value('out', 'float32', 2)],
            },
          },
        }),
      ],
      inputs: [value('start', 'float32', 2), value('x', 'float32', 2, 'n')],
      outputs: [value('last', 'float32', 2), value('sums', 'float32', 2, 'n')],
    }),
    runs: [
      { start: floats(1, 2), x: ndarray('float32', [2, 3], [1, 2, 4, 8, 16, 32]) },
      { start: floats(0, 0), x: ndarray('float32', [2, 1], [5, 6]) },
    ],
    host: [],
  },
  {
    name: 'boxes that suppress each other, gathered from what a network gives',
    model: makeModel({
      nodes: [
        node('Sigmoid', ['logits'], ['scores']),
        node('NonMaxSuppression', ['boxes', 'scores', 'most', 'overlap', 'least'], ['kept']),
        node('Gather', ['kept', 'column'], ['at'], { axis: { int: 1 } }),
        node('Squeeze', ['at', 'axis'], ['index']),
        node('Squeeze', ['boxes', 'first'], ['all']),
        node('Gather', ['all', 'index'], ['y']),
      ],
      inputs: [value('boxes', 'float32', 1, 'n', 4), value('logits', 'float32', 1, 1, 'n')],
      outputs: [value('y', 'float32', 'k', 4)],
      initializers: [
        tensorOf('most', scalar('int64', 10)),
        number('overlap', 0.5),
        number('least', 0.5),
        integers('column', 2),
        integers('axis', 1),
        integers('first', 0),
      ],
    }),
    runs: [
      {
        boxes: ndarray('float32', [1, 3, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 2, 1, 3]),
        logits: ndarray('float32', [1, 1, 3], [2, 1, 0.5]),
      },
      {
        boxes: ndarray('float32', [1, 2, 4], [0, 0, 1, 1, 0, 2, 1, 3]),
        logits: ndarray('float32', [1, 1, 2], [-2, -1]),
      },
    ],
    host: ['NonMaxSuppression'],
  },
  {
    name: 'the member of a sequence that the data points to, kept across the stages',
    model: makeModel({
      nodes: [
        node('Relu', ['x'], ['r']),
        node('SplitToSequence', ['r', 'two'], ['parts'], { axis: { int: 0 } }),
        node('SequenceInsert', ['parts', 'x'], ['more']),
        node('ArgMax', ['x'], ['best'], { keepdims: { int: 0 } }),
        node('Div', ['best', 'two'], ['part']),
        node('SequenceAt', ['more', 'part'], ['chosen']),
        node('SequenceErase', ['more', 'part'], ['others']),
        node('ConcatFromSequence', ['others'], ['joined'], { axis: { int: 0 } }),
        node('Concat', ['chosen', 'joined'], ['y'], { axis: { int: 0 } }),
      ],
      inputs: [value('x', 'float32', 'n')],
      outputs: [value('y', 'float32', 'm')],
      initializers: [tensorOf('two', scalar('int64', 2))],
    }),
    runs: [{ x: floats(1, 2, 3, -4, 5) }, { x: floats(-1, 7, 3, -4) }],
    host: [],
  },
  {
    name: 'nodes of the host in a branch and in a loop, with what they find as numbers',
    model: makeModel({
      nodes: [
        node('ReduceSum', ['x'], ['sum'], { keepdims: { int: 0 } }),
        node('Greater', ['sum', 'zero'], ['more']),
        node('If', ['more'], ['places'], {
          then_branch: {
            graph: { nodes: [node('NonZero', ['x'], ['t'])], outputs: [value('t', 'int64', 1, 'n')] },
          },
          else_branch: {
            graph: { nodes: [node('Cast', ['row'], ['e'], { to: { int: 7 } })], outputs: [value('e', 'int64', 1, 1)] },
          },
        }),
        node('Add', ['places', 'one'], ['shifted']),
        node('Loop', ['trips', '', 'x'], ['kept'], {
          body: {
            graph: {
              nodes: [
                node('Compress', ['state', 'mask'], ['some'], { axis: { int: 0 } }),
                node('Concat', ['some', 'some'], ['next'], { axis: { int: 0 } }),
                node('Identity', ['c'], ['on']),
              ],
              inputs: [value('i', 'int64'), value('c', 'bool'), value('state', 'float32', 'k')],
              outputs: [value('on', 'bool'), value('next', 'float32', 'm')],
            },
          },
        }),
      ],
      inputs: [value('x', 'float32', 'n')],
      outputs: [value('shifted', 'int64', 1, 'm'), value('kept', 'float32', 'k')],
      initializers: [
        number('zero', 0),
        tensorOf('row', ndarray('float32', [1, 1], [3])),
        integers('one', 1),
        tensorOf('trips', scalar('int64', 2)),
        tensorOf('mask', ndarray('bool', [3], [1, 0, 1])),
      ],
    }),
    runs: [{ x: floats(1, 0, 3, 4) }, { x: floats(-1, -2, -3) }],
    host: ['NonZero', 'Compress'],
  },
  {
    name: 'a node of the host that reads what planning has folded',
    model: makeModel({
      nodes: [
        node('Shape', ['boxes'], ['shape']),
        node('Gather', ['shape', 'axis'], ['most']),
        node('NonMaxSuppression', ['boxes', 'scores', 'most', 'overlap'], ['kept']),
        node('Cast', ['kept'], ['y'], { to: { int: 1 } }),
      ],
      inputs: [value('boxes', 'float32', 1, 'n', 4), value('scores', 'float32', 1, 1, 'n')],
      outputs: [value('y', 'float32', 'k', 3)],
      initializers: [tensorOf('axis', scalar('int64', 1)), number('overlap', 0.5)],
    }),
    runs: [
      {
        boxes: ndarray('float32', [1, 3, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 2, 1, 3]),
        scores: ndarray('float32', [1, 1, 3], [0.9, 0.8, 0.7]),
      },
    ],
    host: ['NonMaxSuppression'],
  },
];
