// Sparse initialisers and constants: read as they are, placed where they say, refused where they cannot be; and what is
// found out about weights that are mostly zeros.

import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../e2e/support/memory-source';
import { type ModelSpec, makeModel, type SparseTensorSpec, type TensorSpec } from '../../e2e/support/onnx-writer';
import type { LeptonError } from '../base/errors';
import type { Value } from '../ir/graph';
import { viewNode } from '../ops/registry';
import { shareCommon } from '../transform/share-common';
import { specialise } from '../transform/specialise';
import { spreadPatterns } from '../transform/spread-patterns';
import { readOnnx } from './onnx';
import { findPatterns } from './patterns';

const { signal } = new AbortController();

/** y = x · w, w [k, n] */
function product(weights: Partial<ModelSpec>, k: number, n: number): ModelSpec {
  return {
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, k] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, n] }],
    ...weights,
  };
}

async function look(spec: ModelSpec) {
  const source = new MemorySource(makeModel(spec));
  const { graph } = await readOnnx(source);
  return findPatterns(graph, () => source, signal);
}

function sparse(dims: readonly number[], indices: readonly number[], shape = [indices.length]): SparseTensorSpec {
  const count = shape[0] as number;
  return {
    values: { name: 'w', dtype: 'float32', dims: [count], data: Array.from({ length: count }, (_, i) => i + 1) },
    indices: { dtype: 'int64', dims: shape, data: indices },
    dims,
  };
}

const evenly = (count: number, step: number) => Array.from({ length: count }, (_, i) => i * step);

describe('sparse initialisers', () => {
  test('become a tensor of zeros with the values in their places', async () => {
    const graph = await look(product({ sparseInitializers: [sparse([2, 3], [1, 5])] }, 2, 3));
    const { values } = specialise(graph, new Map());
    const w = values.get('w')?.constant;
    expect(w?.kind === 'inline' && [...w.array.data]).toEqual([0, 1, 0, 0, 0, 2]);
  });

  test('may place their values by an index for each axis', async () => {
    const spec = product({ sparseInitializers: [sparse([2, 3], [0, 1, 1, 2], [2, 2])] }, 2, 3);
    const { values } = specialise(await look(spec), new Map());
    const w = values.get('w')?.constant;
    expect(w?.kind === 'inline' && [...w.array.data]).toEqual([0, 1, 0, 0, 0, 2]);
  });

  test('may be the value of a Constant node', async () => {
    const constant = {
      op: 'Constant',
      outputs: ['w'],
      attributes: { sparse_value: { sparse: sparse([2, 3], [1, 5]) } },
    };
    const spec = product({}, 2, 3);
    const { values } = specialise(await look({ ...spec, nodes: [constant, ...spec.nodes] }), new Map());
    const w = values.get('w')?.constant;
    expect(w?.kind === 'inline' && [...w.array.data]).toEqual([0, 1, 0, 0, 0, 2]);
  });

  test('stay sparse where they are large, and the product knows where they are', async () => {
    const spec = product({ sparseInitializers: [sparse([200, 100], evenly(2000, 10))] }, 200, 100);
    const graph = await look(spec);
    const kinds = ['w, sparse:values', 'w, sparse:indices'].map((name) => graph.values.get(name)?.constant?.kind);
    expect(kinds).toEqual(['stored', 'stored']);
    const ready = spreadPatterns({ ...specialise(graph, new Map()), nodes: lowered(graph.nodes) });
    const node = ready.nodes.at(-1) as (typeof ready.nodes)[number];
    const pattern = viewNode(node, ready.values, () => true).input(1).pattern;
    expect([pattern?.nonZeros, pattern?.perRow[7], pattern?.perColumn[0], pattern?.perColumn[1]]).toEqual([
      2000, 10, 200, 0,
    ]);
    expect(pattern?.blocks['4x4'].count).toBe(50 * 10);
  });

  test('of equal indices but other shapes each have a pattern of their own', async () => {
    const places = evenly(2000, 10);
    const spec = product({ sparseInitializers: [sparse([200, 100], places)] }, 200, 100);
    const wide = sparse([200, 120], places);
    const graph = await look({
      ...spec,
      nodes: [...spec.nodes, { op: 'MatMul', inputs: ['x', 'v'], outputs: ['z'] }],
      outputs: [...(spec.outputs ?? []), { name: 'z', dtype: 'float32', shape: [1, 120] }],
      sparseInitializers: [...(spec.sparseInitializers ?? []), { ...wide, values: { ...wide.values, name: 'v' } }],
    });
    // As where they are few: written by their numbers, and so on the host.
    const data = Float64Array.from(places);
    const inline = (v: Value): Value =>
      v.dtype === 'int64' ? { ...v, constant: { kind: 'inline', array: { dtype: 'int64', dims: [2000], data } } } : v;
    const values = new Map([...graph.values].map(([name, value]) => [name, inline(value)]));
    const shared = shareCommon({ ...graph, values, nodes: lowered(graph.nodes) });
    const ready = spreadPatterns(specialise(shared, new Map()));
    const products = ready.nodes.filter(({ op }) => op === 'lepton.MatMul');
    const columns = products.map((node) => viewNode(node, ready.values, () => true).input(1).pattern?.columns);
    expect(columns).toEqual([100, 120]);
  });

  test('of subgraphs are looked at, too', async () => {
    const spec = product({ sparseInitializers: [sparse([2, 3], [5, 1])] }, 2, 3);
    const branch = { name: 'b', nodes: spec.nodes, outputs: spec.outputs, sparseInitializers: spec.sparseInitializers };
    const attributes = { then_branch: { graph: branch }, else_branch: { graph: branch } };
    const error = await look({
      nodes: [{ op: 'If', inputs: ['c'], outputs: ['y'], attributes }],
      inputs: [...(spec.inputs ?? []), { name: 'c', dtype: 'bool', shape: [] }],
      outputs: spec.outputs,
    } as ModelSpec).catch((e) => e);
    expect(error).toMatchObject({ code: 'INVALID_MODEL', message: expect.stringMatching(/do not ascend/) });
  });

  test('of a shape that nothing could hold are refused before anything is allocated', async () => {
    const error = await look(product({ sparseInitializers: [sparse([2 ** 40, 2], [1])] }, 2, 3)).catch((e) => e);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', message: expect.stringMatching(/dense tensor \[/) });
  });

  test.each([
    ['that do not ascend', sparse([2, 3], [5, 1]), /"w" has indices that do not ascend: place 1 follows 5/],
    ['that are there twice', sparse([2, 3], [1, 1]), /do not ascend: place 1 follows 1/],
    ['outside of the shape', sparse([2, 3], [1, 6]), /"w" has the index 6, expected 0 to 5/],
    ['below zero', sparse([2, 3], [-1, 4]), /"w" has the index -1, expected 0 to 5/],
    ['outside of an axis', sparse([2, 3], [0, 3, 1, 0], [2, 2]), /"w" has the index 3, expected 0 to 2/],
    [
      'of another number',
      { ...sparse([2, 3], [1, 5]), indices: indices([3]) },
      /expected int64 indices \[nnz\] or \[nnz, 2\]/,
    ],
  ])('are refused with indices %s', async (_, tensor, message) => {
    const error = (await look(product({ sparseInitializers: [tensor] }, 2, 3)).catch((e) => e)) as LeptonError;
    expect(error.code).toBe('INVALID_MODEL');
    expect(error.message).toMatch(message);
  });
});

