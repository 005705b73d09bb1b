// readOnnx on small models written for the purpose: types, constants, names, subgraphs, order.

import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../e2e/support/memory-source';
import { type ModelSpec, makeModel, type TensorSpec } from '../../e2e/support/onnx-writer';
import { type DType, dtypes } from '../base/dtype';
import type { LeptonError } from '../base/errors';
import type { AttributeValue, Graph, Node, Value } from '../ir/graph';
import { type ModelFile, type ReadOptions, readOnnx } from './onnx';

function read(spec: ModelSpec, options?: ReadOptions): Promise<ModelFile> {
  return readOnnx(new MemorySource(makeModel(spec)), options);
}

/** y = Identity(x), or what is given instead. */
function small(spec: Partial<ModelSpec> = {}): ModelSpec {
  return {
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
    ...spec,
  };
}

async function refusal(spec: ModelSpec): Promise<{ code: string; message: string }> {
  const { code, message } = (await read(spec).catch((e) => e)) as LeptonError;
  return { code, message };
}

function inlined(value: Value | undefined): number[] {
  if (value?.constant?.kind !== 'inline') throw new Error(`"${value?.name}" is not inline`);
  return [...value.constant.array.data];
}

function subgraph(value: AttributeValue | undefined): Graph {
  if (typeof value !== 'object' || !('graph' in value)) throw new Error('no graph');
  return value.graph;
}

describe('values', () => {
  test('names, producer, opset, metadata, inputs and outputs', async () => {
    const model = await read(small({ opset: 17, producer: 'p', name: 'g', metadata: { author: 'a', __proto__: 'b' } }));
    expect(model).toMatchObject({ producer: 'p', opset: 17, files: [], metadata: { author: 'a' } });
    expect(model.graph).toMatchObject({ name: 'g', inputs: ['x'], outputs: ['y'] });
  });

  test.each(['raw', 'typed'] as const)('initialisers of every type, stored %s', async (storage) => {
    const samples: Record<DType, number[]> = {
      float32: [1.5, -2],
      float16: [0.5, -65504],
      float64: [Math.PI, -1e300],
      bool: [1, 0],
      int8: [-128, 127],
      int16: [-32768, 5],
      int32: [-(2 ** 31), 7],
      int64: [-(2 ** 52), 2 ** 40 + 1],
      uint8: [255, 1],
      uint16: [65535, 1],
      uint32: [2 ** 32 - 1, 1],
      uint64: [2 ** 52, 1],
      bfloat16: [1.5, -(2 ** 100)],
      int4: [-8, 7],
      uint4: [15, 1],
      int2: [-2, 1],
      uint2: [3, 1],
      float8e4m3fn: [0.5, -448],
      float8e4m3fnuz: [0.5, -240],
      float8e5m2: [Number.POSITIVE_INFINITY, -57344],
      float8e5m2fnuz: [0.5, 2 ** -17],
      float8e8m0: [2 ** -127, 2 ** 127],
      float4e2m1: [0.5, -6],
    };
    const initializers = dtypes.map(
      (dtype): TensorSpec => ({ name: dtype, dtype, dims: [2], data: samples[dtype], storage }),
    );
    const { graph } = await read(small({ initializers }));
    for (const dtype of dtypes) {
      const value = graph.values.get(dtype);
      expect(value).toMatchObject({ dtype, dims: [2] });
      expect(inlined(value)).toEqual(samples[dtype]);
    }
  });

  test('large initialisers are referred to, whether raw or typed', async () => {
    const data = Float32Array.from({ length: 2000 }, (_, i) => i);
    for (const storage of ['raw', 'typed'] as const) {
      const bytes = makeModel(
        small({ initializers: [{ name: 'w', dtype: 'float32', dims: [20, 100], data, storage }] }),
      );
      const { graph } = await readOnnx(new MemorySource(bytes));
      const constant = graph.values.get('w')?.constant;
      if (constant?.kind !== 'stored') throw new Error('not stored');
      const { file, offset, length } = constant.bytes;
      expect(file).toBe('');
      expect(new Float32Array(bytes.slice(offset, offset + length).buffer)).toEqual(data);
    }
  });

  test('int64 data beyond the inline size is read where it is written as numbers', async () => {
    const data = Array.from({ length: 3000 }, (_, i) => i - 1500);
    const { graph } = await read(
      small({ initializers: [{ name: 'n', dtype: 'int64', dims: [3000], data, storage: 'typed' }] }),
    );
    expect(inlined(graph.values.get('n'))).toEqual(data);
  });

  test('external data is referred to by file, with or without a length', async () => {
    const model = await read(
      small({
        initializers: [
          {
            name: 'a',
            dtype: 'float16',
            dims: [3, 5],
            external: { location: 'weights/a.bin', offset: 4096, length: 30 },
          },
          { name: 'b', dtype: 'int64', dims: [2], external: { location: 'b.bin' } },
        ],
      }),
    );
    expect(model.files).toEqual(['weights/a.bin', 'b.bin']);
    expect(model.graph.values.get('a')?.constant).toEqual({
      kind: 'stored',
      bytes: { file: 'weights/a.bin', offset: 4096, length: 30 },
    });
    expect(model.graph.values.get('b')?.constant).toEqual({
      kind: 'stored',
      bytes: { file: 'b.bin', offset: 0, length: 16 },
    });
  });

  test.each(['../w.bin', '/etc/passwd', 'https://example.org/w', 'a/../../w', 'C:\\w', ''])(
    'external data in "%s" is refused',
    async (location) => {
      const initializers: TensorSpec[] = [{ name: 'w', dtype: 'float32', dims: [1], external: { location } }];
      expect(await refusal(small({ initializers }))).toMatchObject({
        code: 'INVALID_MODEL',
        message: expect.stringContaining('"w"'),
      });
    },
  );

  test('sizes without a usable name get one of their own', async () => {
    const { graph } = await read(
      small({
        inputs: [
          { name: 'x', dtype: 'float32', shape: ['batch', 3, -1, '?', null, 'None', 0] },
          { name: 'z', dtype: 'int64' },
        ],
      }),
    );
    expect(graph.values.get('x')?.dims).toEqual(['batch', 3, 'x_dim2', 'x_dim3', 'x_dim4', 'x_dim5', 'x_dim6']);
    expect(graph.values.get('z')).toEqual({ name: 'z', dtype: 'int64' });
  });

  test('initialisers are no inputs, even where the model lists them so', async () => {
    const { graph } = await read(
      small({
        irVersion: 3,
        nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
        inputs: [
          { name: 'x', dtype: 'float32', shape: [1] },
          { name: 'w', dtype: 'float32', shape: [1] },
        ],
        initializers: [{ name: 'w', dtype: 'float32', dims: [1], data: [2] }],
      }),
    );
    expect(graph.inputs).toEqual(['x']);
    expect(inlined(graph.values.get('w'))).toEqual([2]);
  });

  test('undeclared values get the element type that their node gives them', async () => {
    const { graph } = await read({
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['half'], attributes: { to: { int: 10 } } },
        { op: 'Shape', inputs: ['half'], outputs: ['shape'] },
        { op: 'Greater', inputs: ['half', 'half'], outputs: ['more'] },
        { op: 'TopK', inputs: ['half', 'k'], outputs: ['top', 'at'] },
        { op: 'Where', inputs: ['more', 'half', 'half'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }],
      outputs: [{ name: 'y', dtype: 'float16' }],
      initializers: [{ name: 'k', dtype: 'int64', dims: [1], data: [1] }],
    });
    const types = ['half', 'shape', 'more', 'top', 'at', 'y'].map((name) => graph.values.get(name)?.dtype);
    expect(types).toEqual(['float16', 'int64', 'bool', 'float16', 'int64', 'float16']);
  });
});

