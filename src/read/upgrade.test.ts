// The upgrades against ONNX Runtime: a model of an old opset, and the graph read from it written back as a
// new model, compute the same. What the runtime no longer runs in its old form is compared by hand.

import { describe, expect, test } from 'vitest';
import { expectClose } from '../../e2e/support/expect-close';
import { MemorySource } from '../../e2e/support/memory-source';
import { type AttributeSpec, makeModel, type TensorSpec } from '../../e2e/support/onnx-writer';
import { type Feeds, ortRun } from '../../e2e/support/oracle';
import { writeGraph } from '../../e2e/support/write-graph';
import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { Graph } from '../ir/graph';
import { readOnnx } from './onnx';

async function read(bytes: Uint8Array): Promise<Graph> {
  return (await readOnnx(new MemorySource(bytes))).graph;
}

interface Case {
  what: string;
  op: string;
  opset: number;
  /** Shapes of the inputs; the first passes through a Relu, whose result has no declared shape. */
  inputs: readonly (readonly number[])[];
  dtype?: DType;
  attributes?: Record<string, AttributeSpec>;
  /** Constant inputs behind the others. */
  constants?: readonly Omit<TensorSpec, 'name'>[];
  outputs?: number;
}

const cases: readonly Case[] = [
  {
    what: 'epsilon and momentum',
    op: 'BatchNormalization',
    opset: 7,
    inputs: [[2, 3, 4], [3], [3], [3], [3]],
    attributes: { epsilon: { float: 0.1 }, momentum: { float: 0.5 } },
  },
  {
    what: 'both bounds',
    op: 'Clip',
    opset: 10,
    inputs: [[4, 5]],
    attributes: { min: { float: 0.2 }, max: { float: 0.6 } },
  },
  {
    what: 'one bound, float16',
    op: 'Clip',
    opset: 7,
    dtype: 'float16',
    inputs: [[4, 5]],
    attributes: { max: { float: 0.5 } },
  },
  { what: 'default axis', op: 'DFT', opset: 17, inputs: [[1, 6, 1]] },
  { what: 'with an axis', op: 'DFT', opset: 17, inputs: [[1, 4, 6, 1]], attributes: { axis: { int: 2 } } },
  { what: 'at inference', op: 'Dropout', opset: 7, inputs: [[3, 4]], attributes: { ratio: { float: 0.3 } } },
  {
    what: 'bilinear',
    op: 'GridSample',
    opset: 16,
    inputs: [
      [1, 1, 4, 4],
      [1, 2, 3, 2],
    ],
    attributes: { mode: { string: 'bilinear' } },
  },
  {
    what: 'bicubic',
    op: 'GridSample',
    opset: 16,
    inputs: [
      [1, 1, 4, 4],
      [1, 2, 3, 2],
    ],
    attributes: { mode: { string: 'bicubic' } },
  },
  { what: 'over the last three axes', op: 'Hardmax', opset: 11, inputs: [[2, 3, 4, 2]] },
  { what: 'axis 2 of 4', op: 'LogSoftmax', opset: 9, inputs: [[2, 3, 4, 2]], attributes: { axis: { int: 2 } } },
  {
    what: 'constant',
    op: 'Pad',
    opset: 10,
    inputs: [[2, 3]],
    attributes: { pads: { ints: [1, 0, 2, 1] }, value: { float: 0.5 } },
  },
  {
    what: 'reflecting',
    op: 'Pad',
    opset: 7,
    inputs: [[4, 3]],
    attributes: { pads: { ints: [1, 0, 2, 1] }, mode: { string: 'reflect' } },
  },
  {
    what: 'some axes',
    op: 'ReduceMean',
    opset: 13,
    inputs: [[2, 3, 4]],
    attributes: { axes: { ints: [0, -1] }, keepdims: { int: 0 } },
  },
  { what: 'all axes', op: 'ReduceMax', opset: 11, inputs: [[2, 3, 4]] },
  { what: 'some axes', op: 'ReduceSum', opset: 11, inputs: [[2, 3, 4]], attributes: { axes: { ints: [1] } } },
  {
    what: 'axes as an input',
    op: 'ReduceSum',
    opset: 13,
    inputs: [[2, 3, 4]],
    constants: [{ dtype: 'int64', dims: [1], data: [1] }],
  },
  {
    what: 'growing, nearest',
    op: 'Resize',
    opset: 10,
    inputs: [[1, 1, 2, 3]],
    constants: [{ dtype: 'float32', dims: [4], data: [1, 1, 2, 2.5] }],
  },
  {
    what: 'shrinking, nearest',
    op: 'Resize',
    opset: 10,
    inputs: [[1, 1, 5, 7]],
    constants: [{ dtype: 'float32', dims: [4], data: [1, 1, 0.6, 0.4] }],
  },
  {
    what: 'linear',
    op: 'Resize',
    opset: 10,
    inputs: [[1, 1, 5, 7]],
    attributes: { mode: { string: 'linear' } },
    constants: [{ dtype: 'float32', dims: [4], data: [1, 1, 0.6, 2] }],
  },
  {
    what: 'to a size, with empty roi and scales',
    op: 'Resize',
    opset: 11,
    inputs: [[1, 1, 5, 7]],
    constants: [
      { dtype: 'float32', dims: [0], data: [] },
      { dtype: 'float32', dims: [0], data: [] },
      { dtype: 'int64', dims: [4], data: [1, 1, 10, 3] },
    ],
  },
  {
    what: 'old default of coordinates',
    op: 'RoiAlign',
    opset: 10,
    inputs: [
      [1, 1, 6, 6],
      [2, 4],
    ],
    attributes: { output_height: { int: 2 }, output_width: { int: 2 } },
    constants: [{ dtype: 'int64', dims: [2], data: [0, 0] }],
  },
  {
    what: 'some axes',
    op: 'Slice',
    opset: 9,
    inputs: [[4, 5]],
    attributes: { starts: { ints: [1] }, ends: { ints: [-1] }, axes: { ints: [1] } },
  },
  {
    what: 'all axes, to the end',
    op: 'Slice',
    opset: 7,
    inputs: [[4, 5]],
    attributes: { starts: { ints: [1, -3] }, ends: { ints: [2 ** 31 - 1, 2 ** 31 - 1] } },
  },
  { what: 'default axis', op: 'Softmax', opset: 11, inputs: [[2, 3, 4]] },
  { what: 'last axis', op: 'Softmax', opset: 7, inputs: [[2, 3, 4]], attributes: { axis: { int: 2 } } },
  { what: 'negative axis', op: 'Softmax', opset: 11, inputs: [[2, 3, 4]], attributes: { axis: { int: -2 } } },
  {
    what: 'sizes',
    op: 'Split',
    opset: 11,
    inputs: [[2, 5]],
    attributes: { axis: { int: 1 }, split: { ints: [2, 3] } },
    outputs: 2,
  },
  { what: 'equal parts', op: 'Split', opset: 13, inputs: [[6, 2]], outputs: 3 },
  { what: 'some axes', op: 'Squeeze', opset: 11, inputs: [[1, 3, 1]], attributes: { axes: { ints: [-1] } } },
  { what: 'all of size 1', op: 'Squeeze', opset: 7, inputs: [[1, 3, 1]] },
  {
    what: 'k = 2',
    op: 'TopK',
    opset: 9,
    inputs: [[3, 5]],
    attributes: { k: { int: 2 }, axis: { int: 1 } },
    outputs: 2,
  },
  { what: 'two axes', op: 'Unsqueeze', opset: 11, inputs: [[2, 3]], attributes: { axes: { ints: [0, 2] } } },
  {
    what: 'scales as an attribute',
    op: 'Upsample',
    opset: 7,
    inputs: [[1, 1, 2, 3]],
    attributes: { scales: { floats: [1, 1, 2, 3] } },
  },
  {
    what: 'scales as an input',
    op: 'Upsample',
    opset: 9,
    inputs: [[1, 2, 2, 3]],
    attributes: { mode: { string: 'linear' } },
    constants: [{ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] }],
  },
];

