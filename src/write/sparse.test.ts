// Constants that are mostly zeros are written as sparse initialisers where that is smaller, and read back as they were.

import { expect, test } from 'vitest';
import { openOnHost } from '../../e2e/support/engines';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ortRun } from '../../e2e/support/oracle';
import { type NDArray, ndarray } from '../base/ndarray';
import type { Graph } from '../ir/graph';
import { isFloatAttribute } from '../ops/attribute-kinds';
import { readOnnx } from '../read/onnx';
import { writeOnnx } from './onnx';
import { sparseForm } from './sparse';

/** [40, 500], not zero in every `step`th place. */
function weights(step: number): Float32Array {
  return Float32Array.from({ length: 20_000 }, (_, i) => (i % step === 0 ? Math.cos(i) : 0));
}

function modelOf(data: Float32Array): Uint8Array<ArrayBuffer> {
  return makeModel({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [2, 40] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2, 500] }],
    initializers: [{ name: 'w', dtype: 'float32', dims: [40, 500], data }],
  }) as Uint8Array<ArrayBuffer>;
}

async function read(bytes: Uint8Array): Promise<Graph> {
  return (await readOnnx(new MemorySource(bytes))).graph;
}

async function rewritten(bytes: Uint8Array, sparse: boolean): Promise<Uint8Array<ArrayBuffer>> {
  return writeOnnx(await read(bytes), {
    isFloat: isFloatAttribute,
    storedBytes: ({ offset, length }) => bytes.subarray(offset, offset + length),
    sparse,
  });
}

test('smaller, read by Lepton and by onnxruntime, and written again the same', async () => {
  const dense = modelOf(weights(20));
  const sparse = await rewritten(dense, true);
  // 1,000 values of 4 bytes and their places, of at most 3, instead of 80,000 bytes.
  expect(sparse.length).toBeLessThan(7_200);
  const graph = await read(sparse);
  expect(graph.nodes.map(({ op }) => op)).toContain('lepton.SparseTensor');
  for (const again of [true, false]) expect(await rewritten(sparse, again)).toEqual(sparse);
  const feeds = {
    x: ndarray(
      'float32',
      [2, 40],
      Array.from({ length: 80 }, (_, i) => Math.sin(i)),
    ),
  };
  const expected = (await ortRun(dense, feeds)).y as NDArray;
  expect((await ortRun(sparse, feeds)).y).toEqual(expected);
  const opened = await openOnHost(sparse);
  const own = (await opened.run(feeds)).y as NDArray;
  await opened.dispose();
  for (const [i, value] of own.data.entries()) expect(value).toBeCloseTo(expected.data[i] as number, 4);
});

test('stays dense where that is smaller', async () => {
  const dense = modelOf(weights(1));
  expect((await read(await rewritten(dense, true))).nodes).toHaveLength(1);
  const half = ndarray('float32', [200, 100], weights(2));
  expect(sparseForm(half)?.bytes).toBeLessThan(80_000);
  expect(sparseForm({ ...half, dtype: 'int8' })).toBeUndefined();
  expect(sparseForm(ndarray('float32', [2, 2]))).toBeUndefined();
  expect(sparseForm(ndarray('float32', [100, 100]))?.values.dims).toEqual([0]);
});
