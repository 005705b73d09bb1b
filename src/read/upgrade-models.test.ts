// Upgraded models of opsets that ONNX Runtime no longer runs, written back as new ones, against later editions
// of the same models and against the outputs that ONNX recorded at the time.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'vitest';
import { dataPath, describeWithData, readTensors } from '../../e2e/support/data';
import { expectClose } from '../../e2e/support/expect-close';
import { MemorySource } from '../../e2e/support/memory-source';
import { ortRun } from '../../e2e/support/oracle';
import { writeGraph } from '../../e2e/support/write-graph';
import { type NDArray, ndarray } from '../base/ndarray';
import type { Graph } from '../ir/graph';
import { readOnnx } from './onnx';

async function read(bytes: Uint8Array): Promise<Graph> {
  return (await readOnnx(new MemorySource(bytes))).graph;
}

describeWithData('the models of the first opsets', () => {
  const file = (...parts: string[]) => new Uint8Array(readFileSync(dataPath('models', ...parts)));
  const runUpgraded = async (bytes: Uint8Array, x: NDArray): Promise<NDArray> => {
    const graph = await read(bytes);
    const out = await ortRun(writeGraph(graph, bytes), { [graph.inputs[0] as string]: x });
    return Object.values(out)[0] as NDArray;
  };

  test('MNIST of opset 1 answers as its later edition', async () => {
    const x = ndarray(
      'float32',
      [1, 1, 28, 28],
      Array.from({ length: 784 }, (_, i) => 128 + 127 * Math.sin(i * i)),
    );
    const old = await runUpgraded(file('mnist-onnxzoo', 'model.onnx'), x);
    const { Plus214_Output_0: expected } = await ortRun(file('mnist-opt-wonnx', 'mnist-8.onnx'), { Input3: x });
    expectClose(old, expected, 1e-4);
  });

  test('super-resolution without any opset answers as its later edition', async () => {
    const folder = dataPath('models', 'super-resolution', 'ref_super_resolution');
    const [x] = readTensors(folder, 'input');
    const [expected] = readTensors(folder, 'output');
    expectClose(
      await runUpgraded(file('super-resolution', 'super_resolution_tutorials.onnx'), x as NDArray),
      expected,
      1e-3,
    );
  });

  const folders = ['pytorch-operator', 'pytorch-converted'].flatMap((set) => {
    const path = dataPath('onnx-node', set);
    return existsSync(path) ? readdirSync(path).map((name) => `${path}/${name}`) : [];
  });
  test.each(folders.map((folder) => [basename(folder), folder]))('%s', async (_, folder) => {
    const bytes = new Uint8Array(readFileSync(`${folder}/model.onnx`));
    const graph = await read(bytes);
    const inputs = readTensors(`${folder}/test_data_set_0`, 'input');
    const outputs = readTensors(`${folder}/test_data_set_0`, 'output');
    const feeds = Object.fromEntries(graph.inputs.map((n, i) => [n, inputs[i] as NDArray]));
    const got = await ortRun(writeGraph(graph, bytes), feeds);
    for (const [i, n] of graph.outputs.entries()) expectClose(got[n], outputs[i], 1e-4);
  });
});
