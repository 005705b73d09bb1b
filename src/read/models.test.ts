// Every ONNX file of the shared data is read, or refused for a reason that is its own: node and constant
// counts agree with a plain decoding of the file, and weights are not read for it.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PbfReader } from 'pbf';
import { expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import { MemorySource } from '../../e2e/support/memory-source';
import { LeptonError } from '../base/errors';
import type { Node } from '../ir/graph';
import { readOnnx } from './onnx';

function onnxFiles(...folder: string[]): string[] {
  const found = readdirSync(dataPath(...folder), { recursive: true }).map(String);
  return found.filter((file) => file.endsWith('.onnx')).sort();
}

/** Counts of the main graph, decoded without any of the reader's code. */
function count(bytes: Uint8Array): { nodes: number; constants: number } {
  const counts = { nodes: 0, constants: 0 };
  new PbfReader(bytes).readFields((field, _, model) => {
    if (field !== 7) return;
    model.readMessage((part, __, graph) => {
      if (part === 5) counts.constants++;
      if (part !== 1) return;
      const node = graph.readMessage((tag, n: { op?: string }, pbf) => {
        if (tag === 4) n.op = pbf.readString();
      }, {});
      counts[node.op === 'Constant' ? 'constants' : 'nodes']++;
    }, null);
  }, null);
  return counts;
}

describeWithData('the real models', () => {
  test.each(onnxFiles('models'))('%s', async (file) => {
    const bytes = new Uint8Array(readFileSync(dataPath('models', file)));
    const source = new MemorySource(bytes);
    const calls: (readonly Node[])[] = [];
    const { graph, opset } = await readOnnx(source, { onNodes: (nodes) => calls.push(nodes) });
    expect(calls).toHaveLength(1);
    const { nodes, constants } = count(bytes);
    // Upgrading may add nodes and constants to those of the file, but keeps each of its nodes by name.
    const names = new Set(graph.nodes.map((n) => n.name));
    const top = calls[0]?.filter((n) => names.has(n.name)) ?? [];
    expect(top).toHaveLength(nodes);
    expect([...graph.values.values()].filter((v) => v.constant).length).toBeGreaterThanOrEqual(constants);
    if (opset >= 18) expect(graph.nodes).toHaveLength(nodes);
    expect(graph.inputs.length).toBeGreaterThan(0);
    for (const name of graph.inputs) expect(graph.values.get(name)?.dims).toBeDefined();
    const stored = [...graph.values.values()].flatMap((v) =>
      v.constant?.kind === 'stored' ? [v.constant.bytes.length] : [],
    );
    const weights = stored.reduce((sum, length) => sum + length, 0);
    expect(source.bytesRead).toBeLessThan(bytes.length - weights + 8192 * (stored.length + 64));
  });
});

describeWithData("ONNX's own cases", () => {
  test('are read, or refused for types, functions or forms that Lepton names', async () => {
    const refused: string[] = [];
    for (const file of onnxFiles('onnx-node')) {
      const bytes = new Uint8Array(readFileSync(dataPath('onnx-node', file)));
      try {
        await readOnnx(new MemorySource(bytes));
      } catch (error) {
        if (!(error instanceof LeptonError)) throw error;
        expect(error.code, `${file}: ${error.message}`).toBe('UNSUPPORTED_MODEL');
        expect(error.message).toMatch(/element type|takes and gives tensors|Scan node|Lepton does not support/);
        refused.push(basename(file));
      }
    }
    expect(refused.length).toBeLessThan(250);
  });
});
