// What a trained model is exported as: sizes that are open besides the batch's, and pooling in ceil_mode, which layers have
// only from files.

import { expect, it } from 'vitest';
import { compressedRows, matrixText } from '../../src/base/compressed-rows';
import { encode, ndarray } from '../../src/base/ndarray';
import { readOnnx } from '../../src/read/onnx';
import { training } from '../../src/train';
import { expectClose } from '../support/expect-close';
import { MemorySource } from '../support/memory-source';
import { hostNetwork } from '../support/network';
import { makeModel, tensorOf } from '../support/onnx-writer';
import { ortRun } from '../support/oracle';
import { mulberry32 } from '../support/random';
import { sequence } from './networks';

it('keeps the batch and other open sizes apart', async () => {
  const spec = sequence('steps', { shape: [null, 3], dtype: 'float32' }, [
    ['Conv1D', { filters: 2, kernelSize: 3, padding: 'same' }],
  ]);
  const weights = training.describe(spec).weights.map((weight, i): [string, Uint8Array] => {
    return [weight.name, new Uint8Array(training.initialise(weight, i).buffer)];
  });
  const bytes = training.onnx(spec, new Map(weights));
  const { graph } = await readOnnx(new MemorySource(bytes), {});
  const [batch, steps, features] = graph.values.get(graph.inputs[0] as string)?.dims ?? [];
  expect([batch, features]).toEqual(['batch', 3]);
  expect(steps).toEqual(expect.any(String));
  expect(steps).not.toBe(batch);
});

// How a window hangs over the end, or begins in the padding, is said by the graph that an imported model is kept as.
const pools = [
  { op: 'MaxPool', kernel: [3, 3], strides: [2, 2], pads: [0, 0, 0, 0] },
  { op: 'MaxPool', kernel: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1] },
  { op: 'MaxPool', kernel: [2, 3], strides: [2, 2], pads: [0, 1, 0, 1], dilations: [2, 1] },
  { op: 'AveragePool', kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], includePad: 0 },
  { op: 'AveragePool', kernel: [3, 2], strides: [2, 3], pads: [1, 0, 0, 1], includePad: 1 },
] as const;

it.each(pools)('pools in ceil_mode as onnxruntime does: %o', async ({ op, kernel, strides, pads, ...more }) => {
  const random = mulberry32(7);
  const drawn = (...dims: number[]) =>
    ndarray(
      'float32',
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b) }, () => random() - 0.5),
    );
  const file = makeModel({
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { kernel_shape: { ints: [1, 1] } } },
      {
        ...{ op, inputs: ['c'], outputs: ['y'] },
        attributes: {
          ...{ kernel_shape: { ints: kernel }, strides: { ints: strides }, pads: { ints: pads } },
          ceil_mode: { int: 1 },
          ...('includePad' in more && { count_include_pad: { int: more.includePad } }),
          ...('dilations' in more && { dilations: { ints: more.dilations } }),
        },
      },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2, 8, 10] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3, null, null] }],
    initializers: [tensorOf('w', drawn(3, 2, 1, 1))],
  });
  const source = new MemorySource(file);
  const { graph } = await readOnnx(source, {});
  const { signal } = new AbortController();
  const layer = await training.importLayer(graph, { fileOf: () => source, signal });
  const shape = layer.inputs[0]?.shape ?? [];
  const spec = sequence('pool', { shape, dtype: 'float32' }, [['OnnxModel', { graph: layer.text }]]);
  const weights = layer.weights.map(({ name, array }) => [`OnnxModel_0/${name}`, encode(array)] as const);
  const exported = training.onnx(spec, new Map(weights));
  const x = drawn(2, 2, 8, 10);
  const [wanted] = Object.values(await ortRun(file, { x }));
  const [got] = Object.values(await ortRun(exported, { x }));
  expect(got?.dims).toEqual(wanted?.dims);
  wanted?.data.forEach((value, i) => {
    expect(got?.data[i]).toBeCloseTo(value as number, 6);
  });
});

it('sparse matrices become sparse initialisers, and the batch is what their layers take', async () => {
  const [nodes, words] = [40, 300];
  const random = mulberry32(3);
  const pick = (count: number, below: number) => Array.from({ length: count }, () => Math.floor(random() * below));
  const matrix = (width: number, count: number) =>
    matrixText(
      compressedRows({
        ...{ shape: [nodes, width], rows: pick(count, nodes), columns: pick(count, width), values: pick(count, 9) },
      }),
    );
  const spec = sequence('graph', { shape: [], dtype: 'int32' }, [
    ['SparseDense', { units: 6, matrix: matrix(words, 400), dropout: 0.5, activation: 'relu' }],
    ['GCNConv', { units: 4, matrix: matrix(nodes, 150), activation: 'softmax' }],
  ]);
  const weights = training
    .describe(spec)
    .weights.map((weight, i) => [weight.name, training.initialise(weight, i)] as const);
  const bytes = training.onnx(spec, new Map(weights.map(([name, data]) => [name, new Uint8Array(data.buffer)])));
  expect(bytes.length).toBeLessThan(nodes * words);
  const { graph } = await readOnnx(new MemorySource(bytes), {});
  expect(graph.values.get(graph.inputs[0] as string)?.dims).toEqual([nodes]);
  expect(graph.nodes.filter(({ op }) => op === 'lepton.SparseTensor')).toHaveLength(2);
  const name = spec.inputs[0]?.name as string;
  const numbers = Array.from({ length: nodes }, (_, i) => nodes - 1 - i);
  const given = Object.fromEntries<readonly number[]>([
    [name, numbers],
    ...weights.map(([n, w]) => [n, [...w]] as const),
  ]);
  const [wanted] = hostNetwork(spec, nodes, false, given).run().outputs;
  const [got] = Object.values(await ortRun(bytes, { [name]: ndarray('int32', [nodes], numbers) }));
  expectClose(got, wanted);
});
