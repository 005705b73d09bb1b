// What the writer writes is what ONNX Runtime and the tensor reader read.

import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import { dataPath, describeWithData, parseTensor, readTensors } from './data';
import { makeModel, makeTensor, tensorOf } from './onnx-writer';
import { ortRun } from './oracle';

describe('makeModel', () => {
  test('writes a model that ONNX Runtime runs', async () => {
    const model = makeModel({
      nodes: [
        {
          op: 'Gemm',
          inputs: ['x', 'w', 'b'],
          outputs: ['h'],
          attributes: { transB: { int: 1 }, beta: { float: 0.5 } },
        },
        { op: 'Transpose', inputs: ['h'], outputs: ['y'], attributes: { perm: { ints: [1, 0] } } },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [3, 'n'] }],
      initializers: [
        { name: 'w', dtype: 'float32', dims: [3, 2], data: [1, 0, 0, 1, 1, 1] },
        { name: 'b', dtype: 'float32', dims: [3], data: [2, 4, 6], storage: 'typed' },
      ],
      metadata: { made: 'for a test' },
    });
    const { y } = await ortRun(model, { x: ndarray('float32', [2, 2], [1, 2, 3, 4]) });
    expect(y?.dims).toEqual([3, 2]);
    expect([...(y?.data ?? [])]).toEqual([2, 4, 4, 6, 6, 10]);
  });

  test('writes subgraphs, functions and strings', async () => {
    const constant = (value: number) =>
      ({
        nodes: [
          {
            op: 'Constant',
            outputs: ['c'],
            attributes: { value: { tensor: { dtype: 'float32', dims: [1], data: [value] } } },
          },
        ],
        outputs: [{ name: 'c', dtype: 'float32', shape: [1] }],
      }) as const;
    const model = makeModel({
      nodes: [
        {
          op: 'If',
          inputs: ['flag'],
          outputs: ['a'],
          attributes: { then_branch: { graph: constant(1) }, else_branch: { graph: constant(2) } },
        },
        { op: 'Twice', domain: 'test', inputs: ['a'], outputs: ['y'] },
      ],
      functions: [
        {
          name: 'Twice',
          domain: 'test',
          inputs: ['p'],
          outputs: ['q'],
          nodes: [{ op: 'Add', inputs: ['p', 'p'], outputs: ['q'] }],
        },
      ],
      domains: { test: 1 },
      inputs: [{ name: 'flag', dtype: 'bool', shape: [] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
    });
    const { y } = await ortRun(model, { flag: ndarray('bool', [], [0]) });
    expect([...(y?.data ?? [])]).toEqual([4]);
  });
});

describe('makeTensor', () => {
  test.each(['raw', 'typed'] as const)('is read back, stored %s', (storage) => {
    for (const dtype of [
      'float32',
      'float16',
      'float64',
      'int8',
      'int32',
      'int64',
      'uint8',
      'uint64',
      'bool',
    ] as const) {
      const data = dtype === 'bool' || dtype.startsWith('u') ? [0, 1, 1] : [-1, 0, 1];
      const read = parseTensor(makeTensor({ name: 't', dtype, dims: [3], data, storage }));
      expect(read).toMatchObject({ name: 't', dtype, dims: [3] });
      expect([...read.data]).toEqual(data);
    }
  });

  test('takes an NDArray', () => {
    const array = ndarray('int64', [2], [5, -6]);
    expect([...parseTensor(makeTensor(tensorOf('t', array))).data]).toEqual([5, -6]);
  });
});

describeWithData('readTensors', () => {
  test('reads the cases beside a model', () => {
    const folder = dataPath('onnx-node', 'node', 'test_relu', 'test_data_set_0');
    const [input] = readTensors(folder, 'input');
    const [output] = readTensors(folder, 'output');
    expect(output?.dims).toEqual([3, 4, 5]);
    expect([...(output?.data ?? [])]).toEqual([...(input?.data ?? [])].map((v) => Math.max(0, v)));
  });
});
