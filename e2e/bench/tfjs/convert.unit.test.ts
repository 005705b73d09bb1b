// What the converted graph looks like: fused where TF.js has one kernel for it, and only there.

import { expect, test } from 'vitest';
import { Network } from '../cases/network';
import { convert } from './convert';

const shape = (op: string, { graph }: Awaited<ReturnType<typeof convert>>) =>
  graph.nodes.filter((node) => node.op === op).map(({ inputs, activation }) => ({ inputs: inputs.length, activation }));

function model(add: (network: Network) => void, outputs: readonly string[] = ['y']): Uint8Array<ArrayBuffer> {
  const network = new Network();
  add(network);
  const input = { name: 'x', dtype: 'float32', shape: [1, 4, 4, 4] } as const;
  return network.build(
    [input],
    outputs.map((name) => ({ name, dtype: 'float32' as const })),
  );
}

test('activations join the convolution before them', async () => {
  const bytes = model((n) => {
    const relu = n.op('Relu', [n.op('Conv', ['x', n.weight([4, 4, 1, 1], 4)])]);
    const [low, high] = [n.constant('float32', [], [0]), n.constant('float32', [], [6])];
    n.named('y', 'Clip', [n.op('Conv', [relu, n.weight([4, 4, 1, 1], 4)]), low, high]);
  });
  const converted = await convert(bytes, {});
  expect(converted.graph.nodes.map(({ op }) => op)).toEqual(['Conv', 'Conv']);
  expect(shape('Conv', converted).map(({ activation }) => activation)).toEqual(['relu', 'relu6']);
  expect(converted.graph.nodes[1]?.outputs).toEqual(['y']);
  expect(converted.weights.length).toBe(2 * 16 * 4);
});

test('a bias joins the product before it, and then the activation', async () => {
  const bytes = model((n) => {
    const product = n.op('MatMul', ['x', n.weight([4, 8], 4)]);
    n.named('y', 'Relu', [n.op('Add', [n.drawn([8], -1, 1), product])]);
  });
  const converted = await convert(bytes, {});
  expect(shape('Gemm', converted)).toEqual([{ inputs: 3, activation: 'relu' }]);
  expect(converted.graph.nodes).toHaveLength(1);
});

test('what somebody else reads too stays', async () => {
  const bytes = model(
    (n) => {
      n.named('between', 'Conv', ['x', n.weight([4, 4, 1, 1], 4)]);
      n.named('y', 'Relu', ['between']);
    },
    ['between', 'y'],
  );
  expect((await convert(bytes, {})).graph.nodes.map(({ op }) => op)).toEqual(['Conv', 'Relu']);
});

test('integers beyond 32 bits stand for the end', async () => {
  const bytes = model((n) => {
    n.named('y', 'Slice', ['x', n.ints([1]), n.ints([Number.MAX_SAFE_INTEGER]), n.ints([2])]);
  });
  const { graph, weights } = await convert(bytes, {});
  const ends = graph.constants.find(({ name }) => name === graph.nodes[0]?.inputs[2]);
  expect(new Int32Array(weights.buffer, ends?.offset, 1)[0]).toBe(2 ** 31 - 1);
});
