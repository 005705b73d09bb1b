// What becomes of the constants of a compressed model, its weights and all others: their names, forms and types.

import { describe, expect, test } from 'vitest';
import { apart, noise, runOnHost } from '../../e2e/support/compressing';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ortRun } from '../../e2e/support/oracle';
import { type NDArray, ndarray } from '../base/ndarray';
import { readOnnx } from '../read/onnx';
import { compressModel } from './model';
import type { CompressOptions } from './types';

describe('constants of a compressed model', () => {
  test.each(['init', 'node'])('new names are those of nothing in a subgraph: %s', async (kind) => {
    const hidden = kind === 'init' ? 'w_scale' : 'w_quantized';
    const branch = (op: string, output: string) => ({
      graph: {
        nodes: [
          ...(kind === 'node' ? [{ op: 'Mul', inputs: ['h', 'two'], outputs: [hidden] }] : []),
          { op, inputs: ['h', hidden], outputs: [output] },
        ],
        ...(kind === 'init' && {
          initializers: [{ name: hidden, dtype: 'float32' as const, dims: [1, 64], data: noise(64, 5) }],
        }),
        outputs: [{ name: output, dtype: 'float32' as const }],
      },
    });
    const model = makeModel({
      nodes: [
        { op: 'MatMul', name: 'm', inputs: ['x', 'w'], outputs: ['h'] },
        {
          op: 'If',
          inputs: ['yes'],
          outputs: ['y'],
          attributes: { then_branch: branch('Add', 'a'), else_branch: branch('Sub', 'b') },
        },
      ],
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['n', 32] },
        { name: 'yes', dtype: 'bool', shape: [] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 64] }],
      initializers: [
        { name: 'w', dtype: 'float32', dims: [32, 64], data: noise(2048, 3) },
        { name: 'two', dtype: 'float32', dims: [], data: [2] },
      ],
    });
    const feeds = { x: ndarray('float32', [2, 32], noise(64, 1)), yes: ndarray('bool', [], [1]) };
    const { bytes } = await compressModel(model, { options: { quantize: 'int8' } });
    const [before, own, theirs] = [
      await runOnHost(model, feeds),
      await runOnHost(bytes, feeds),
      await ortRun(bytes, feeds),
    ];
    expect(apart(own.y as NDArray, before.y as NDArray)).toBeLessThan(0.02);
    expect(apart(theirs.y as NDArray, before.y as NDArray)).toBeLessThan(0.02);
  });

  test('constants keep the form that the file has for them, but for weights that are compressed', async () => {
    const half = (name: string, rows: number, seed: number) => {
      return { name, dtype: 'float16' as const, dims: [rows, 64], data: noise(64 * rows, seed) };
    };
    const cast = { op: 'Cast', attributes: { to: { int: 1 } } };
    const model = makeModel({
      nodes: [
        { ...cast, inputs: ['h'], outputs: ['w'] },
        { op: 'MatMul', name: 'm', inputs: ['x', 'w'], outputs: ['a'] },
        { ...cast, inputs: ['g'], outputs: ['e'] },
        { op: 'Add', inputs: ['a', 'e'], outputs: ['b'] },
        { op: 'Transpose', inputs: ['t'], outputs: ['u'], attributes: { perm: { ints: [1, 0] } } },
        { op: 'MatMul', name: 'tied', inputs: ['b', 'u'], outputs: ['y'] },
        { op: 'Gather', inputs: ['t', 'i'], outputs: ['z'] },
      ],
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['n', 64] },
        { name: 'i', dtype: 'int64', shape: ['k'] },
      ],
      outputs: [
        { name: 'y', dtype: 'float32', shape: ['n', 200] },
        { name: 'z', dtype: 'float32', shape: ['k', 64] },
      ],
      initializers: [half('h', 64, 1), half('g', 1, 2), { ...half('t', 200, 3), dtype: 'float32' }],
    });
    const { bytes, report } = await compressModel(model, { options: { quantize: 'int8' } });
    const { graph } = await readOnnx(new MemorySource(bytes));
    expect(graph.values.get('g')?.dtype).toBe('float16');
    expect(report.layers.map(({ left }) => left)).toEqual([undefined, 'its weights are computed']);
    expect(graph.values.get('t')?.dims).toEqual([200, 64]);
    expect(graph.values.has('h')).toBe(false);
    expect(report.bytes.after).toBeLessThan(model.length - 2 * 64 * 64 + 64 * 64 + 1500);
  });

  test.each<[string, CompressOptions]>([
    ['the first', { prune: { sparsity: { one: 0.5 } } }],
    ['the second', { prune: { sparsity: { two: 0.5 } } }],
    ['but the second', { prune: 0.5, skip: ['two'] }],
    ['the second as integers', { quantize: 'int8', skip: ['one'] }],
  ])('of layers that share a constant, moved for one of them, %s alone is compressed', async (_, options) => {
    const model = makeModel({
      nodes: [
        { op: 'MatMul', name: 'one', inputs: ['x', 'c'], outputs: ['y'] },
        { op: 'Transpose', name: 'turn', inputs: ['c'], outputs: ['w'], attributes: { perm: { ints: [1, 0] } } },
        { op: 'MatMul', name: 'two', inputs: ['x', 'w'], outputs: ['z'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 64] }],
      outputs: [
        { name: 'y', dtype: 'float32', shape: ['n', 64] },
        { name: 'z', dtype: 'float32', shape: ['n', 64] },
      ],
      initializers: [{ name: 'c', dtype: 'float32', dims: [64, 64], data: noise(4096, 3) }],
    });
    const feeds = { x: ndarray('float32', [2, 64], noise(128, 1)) };
    const { bytes, report } = await compressModel(model, { options });
    const [before, own, theirs] = [
      await runOnHost(model, feeds),
      await runOnHost(bytes, feeds),
      await ortRun(bytes, feeds),
    ];
    for (const [i, output] of ['y', 'z'].entries()) {
      const [was, is] = [before[output] as NDArray, own[output] as NDArray];
      if (report.layers[i]?.left !== undefined) expect(apart(is, was)).toBeLessThan(1e-6);
      else expect(apart(is, was)).toBeGreaterThan(1e-4);
      expect(apart(theirs[output] as NDArray, is)).toBeLessThan(1e-4);
    }
    expect(report.layers.map(({ left }) => left === undefined).filter(Boolean)).toHaveLength(1);
  });

  test('a constant that is an output stays a dense tensor', async () => {
    const model = makeModel({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'MatMul', inputs: ['h', 'v'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 32] }],
      outputs: [
        { name: 'y', dtype: 'float32', shape: ['n', 64] },
        { name: 'w', dtype: 'float32', shape: [32, 64] },
      ],
      initializers: [
        { name: 'v', dtype: 'float32', dims: [64, 64], data: noise(4096, 4) },
        { name: 'w', dtype: 'float32', dims: [32, 64], data: noise(2048, 3).map((v, i) => (i % 20 ? 0 : v)) },
      ],
    });
    const feeds = { x: ndarray('float32', [2, 32], noise(64, 1)) };
    const { bytes } = await compressModel(model, { options: { prune: 0.5 } });
    expect((await ortRun(bytes, feeds)).w?.dims).toEqual([32, 64]);
  });

  test('sparse tensors whose indices cannot be are refused', async () => {
    const model = makeModel({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 8] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 16] }],
      sparseInitializers: [
        {
          values: { name: 'w', dtype: 'float32', dims: [2], data: [1, 2] },
          indices: { dtype: 'int64', dims: [2], data: [3, 128] },
          dims: [8, 16],
        },
      ],
    });
    await expect(compressModel(model, { options: { prune: 0.5 } })).rejects.toMatchObject({
      code: 'INVALID_MODEL',
      message: expect.stringMatching(/index 128, expected 0 to 127/),
    });
  });
});