describe('an old model and its upgrade compute the same', () => {
  test.each(cases)(
    '$op of opset $opset: $what',
    async ({ op, opset, inputs, dtype = 'float32', attributes, constants = [], outputs = 1 }) => {
      const names = inputs.map((_, i) => `x${i}`);
      const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
      const bytes = makeModel({
        opset,
        nodes: [
          { op: 'Relu', inputs: ['x0'], outputs: ['x'] },
          {
            op,
            inputs: ['x', ...names.slice(1), ...constants.map((_, i) => `c${i}`)],
            outputs: results,
            ...(attributes && { attributes }),
          },
        ],
        inputs: inputs.map((shape, i) => ({ name: names[i] as string, dtype, shape })),
        outputs: results.map((name, i) => ({ name, dtype: op === 'TopK' && i === 1 ? 'int64' : dtype })),
        initializers: constants.map((c, i) => ({ ...c, name: `c${i}` })),
      });
      const feeds: Feeds = Object.fromEntries(
        inputs.map((dims, i) => [
          names[i],
          ndarray(dtype, dims, i === 0 ? wave(sizeOf(dims), i) : wave(sizeOf(dims), i).map(Math.abs)),
        ]),
      );
      const expected = await ortRun(bytes, feeds);
      const graph = await read(bytes);
      const got = await ortRun(writeGraph(graph, bytes), feeds);
      for (const name of results) expectClose(got[name], expected[name], dtype === 'float16' ? 1e-3 : 1e-5);
    },
  );

  test('GroupNormalization: one scale for a group becomes one for a channel', async () => {
    const model = (opset: number, scale: number[], bias: number[]) =>
      makeModel({
        opset,
        nodes: [
          { op: 'GroupNormalization', inputs: ['x', 's', 'b'], outputs: ['y'], attributes: { num_groups: { int: 2 } } },
        ],
        inputs: [{ name: 'x', dtype: 'float32', shape: [2, 6, 3] }],
        outputs: [{ name: 'y', dtype: 'float32' }],
        initializers: [
          { name: 's', dtype: 'float32', dims: [scale.length], data: scale },
          { name: 'b', dtype: 'float32', dims: [bias.length], data: bias },
        ],
      });
    const feeds = { x: ndarray('float32', [2, 6, 3], wave(36, 1)) };
    const expected = await ortRun(model(21, [2, 2, 2, 3, 3, 3], [1, 1, 1, 0, 0, 0]), feeds);
    const bytes = model(18, [2, 3], [1, 0]);
    const got = await ortRun(writeGraph(await read(bytes), bytes), feeds);
    expectClose(got.y, expected.y);
  });

  test('Scatter is ScatterElements', async () => {
    const bytes = makeModel({
      opset: 9,
      nodes: [{ op: 'Scatter', inputs: ['x', 'at', 'u'], outputs: ['y'], attributes: { axis: { int: 1 } } }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 4] }],
      initializers: [
        { name: 'at', dtype: 'int64', dims: [1, 2], data: [3, 0] },
        { name: 'u', dtype: 'float32', dims: [1, 2], data: [7, 8] },
      ],
    });
    const graph = await read(bytes);
    expect(graph.nodes.map((n) => n.op)).toEqual(['ScatterElements']);
    const { y } = await ortRun(writeGraph(graph, bytes), { x: ndarray('float32', [1, 4], [1, 2, 3, 4]) });
    expect([...(y?.data ?? [])]).toEqual([8, 2, 3, 7]);
  });
});

