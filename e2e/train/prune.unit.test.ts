// Which weights of imported models are pruned, seen as what matrix, and what is told of those that stay.

import { beforeAll, describe, expect, it } from 'vitest';
import { LeptonError } from '../../src/base/errors';
import type { PruneOptions } from '../../src/compress/types';
import type { ModelSpec } from '../../src/nn/types';
import { training } from '../../src/train';
import { type ModelSpec as FileSpec, makeModel } from '../support/onnx-writer';
import { behind, importedBytes } from './imported';

/** Element i of a weight is i + 1: what is small is known by where it is. */
const counting = (name: string, dims: number[]) => {
  const count = dims.reduce((a, b) => a * b);
  return { name, dtype: 'float32' as const, dims, data: Array.from({ length: count }, (_, i) => i + 1) };
};

const file = (nodes: FileSpec['nodes'], initializers: FileSpec['initializers'], shape: (string | number)[]) =>
  makeModel({
    ...{ nodes, initializers },
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 'n'] }],
  });

async function specOf(bytes: Uint8Array, base = {}): Promise<{ spec: ModelSpec; state: Map<string, Float32Array> }> {
  const layer = await importedBytes(bytes);
  const spec = behind(layer, base, [['Flatten'], ['Dense', { units: 4 }]]);
  const given = new Map(layer.weights.map(({ name, array }) => [`OnnxModel_0/${name}`, array.data as Float32Array]));
  const { weights } = training.describe(spec);
  const count = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const state = weights.map(({ name, dims }): [string, Float32Array] => {
    return [name, given.get(name) ?? new Float32Array(count(dims)).fill(100)];
  });
  return { spec, state: new Map(state) };
}

function refusal(run: () => unknown): LeptonError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LeptonError);
    expect((error as LeptonError).code).toBe('INVALID_ARGUMENT');
    return error as LeptonError;
  }
  return expect.fail('it was taken');
}

describe('products', () => {
  // x [batch, 4] → Gemm with [out, in] → MatMul with [in, out] → MatMul with a transposed [out, in].
  let made: Awaited<ReturnType<typeof specOf>>;
  const prune = (options: PruneOptions) => training.prune(made.spec, made.state, options);
  const weight = (options: PruneOptions, name: string) => [...(prune(options).state.get(`OnnxModel_0/${name}`) ?? [])];

  beforeAll(async () => {
    const bytes = file(
      [
        { op: 'Gemm', inputs: ['x', 'fc1.weight', 'fc1.bias'], outputs: ['a'], attributes: { transB: { int: 1 } } },
        { op: 'MatMul', inputs: ['a', 'plain'], outputs: ['b'] },
        { op: 'Transpose', inputs: ['stored'], outputs: ['turned'], attributes: { perm: { ints: [1, 0] } } },
        { op: 'MatMul', inputs: ['b', 'turned'], outputs: ['c'] },
        { op: 'Transpose', inputs: ['tied'], outputs: ['back'], attributes: { perm: { ints: [1, 0] } } },
        { op: 'MatMul', inputs: ['c', 'tied'], outputs: ['d'] },
        { op: 'MatMul', inputs: ['d', 'back'], outputs: ['y'] },
      ],
      [
        counting('fc1.weight', [2, 4]),
        counting('fc1.bias', [2]),
        counting('plain', [2, 4]),
        counting('stored', [2, 4]),
        counting('tied', [2, 2]),
      ],
      ['batch', 4],
    );
    made = await specOf(bytes);
  });

  it('are pruned as the kernels of layers are', () => {
    const { report, state } = prune({ sparsity: 0.5, scope: 'layer' });
    expect(report.pruned).toEqual({
      'OnnxModel_0/fc1.weight': 0.5,
      'OnnxModel_0/plain': 0.5,
      'OnnxModel_0/stored': 0.5,
      'Dense_2/kernel': 0.5,
    });
    expect([...(state.get('OnnxModel_0/stored') ?? [])]).toEqual([0, 0, 0, 0, 5, 6, 7, 8]);
    expect(report.left).toEqual({ 'OnnxModel_0/tied': 'nodes take it in several forms' });
  });

  it('have their outputs where their nodes have them', () => {
    const rows = { sparsity: 0.5, structure: 'balanced' } as const;
    // Of each output the two smaller inputs.
    expect(weight(rows, 'fc1.weight')).toEqual([0, 0, 3, 4, 0, 0, 7, 8]);
    expect(weight(rows, 'stored')).toEqual([0, 0, 3, 4, 0, 0, 7, 8]);
    // Of its four outputs each has two inputs, and the smaller one is in the first row.
    expect(weight(rows, 'plain')).toEqual([0, 0, 0, 0, 5, 6, 7, 8]);
  });

  it('share what is given for their layer, or have shares of their own', () => {
    expect(prune({ sparsity: { OnnxModel_0: 0.75 } }).report.pruned).toEqual({
      'OnnxModel_0/fc1.weight': 0.75,
      'OnnxModel_0/plain': 0.75,
      'OnnxModel_0/stored': 0.75,
    });
    const { report } = prune({ sparsity: { OnnxModel_0: 0.75, 'OnnxModel_0/plain': 0.25 } });
    expect(report.pruned['OnnxModel_0/plain']).toBe(0.25);
    expect(report.left['Dense_2/kernel']).toBe('no share is given for it');
  });

  it('say by name why they cannot be', () => {
    expect(refusal(() => prune({ sparsity: { 'OnnxModel_0/tied': 0.5 } })).message).toContain(
      '"OnnxModel_0/tied" stays: nodes take it in several forms',
    );
    expect(refusal(() => prune({ sparsity: { 'OnnxModel_0/fc1.bias': 0.5 } })).message).toContain(
      '"OnnxModel_0/fc1.bias" is no layer or weight',
    );
  });
});

