// What the compressor writes for the benchmark has the operators whose kernels are to be measured.

import { expect, test } from 'vitest';
import { compiler } from '../../../src/worker/compiler';
import { MemorySource } from '../../support/memory-source';
import { compressedShapes } from './compressed';

const [smallest] = compressedShapes();

test('the shape is named by rows, inputs and outputs, and weighs what its floats do', () => {
  expect(smallest).toMatchObject({ name: 'x·W, 1 × 768×768', denseBytes: 4 * 768 * 768 });
});

test.each([
  ['int8', ['DequantizeLinear', 'MatMul']],
  ['int4', ['com.microsoft.MatMulNBits']],
  ['2:4', ['lepton.SparseTensor', 'MatMul']],
  ['int8, random', ['lepton.SparseTensor', 'DequantizeLinear', 'MatMul']],
])('%s', async (structure, operators) => {
  const level = smallest?.levels.find((one) => one.structure === structure);
  const bytes = (await level?.test.model()) as Uint8Array<ArrayBuffer>;
  const { graph } = await compiler.read(new MemorySource(bytes), new AbortController().signal);
  const ofProbe = ['Reshape', 'Slice'];
  expect(graph.nodes.map(({ op }) => op).filter((op) => !ofProbe.includes(op))).toEqual(operators);
});