describe('forms that ONNX Runtime no longer runs', () => {
  /** `op` of opset 6 on constants-free inputs; the first input's rank is declared or not. */
  const upgraded = async (
    op: string,
    shapes: readonly (readonly number[])[],
    attributes: Record<string, AttributeSpec>,
    opset: number,
    rankKnown = true,
  ): Promise<NDArray> => {
    const bytes = makeModel({
      opset,
      nodes: [
        { op: 'Relu', inputs: ['x0'], outputs: ['x'] },
        {
          op,
          inputs: [rankKnown ? 'x0' : 'x', ...shapes.slice(1).map((_, i) => `x${i + 1}`)],
          outputs: ['y'],
          attributes,
        },
      ],
      inputs: shapes.map((shape, i) => ({ name: `x${i}`, dtype: 'float32', shape })),
      outputs: [{ name: 'y', dtype: 'float32' }],
    });
    const feeds = Object.fromEntries(
      shapes.map((dims, i) => [`x${i}`, ndarray('float32', dims, wave(sizeOf(dims), i).map(Math.abs))]),
    );
    const { y } = await ortRun(writeGraph(await read(bytes), bytes), feeds);
    return y as NDArray;
  };
  /** What the operator says of the element at [n, c, h, w], computed by hand. */
  const byHand = (dims: readonly number[], f: (a: number, c: number) => number): NDArray => {
    const a = wave(sizeOf(dims), 0).map(Math.abs);
    const inner = (dims[2] as number) * (dims[3] as number);
    return ndarray(
      'float32',
      dims,
      a.map((v, i) => f(v, Math.floor(i / inner) % (dims[1] as number))),
    );
  };
  const x = [2, 3, 2, 2];
  const b = wave(3, 1).map(Math.abs);

  test.each([true, false])('Add along an axis, rank declared: %s', async (rankKnown) => {
    const y = await upgraded('Add', [x, [3]], { broadcast: { int: 1 }, axis: { int: 1 } }, 6, rankKnown);
    expectClose(
      y,
      byHand(x, (a, c) => a + (b[c] as number)),
    );
  });

  test.each([true, false])('Mul along a negative axis, rank declared: %s', async (rankKnown) => {
    const y = await upgraded('Mul', [x, [3]], { broadcast: { int: 1 }, axis: { int: -3 } }, 6, rankKnown);
    expectClose(
      y,
      byHand(x, (a, c) => a * (b[c] as number)),
    );
  });

  test('Reshape, Pad, Upsample, Selu and Concat of opset 1', async () => {
    expect(
      (await upgraded('Reshape', [x], { shape: { ints: [6, -1] }, consumed_inputs: { ints: [0] } }, 1)).dims,
    ).toEqual([6, 4]);
    expect((await upgraded('Pad', [x], { paddings: { ints: [0, 0, 1, 0, 0, 0, 0, 2] } }, 1)).dims).toEqual([
      2, 3, 3, 4,
    ]);
    expect(
      (await upgraded('Upsample', [x], { width_scale: { float: 2 }, height_scale: { float: 3 } }, 1)).dims,
    ).toEqual([2, 3, 6, 4]);
    expectClose(
      await upgraded('Selu', [x], {}, 1),
      byHand(x, (a) => a * 1.0507),
    );
    expect((await upgraded('Concat', [x, x], {}, 1)).dims).toEqual([2, 6, 2, 2]);
  });

  test('BatchNormalization of each position by itself', async () => {
    const one = [3, 2, 2];
    const y = await upgraded('BatchNormalization', [x, one, one, one, one], { spatial: { int: 0 } }, 7);
    const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => wave(12, i).map(Math.abs)) as number[][];
    const expected = wave(24, 0).map((v, i) => {
      const at = (list: number[] | undefined) => list?.[i % 12] as number;
      return ((Math.abs(v) - at(mean)) / Math.sqrt(at(variance) + 1e-5)) * at(scale) + at(bias);
    });
    expectClose(y, ndarray('float32', x, expected), 1e-4);
  });

  test('Cast by the name of a type', async () => {
    const model = {
      opset: 5,
      inputs: [{ name: 'x', dtype: 'int32' as const, shape: [1] }],
      outputs: [{ name: 'y', dtype: 'float16' as const }],
    };
    const nodes = [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: { string: 'FLOAT16' } } }];
    expect((await read(makeModel({ ...model, nodes }))).nodes[0]?.attributes.to).toBe(10);
  });
});

/** Numbers in [-1, 1] without a pattern that a transposition would keep. */
function wave(length: number, phase: number): number[] {
  return Array.from({ length }, (_, i) => Math.sin(1.7 * i + 0.3 * i * i + phase));
}