describe('what stays', () => {
  const convolutions = file(
    [
      { op: 'Conv', inputs: ['x', 'conv'], outputs: ['a'] },
      { op: 'Conv', inputs: ['a', 'depthwise'], outputs: ['y'], attributes: { group: { int: 3 } } },
    ],
    [counting('conv', [3, 2, 3, 3]), counting('depthwise', [3, 1, 2, 2])],
    ['batch', 2, 6, 6],
  );

  it('is told: a structure that a convolution cannot have', async () => {
    const { spec, state } = await specOf(convolutions);
    const blocks = { sparsity: 0.5, structure: '4x4' } as const;
    const { report } = training.prune(spec, state, blocks);
    expect(Object.keys(report.pruned)).toEqual(['Dense_2/kernel']);
    expect(report.left['OnnxModel_0/conv']).toBe(
      'the structure "4x4" is of weights with two axes, and it has [3, 2, 3, 3]',
    );
    const named = refusal(() => training.prune(spec, state, { ...blocks, sparsity: { 'OnnxModel_0/conv': 0.5 } }));
    expect(named.message).toMatch(/"OnnxModel_0\/conv" stays: the structure "4x4"/);
    expect(named.details).toMatchObject({ weights: ['OnnxModel_0/conv'] });
  });

  it('is not a convolution without one, nor what is depthwise', async () => {
    const { spec, state } = await specOf(convolutions);
    const { report, state: changed } = training.prune(spec, state, { sparsity: 0.5, scope: 'layer' });
    expect(report.pruned['OnnxModel_0/conv']).toBe(0.5);
    expect([...(changed.get('OnnxModel_0/conv') ?? [])].slice(26, 29)).toEqual([0, 28, 29]);
    expect(report.left['OnnxModel_0/depthwise']).toContain('depthwise');
  });

  it('is what does not learn', async () => {
    const { spec, state } = await specOf(convolutions, { trainable: false });
    const { report } = training.prune(spec, state, { sparsity: 0.5 });
    expect(Object.keys(report.pruned)).toEqual(['Dense_2/kernel']);
    expect(report.left['OnnxModel_0/conv']).toBe('it does not learn');
  });
});

it('sparse weights lose more of what the file has of them', async () => {
  const bytes = makeModel({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }],
    sparseInitializers: [
      {
        values: { name: 'w', dtype: 'float32', dims: [4], data: [1, -4, 0.5, 2] },
        indices: { dtype: 'int64', dims: [4], data: [1, 5, 6, 11] },
        dims: [4, 3],
      },
    ],
  });
  const { spec, state } = await specOf(bytes);
  const [name] = [...state.keys()] as [string];
  const { report, state: changed } = training.prune(spec, state, { sparsity: { [name]: 10 / 12 } });
  expect(report.pruned[name]).toBeCloseTo(10 / 12);
  expect([...(changed.get(name) ?? [])]).toEqual([0, -4, 0, 2]);
});
