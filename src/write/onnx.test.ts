// What is written reads back as the same graph, and ONNX Runtime runs it to the same outputs.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ortRun } from '../../e2e/support/oracle';
import { writeGraph } from '../../e2e/support/write-graph';
import { LeptonError } from '../base/errors';
import { decode, ndarray } from '../base/ndarray';
import type { AttributeValue, Constant, Graph } from '../ir/graph';
import { isFloatAttribute } from '../ops/attribute-kinds';
import { readOnnx } from '../read/onnx';
import { writeOnnx } from './onnx';

async function read(bytes: Uint8Array): Promise<Graph> {
  return (await readOnnx(new MemorySource(bytes))).graph;
}

/** All that a graph says, with the elements of its constants wherever they are. */
function contents(graph: Graph, file: Uint8Array): unknown {
  const elements = (dtype: Parameters<typeof decode>[0], dims: readonly number[], constant: Constant) => {
    if (constant.kind === 'inline') return Array.from(constant.array.data);
    const { offset, length } = constant.bytes;
    return Array.from(decode(dtype, dims, file.subarray(offset, offset + length)).data);
  };
  const attribute = (value: AttributeValue): unknown => {
    if (typeof value !== 'object') return typeof value === 'number' ? Math.fround(value) : value;
    if ('graph' in value) return contents(value.graph, file);
    if (!('tensor' in value)) return value;
    const { dtype, dims, constant } = value.tensor;
    return { dtype, dims, elements: elements(dtype, dims, constant) };
  };
  const needed = new Set(graph.nodes.flatMap((node) => node.inputs).concat(graph.outputs));
  return {
    inputs: graph.inputs.map((name) => graph.values.get(name)),
    outputs: graph.outputs.map((name) => [name, graph.values.get(name)?.dtype, graph.values.get(name)?.dims]),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, attribute(value)])),
    })),
    constants: [...graph.values.values()].flatMap(({ name, dtype, dims, constant }) =>
      constant && needed.has(name)
        ? [{ name, dtype, dims, elements: elements(dtype, dims as readonly number[], constant) }]
        : [],
    ),
  };
}

describe('writeOnnx', () => {
  const gemm = makeModel({
    nodes: [
      { op: 'Gemm', inputs: ['x', 'w', ''], outputs: ['h'], name: 'first', attributes: { alpha: { float: 2 } } },
      { op: 'Relu', inputs: ['h'], outputs: ['y'], name: 'second' },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1200] }],
    initializers: [
      { name: 'w', dtype: 'float32', dims: [2, 1200], data: Array.from({ length: 2400 }, (_, i) => i - 1200) },
    ],
  });

  test('keeps names, symbolic sizes and large constants, and ONNX Runtime runs it', async () => {
    const graph = await read(gemm);
    expect(graph.values.get('w')?.constant?.kind).toBe('stored');
    const written = writeGraph(graph, gemm);
    expect(contents(await read(written), written)).toEqual(contents(graph, gemm));
    const feeds = { x: ndarray('float32', [3, 2], [1, 2, 3, 4, 5, 6]) };
    expect(await ortRun(written, feeds)).toEqual(await ortRun(gemm, feeds));
  });

  test('names the node that ONNX has no form for', async () => {
    const graph = await read(gemm);
    const [first, second] = graph.nodes;
    const write = (node: object) => () =>
      writeGraph({ ...graph, nodes: [first as (typeof graph.nodes)[0], { ...second, ...node } as never] }, gemm);
    expect(write({ op: 'lepton.Assign' })).toThrow(/"second" is lepton.Assign/);
    expect(write({ program: { operands: [], steps: [] } })).toThrow(/"second" is a Relu with fused work/);
    try {
      write({ op: 'lepton.Assign' })();
    } catch (error) {
      expect((error as LeptonError).code).toBe('UNSUPPORTED_OPERATION');
    }
  });

  test('asks for the bytes of constants in files', async () => {
    expect.assertions(1);
    try {
      writeOnnx(await read(gemm), { isFloat: isFloatAttribute });
    } catch (error) {
      expect(error instanceof LeptonError && error.message).toMatch(/"w"/);
    }
  });

  test('says a newer opset where an operator needs it, and the metadata', async () => {
    const swish = makeModel({
      opset: 24,
      nodes: [{ op: 'Swish', inputs: ['x'], outputs: ['y'], attributes: { alpha: { float: 2 } } }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
    });
    const options = { isFloat: isFloatAttribute, metadata: { trained: 'here' } };
    const file = await readOnnx(new MemorySource(writeOnnx(await read(swish), options)));
    expect(file).toMatchObject({ opset: 24, metadata: { trained: 'here' }, producer: 'lepton' });
    expect(
      (
        await readOnnx(
          new MemorySource(writeOnnx(await read(gemm), { ...options, storedBytes: () => new Uint8Array(9600) })),
        )
      ).opset,
    ).toBe(21);
  });
});

describeWithData('every model of the conformance cases', () => {
  test('reads back as it was written', async () => {
    const folder = dataPath('onnx-node', 'node');
    let written = 0;
    for (const name of readdirSync(folder)) {
      const bytes = new Uint8Array(readFileSync(`${folder}/${name}/model.onnx`));
      let graph: Graph;
      let out: Uint8Array;
      try {
        graph = await read(bytes);
        out = writeGraph(graph, bytes);
      } catch (error) {
        if (error instanceof LeptonError && error.code === 'UNSUPPORTED_MODEL') continue;
        throw new Error(name, { cause: error });
      }
      expect(contents(await read(out), out), name).toEqual(contents(graph, bytes));
      written++;
    }
    expect(written).toBeGreaterThan(1400);
  });
});