describe('dense weights', () => {
  const weights = (data: ArrayLike<number>): TensorSpec[] => [{ name: 'w', dtype: 'float32', dims: [100, 60], data }];

  test('that are mostly zeros are recognised', async () => {
    const data = Array.from({ length: 6000 }, (_, i) => (i % 7 === 0 ? 1 : -0));
    const graph = await look(product({ initializers: weights(data) }, 100, 60));
    expect(graph.values.get('w')?.pattern?.nonZeros).toBe(858);
  });

  test('of int8 that are mostly zeros are recognised through their dequantisation', async () => {
    const data = Array.from({ length: 6000 }, (_, i) => (i % 7 === 0 ? -3 : 0));
    const scale: TensorSpec = { name: 's', dtype: 'float32', dims: [60], data: new Array(60).fill(0.5) };
    const spec = product({ initializers: [{ name: 'q', dtype: 'int8', dims: [100, 60], data }, scale] }, 100, 60);
    const dequantize = { op: 'DequantizeLinear', inputs: ['q', 's'], outputs: ['w'] };
    const graph = await look({ ...spec, nodes: [dequantize, ...spec.nodes] });
    expect(graph.values.get('q')?.pattern?.nonZeros).toBe(858);
  });

  test('whose non-zeros lie together are recognised, wherever they lie', async () => {
    for (const full of [0, 64, 128]) {
      const data = new Float32Array(129 * 1024).fill(1, full * 1024, (full + 1) * 1024);
      const initializers: TensorSpec[] = [{ name: 'w', dtype: 'float32', dims: [129, 1024], data }];
      const graph = await look(product({ initializers }, 129, 1024));
      expect(graph.values.get('w')?.pattern?.nonZeros).toBe(1024);
    }
  });

  test('that are not have no pattern, and are not read through', async () => {
    const data = Array.from({ length: 6000 }, (_, i) => i + 1);
    expect((await look(product({ initializers: weights(data) }, 100, 60))).values.get('w')?.pattern).toBeUndefined();
  });
});

function indices(dims: readonly number[]): TensorSpec {
  return { dtype: 'int64', dims, data: evenly(dims[0] as number, 1) };
}

/** Products by the name under which they have kernels. */
function lowered<N extends { op: string }>(nodes: readonly N[]): N[] {
  return nodes.map((node) => (node.op === 'MatMul' ? { ...node, op: 'lepton.MatMul' } : node));
}
