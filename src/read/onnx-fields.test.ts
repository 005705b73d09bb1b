// readOnnx and the fields of a file: forms and orders that only other writers have, and what is told before the weights come.

import { PbfWriter } from 'pbf';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ndarray } from '../base/ndarray';
import type { Node } from '../ir/graph';
import { readOnnx } from './onnx';

describe('what only other writers write', () => {
  /** A model of opset 21 whose graph has the given fields. */
  const model = (graph: (out: PbfWriter) => void) => {
    const out = new PbfWriter();
    out.writeMessage(7, (_, g) => graph(g), {});
    out.writeMessage(8, (_, opset) => opset.writeVarintField(2, 21), {});
    return new MemorySource(new Uint8Array(out.finish()));
  };
  const constant = (name: string, attribute?: Uint8Array) => (_: object, out: PbfWriter) => {
    out.writeStringField(4, 'ConstantOfShape');
    out.writeStringField(1, 'w');
    out.writeStringField(2, name);
    if (attribute) out.writeBytesField(5, attribute);
  };
  const weight = (_: object, out: PbfWriter) => {
    out.writeStringField(8, 'w');
    out.writeVarintField(2, 7);
    out.writeVarintField(1, 3);
    // int64_data, one field an element.
    for (const value of [5, 300, -1]) out.writeVarintField(7, value);
  };

  test('elements that are not packed', async () => {
    const { graph } = await readOnnx(model((g) => g.writeMessage(5, weight, {})));
    expect(graph.values.get('w')?.constant).toEqual({ kind: 'inline', array: ndarray('int64', [3], [5, 300, -1]) });
  });

  test('the largest int64 as an attribute', async () => {
    const attribute = new PbfWriter();
    attribute.writeStringField(1, 'end');
    attribute.writeVarintField(20, 2);
    const largest = [0x18, ...new Array<number>(8).fill(0xff), 0x7f];
    const bytes = new Uint8Array([...attribute.finish(), ...largest]);
    const { graph } = await readOnnx(
      model((g) => {
        g.writeMessage(1, constant('y', bytes), {});
        g.writeMessage(5, weight, {});
      }),
    );
    expect(graph.nodes[0]?.attributes.end).toBe(2 ** 63);
  });

  test('nodes behind the weights cause a second call of onNodes', async () => {
    const calls: string[][] = [];
    await readOnnx(
      model((g) => {
        g.writeMessage(1, constant('a'), {});
        g.writeMessage(5, weight, {});
        g.writeMessage(1, constant('b'), {});
      }),
      { onNodes: (nodes) => calls.push(nodes.map((n) => n.name)) },
    );
    expect(calls).toEqual([['ConstantOfShape_0'], ['ConstantOfShape_0', 'ConstantOfShape_1']]);
  });
});

describe('onNodes', () => {
  const bytes = makeModel({
    opset: 9,
    inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
    nodes: [
      { op: 'Constant', outputs: ['c'], attributes: { value_float: { float: 1 } } },
      { op: 'Upsample', inputs: ['x', 's'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'w', dtype: 'float32', dims: [256, 1024], data: new Float32Array(256 * 1024) },
      { name: 's', dtype: 'float32', dims: [1], data: [2] },
    ],
  });

  test('comes before the weights, with the newest names', async () => {
    const source = new MemorySource(bytes);
    let readBefore = 0;
    const seen: Node[][] = [];
    await readOnnx(source, {
      onNodes(nodes) {
        readBefore = source.bytesRead;
        seen.push([...nodes]);
      },
    });
    expect(seen.map((nodes) => nodes.map((n) => n.op))).toEqual([['Resize']]);
    expect(readBefore).toBeLessThan(8192);
  });

  test('what it throws ends the reading', async () => {
    const source = new MemorySource(bytes);
    const stop = new Error('enough');
    const reading = readOnnx(source, {
      onNodes() {
        throw stop;
      },
    });
    await expect(reading).rejects.toBe(stop);
    expect(source.bytesRead).toBeLessThan(8192);
  });

  test('an aborted signal ends the reading', async () => {
    const reading = readOnnx(new MemorySource(bytes), { signal: AbortSignal.abort() });
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