describe('nodes', () => {
  test('operators, attributes of every kind, absent inputs', async () => {
    const { graph } = await read(
      small({
        nodes: [
          {
            op: 'Everything',
            domain: 'com.example',
            inputs: ['x', '', 'x'],
            outputs: ['y'],
            attributes: {
              i: { int: -3 },
              f: { float: 0.5 },
              s: { string: 'größer' },
              is: { ints: [1, -2] },
              fs: { floats: [0.25] },
              ss: { strings: ['a', 'b'] },
              t: { tensor: { dtype: 'int32', dims: [], data: [4] } },
            },
          },
          { op: 'Relu', domain: 'ai.onnx', inputs: ['x'], outputs: ['unused'] },
          { op: 'Scaler', domain: 'ai.onnx.ml', inputs: ['x'], outputs: ['unused2'] },
        ],
        domains: { 'com.example': 1, 'ai.onnx.ml': 3 },
      }),
    );
    expect(graph.nodes.map((n) => n.op)).toEqual(['com.example.Everything', 'Relu', 'ai.onnx.ml.Scaler']);
    expect(graph.nodes[0]).toMatchObject({
      inputs: ['x', '', 'x'],
      attributes: {
        i: -3,
        f: 0.5,
        s: 'größer',
        is: [1, -2],
        fs: [0.25],
        ss: ['a', 'b'],
        t: { tensor: { dtype: 'int32', dims: [] } },
      },
    });
  });

  test('every node gets a name of its own', async () => {
    const relu = (name?: string) => ({
      op: 'Relu',
      inputs: ['x'],
      outputs: [`y${name ?? ''}${serial++}`],
      ...(name && { name }),
    });
    let serial = 0;
    const { graph } = await read(small({ nodes: [relu(), relu('a'), relu('a'), relu('Relu_4'), relu()], outputs: [] }));
    const names = graph.nodes.map((n) => n.name);
    expect(names).toEqual(['Relu_0', 'a', 'Relu_2', 'Relu_4', 'Relu_4_']);
  });

  test('Constant nodes become constants', async () => {
    const constant = (name: string, attribute: string, spec: object) => ({
      op: 'Constant',
      outputs: [name],
      attributes: { [attribute]: spec as { int: number } },
    });
    const { graph } = await read(
      small({
        nodes: [
          constant('t', 'value', { tensor: { dtype: 'float32', dims: [1, 2], data: [3, 4] } }),
          constant('f', 'value_float', { float: 0.5 }),
          constant('i', 'value_int', { int: -7 }),
          constant('fs', 'value_floats', { floats: [1, 2.5] }),
          constant('is', 'value_ints', { ints: [2 ** 40] }),
          { op: 'Identity', inputs: ['f'], outputs: ['y'] },
        ],
        outputs: [{ name: 'y', dtype: 'float32', shape: [] }],
      }),
    );
    expect(graph.nodes.map((n) => n.op)).toEqual(['Identity']);
    const found = ['t', 'f', 'i', 'fs', 'is'].map((name) => graph.values.get(name) as Value);
    expect(found.map((v) => [v.dtype, v.dims, inlined(v)])).toEqual([
      ['float32', [1, 2], [3, 4]],
      ['float32', [], [0.5]],
      ['int64', [], [-7]],
      ['float32', [2], [1, 2.5]],
      ['int64', [1], [2 ** 40]],
    ]);
  });

  test('nodes out of order are sorted, cycles refused', async () => {
    const add = (name: string, inputs: string[], output: string) => ({ op: 'Add', name, inputs, outputs: [output] });
    const { graph } = await read(
      small({ nodes: [add('last', ['a', 'b'], 'y'), add('second', ['a', 'x'], 'b'), add('first', ['x', 'x'], 'a')] }),
    );
    expect(graph.nodes.map((n) => n.name)).toEqual(['first', 'second', 'last']);
    const cycle = await refusal(
      small({ nodes: [add('p', ['x', 'b'], 'a'), add('q', ['a', 'x'], 'b'), add('r', ['b', 'x'], 'y')] }),
    );
    expect(cycle).toMatchObject({ code: 'INVALID_MODEL', message: expect.stringContaining('cycle') });
  });

  test('subgraphs know what they read from outside', async () => {
    const branch = (op: string) => ({
      graph: {
        nodes: [
          { op: 'Constant', outputs: ['two'], attributes: { value_float: { float: 2 } } },
          { op, inputs: ['outside', 'two'], outputs: ['z'] },
        ],
        outputs: [{ name: 'z', dtype: 'float16' as const, shape: [1] }],
      },
    });
    const seen: Node[] = [];
    const { graph } = await read(
      small({
        nodes: [
          {
            op: 'If',
            inputs: ['flag'],
            outputs: ['y'],
            attributes: { then_branch: branch('Add'), else_branch: branch('Mul') },
          },
          { op: 'Cast', inputs: ['x'], outputs: ['outside'], attributes: { to: { int: 10 } } },
        ],
        inputs: [
          { name: 'x', dtype: 'float32', shape: [1] },
          { name: 'flag', dtype: 'bool', shape: [] },
        ],
        outputs: [{ name: 'y', dtype: 'float16' }],
      }),
      { onNodes: (nodes) => seen.push(...nodes) },
    );
    expect(seen.map((n) => n.op)).toEqual(['If', 'Add', 'Mul', 'Cast']);
    // The branch needs the Cast, which the file has after the If.
    expect(graph.nodes.map((n) => n.op)).toEqual(['Cast', 'If']);
    const inner = subgraph(graph.nodes[1]?.attributes.then_branch);
    expect(inner.inputs).toEqual([]);
    expect(inner.values.get('outside')?.dtype).toBe('float16');
    expect(inlined(inner.values.get('two'))).toEqual([2]);
  });
});

describe('what Lepton does not support is named', () => {
  test.each([
    ['an opset of the future', small({ opset: 999 }), /opset 999.*1 to 28/],
    [
      'a text constant',
      small({ nodes: [{ op: 'Constant', name: 'n', outputs: ['y'], attributes: { value_string: { string: 's' } } }] }),
      /"n" holds a value_string/,
    ],
  ])('%s', async (_, spec, message) => {
    expect(await refusal(spec)).toMatchObject({ code: 'UNSUPPORTED_MODEL', message: expect.stringMatching(message) });
  });
});
