// Models come out of the compressor as standard ONNX: they read back, onnxruntime computes what our own engine does, and
// the report says what happened.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { apart, noise, runOnHost } from '../../e2e/support/compressing';
import { dataPath, describeWithData } from '../../e2e/support/data';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ortRun } from '../../e2e/support/oracle';
import { type NDArray, ndarray } from '../base/ndarray';
import { readOnnx } from '../read/onnx';
import { compiler } from '../worker/compiler';
import { runModels } from '../worker/run-models';
import { reportHtml } from './html';
import { compressModel } from './model';
import type { CompressOptions, CompressReport } from './types';

/** Conv → Relu → Flatten → Gemm (outputs first) → Relu → MatMul by weights behind a Transpose. */
const small = makeModel({
  nodes: [
    { op: 'Conv', name: 'conv', inputs: ['x', 'k', 'c'], outputs: ['a'] },
    { op: 'Relu', name: 'relu', inputs: ['a'], outputs: ['b'] },
    { op: 'Flatten', name: 'flat', inputs: ['b'], outputs: ['f'] },
    { op: 'Gemm', name: 'gemm', inputs: ['f', 'g', 'h'], outputs: ['d'], attributes: { transB: { int: 1 } } },
    { op: 'Relu', name: 'relu2', inputs: ['d'], outputs: ['e'] },
    { op: 'Transpose', name: 'turn', inputs: ['t'], outputs: ['w'], attributes: { perm: { ints: [1, 0] } } },
    { op: 'MatMul', name: 'product', inputs: ['e', 'w'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 8, 8] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 70] }],
  initializers: [
    { name: 'k', dtype: 'float32', dims: [20, 3, 3, 3], data: noise(540, 1.3) },
    { name: 'c', dtype: 'float32', dims: [20], data: noise(20, 0.7) },
    { name: 'g', dtype: 'float32', dims: [50, 720], data: noise(36000, 2.1).map((v) => v / 10) },
    { name: 'h', dtype: 'float32', dims: [50], data: noise(50, 0.9) },
    { name: 't', dtype: 'float32', dims: [70, 50], data: noise(3500, 1.7) },
  ],
});
const x = ndarray('float32', [3, 3, 8, 8], noise(3 * 192, 0.37));

const runner = await runModels({ compiler, signal: new AbortController().signal });

interface Claim {
  /** Of the outputs, against the original. */
  readonly error: number;
  readonly forms: readonly string[];
  /** Bytes of the file, as a share of the original's. */
  readonly size: number;
  readonly ops?: readonly string[];
}

const claims: [string, CompressOptions, Claim][] = [
  ['magnitude', { prune: 0.9 }, { error: 0.7, forms: Array(3).fill('float32, sparse'), size: 0.25 }],
  [
    'magnitude, layer by layer, and int8',
    { prune: { sparsity: 0.9, scope: 'layer' }, quantize: 'int8' },
    { error: 0.9, forms: ['float32, sparse', 'int8, sparse', 'int8, sparse'], size: 0.12 },
  ],
  ['2:4', { prune: { structure: '2:4' } }, { error: 0.8, forms: Array(3).fill('float32, sparse'), size: 0.9 }],
  [
    'int8',
    { quantize: 'int8' },
    { error: 0.01, forms: ['int8', 'int8', 'int8'], size: 0.27, ops: ['DequantizeLinear'] },
  ],
  [
    'dynamic int8',
    { quantize: 'dynamic-int8' },
    { error: 0.02, forms: ['int8', 'int8, dynamic', 'int8, dynamic'], size: 0.28, ops: ['MatMulInteger'] },
  ],
  [
    'int4',
    { quantize: 'int4' },
    { error: 0.15, forms: Array(3).fill('int4 in blocks of 32'), size: 0.17, ops: ['com.microsoft.MatMulNBits'] },
  ],
  [
    'int4 with zero points, blocks of 64',
    { quantize: { type: 'int4', blockSize: 64, symmetric: false } },
    { error: 0.15, forms: Array(3).fill('int4 in blocks of 64 with zero points'), size: 0.17 },
  ],
  ['float16', { quantize: 'float16' }, { error: 0.002, forms: Array(3).fill('float16'), size: 0.52, ops: ['Cast'] }],
  [
    'int8 but for the first and the Gemm',
    { quantize: 'int8', skip: ['first', /^gem/] },
    { error: 0.01, forms: ['float32', 'float32', 'int8'], size: 0.95 },
  ],
];

describe('compressModel', () => {
  test.each(claims)('%s: onnxruntime reads what we do', async (_, options, claim) => {
    const { bytes, report } = await compressModel(small, { options });
    expect(report.layers.map(({ after }) => after.form)).toEqual(claim.forms);
    expect(report.bytes).toEqual({ before: small.length, after: bytes.length });
    expect(bytes.length / small.length).toBeLessThan(claim.size);
    const { graph } = await readOnnx(new MemorySource(bytes));
    const ops = new Set(graph.nodes.map(({ op }) => op));
    for (const op of claim.ops ?? []) expect(ops).toContain(op);
    const [own, theirs] = [await runOnHost(bytes, { x }), await ortRun(bytes, { x })];
    const tolerance = options.quantize === 'float16' ? 2e-3 : 1e-4;
    expect(apart(theirs.y as NDArray, own.y as NDArray)).toBeLessThan(tolerance);
    const before = await runOnHost(small, { x });
    expect(apart(before.y as NDArray, own.y as NDArray)).toBeLessThan(claim.error);
  });

  test('zeros are as many as asked for, and stay zeros as integers', async () => {
    const options: CompressOptions = { prune: 0.8, quantize: 'int8' };
    const { report } = await compressModel(small, { options });
    const sum = (of: (layer: CompressReport['layers'][0]) => number) => report.layers.reduce((t, l) => t + of(l), 0);
    const kept = sum(({ after }) => after.nonZeros) / sum(({ elements }) => elements);
    expect(kept).toBeLessThanOrEqual(0.2);
    expect(kept).toBeGreaterThan(0.19);
  });

  test('layers that no share names stay, and say so', async () => {
    const { report } = await compressModel(small, { options: { prune: { sparsity: { gemm: 0.5 } } } });
    const unnamed = 'no share was given for it';
    expect(report.layers.map(({ left }) => left)).toEqual([unnamed, undefined, unnamed]);
  });

  test('what was compressed can be compressed further', async () => {
    const first = await compressModel(small, { options: { prune: 0.9 } });
    const second = await compressModel(first.bytes, { options: { quantize: 'int8' } });
    const [gemm] = second.report.layers.filter(({ name }) => name === 'gemm');
    expect(gemm?.before.form).toBe('float32, sparse');
    expect(gemm?.after.form).toBe('int8, sparse');
    const whole = await compressModel(small, { options: { prune: 0.9, quantize: 'int8' } });
    expect(second.bytes.length).toBe(whole.bytes.length);
  });

  test('blocks of Gemm with its weights across, and of a product from the left', async () => {
    const model = makeModel({
      nodes: [
        { op: 'Gemm', name: 'gemm', inputs: ['x', 'g'], outputs: ['a'], attributes: { alpha: { float: 2 } } },
        { op: 'MatMul', name: 'left', inputs: ['l', 'a'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [40, 70] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [30, 50] }],
      initializers: [
        { name: 'g', dtype: 'float32', dims: [70, 50], data: noise(3500, 1.1) },
        { name: 'l', dtype: 'float32', dims: [30, 40], data: noise(1200, 1.9) },
      ],
    });
    const feeds = { x: ndarray('float32', [40, 70], noise(2800, 0.3)) };
    for (const quantize of [{ type: 'int4' }, { type: 'int4', symmetric: false }, { type: 'dynamic-int8' }] as const) {
      const { bytes } = await compressModel(model, { options: { quantize } });
      const [own, theirs] = [await runOnHost(bytes, feeds), await ortRun(bytes, feeds)];
      expect(apart(theirs.y as NDArray, own.y as NDArray)).toBeLessThan(1e-4);
      expect(apart((await runOnHost(model, feeds)).y as NDArray, own.y as NDArray)).toBeLessThan(0.2);
    }
  });

  test('weights that are not finite, are shared in two ways, or are no matrix stay as they were', async () => {
    const model = makeModel({
      nodes: [
        { op: 'MatMul', name: 'first', inputs: ['x', 'u'], outputs: ['a'] },
        { op: 'MatMul', name: 'second', inputs: ['a', 'v'], outputs: ['b'] },
        { op: 'Gemm', name: 'third', inputs: ['b', 'v'], outputs: ['c'], attributes: { transB: { int: 1 } } },
        { op: 'MatMul', name: 'fourth', inputs: ['c', 'w'], outputs: ['d'] },
        { op: 'MatMul', name: 'fifth', inputs: ['d', 'z'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [2, 20] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, 2, 20] }],
      initializers: [
        { name: 'u', dtype: 'float32', dims: [20, 20], data: [Number.NaN, ...noise(399, 1)] },
        { name: 'v', dtype: 'float32', dims: [20, 20], data: noise(400, 2) },
        { name: 'w', dtype: 'float32', dims: [1, 20, 20], data: noise(400, 3) },
        { name: 'z', dtype: 'float32', dims: [20, 20], data: noise(400, 4) },
      ],
    });
    const { bytes, report } = await compressModel(model, { options: { prune: 0.5 } });
    expect(report.layers.map(({ left }) => left)).toEqual([
      'not all of its weights are finite',
      'Gemm node "third" uses its weights in another way',
      'its weights are not one matrix',
      undefined,
    ]);
    expect((await readOnnx(new MemorySource(bytes))).graph.nodes).toHaveLength(6);
    const none = compressModel(model, { options: { prune: 0.5, skip: ['fifth'] } });
    await expect(none).rejects.toThrow(
      /\("first": not all of its weights are finite; "second": .*; "fifth": skipped\)/,
    );
  });

  test.each(['int8', 'int4', 'dynamic-int8'] as const)('what is %s already is told, with its zeros', async (type) => {
    const first = await compressModel(small, {
      options: { prune: { sparsity: 0.75, scope: 'layer' }, quantize: type },
    });
    const again = compressModel(first.bytes, { options: { quantize: 'int8' } });
    await expect(again).rejects.toThrow(
      /"conv", "gemm\S*", "product\S*": its weights are quantised already\): there is nothing/,
    );
    const half = await compressModel(first.bytes, { options: { quantize: 'float16' } });
    for (const [i, layer] of half.report.layers.entries()) {
      const { elements, after } = first.report.layers[i] as CompressReport['layers'][0];
      expect(layer).toMatchObject({
        elements,
        left: 'its weights are quantised already',
        before: { nonZeros: after.nonZeros },
      });
    }
  });

  test('halves whose scales would be too small for halves stay', async () => {
    const of = (scale: number) => noise(2000, 2).map((v) => v * scale);
    const model = makeModel({
      nodes: [
        { op: 'MatMul', name: 'tiny', inputs: ['x', 'v'], outputs: ['a'] },
        { op: 'MatMul', name: 'usual', inputs: ['a', 'w'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float16', shape: [2, 20] }],
      outputs: [{ name: 'y', dtype: 'float16', shape: [2, 20] }],
      initializers: [
        { name: 'v', dtype: 'float16', dims: [20, 100], data: of(1e-4) },
        { name: 'w', dtype: 'float16', dims: [100, 20], data: of(1) },
      ],
    });
    for (const quantize of ['int8', 'int4'] as const) {
      const { report } = await compressModel(model, { options: { quantize } });
      const lefts = report.layers.map(({ left }) => left);
      expect(lefts).toEqual(['a scale of its weights is too small for float16', undefined]);
    }
  });

  test('what is computed, in a body, or would grow is told', async () => {
    const body = {
      nodes: [{ op: 'MatMul', name: 'inner', inputs: ['a', 'v'], outputs: ['b'] }],
      inputs: [],
      outputs: [{ name: 'b', dtype: 'float32', shape: [2, 20] }],
      initializers: [{ name: 'v', dtype: 'float32', dims: [20, 20], data: noise(400, 2) }],
    } as const;
    const model = makeModel({
      nodes: [
        { op: 'Abs', inputs: ['u'], outputs: ['t'] },
        { op: 'MatMul', name: 'computed', inputs: ['x', 't'], outputs: ['a'] },
        {
          op: 'If',
          name: 'if',
          inputs: ['c'],
          outputs: ['d'],
          attributes: { then_branch: { graph: body }, else_branch: { graph: body } },
        },
        { op: 'MatMul', name: 'large', inputs: ['d', 'w'], outputs: ['e'] },
        { op: 'MatMul', name: 'tiny', inputs: ['e', 'z'], outputs: ['y'] },
      ],
      inputs: [
        { name: 'x', dtype: 'float32', shape: [2, 20] },
        { name: 'c', dtype: 'bool', shape: [] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: [2, 2] }],
      initializers: [
        { name: 'u', dtype: 'float32', dims: [20, 20], data: noise(400, 1) },
        { name: 'w', dtype: 'float32', dims: [20, 20], data: noise(400, 3) },
        { name: 'z', dtype: 'float32', dims: [20, 2], data: noise(40, 4) },
      ],
    });
    const { report } = await compressModel(model, { options: { quantize: 'int8' } });
    const inner = 'it is in a subgraph of If node "if"';
    expect(report.layers.map(({ name, left }) => [name, left])).toEqual([
      ['computed', 'its weights are computed'],
      ['large', undefined],
      ['tiny', 'as int8 it would take more bytes'],
      ['inner', inner],
      ['inner', inner],
    ]);
    const both = await compressModel(model, { options: { prune: 0.5, quantize: 'int8' } });
    expect(both.report.layers[2]).toMatchObject({ note: 'not quantised: as int8 it would take more bytes' });
    expect(reportHtml(both.report, 'model')).not.toMatch(/NaN|Infinity/);
  });

  test('names what does not fit', async () => {
    const problem = async (request: Parameters<typeof compressModel>[1]) =>
      compressModel(small, request).catch((error: Error) => error.message);
    expect(await problem({ options: { prune: 0.5, skip: ['dense'] } })).toMatch(/no layer "dense"; there are "conv"/);
    expect(await problem({ options: { prune: { sparsity: { gem: 0.5 } } } })).toMatch(/no layer "gem"/);
    const sensitivity = { prune: { sparsity: 0.5, criterion: 'sensitivity' } } as const;
    expect(await problem({ options: sensitivity })).toMatch(/needs calibration data with labels/);
    const calibrated = (data: object) =>
      problem({ options: { prune: 0.5 }, calibration: { data: data as never, runner } });
    expect(await calibrated({ inputs: {} })).toMatch(/lacks the input "x"/);
    expect(await calibrated({ inputs: { x, z: x } })).toMatch(/for an input "z"/);
    expect(await calibrated({ inputs: { x: ndarray('float32', [3, 8, 8]) } })).toMatch(
      /the data for "x" is \[3, 8, 8\]/,
    );
    expect(await calibrated({ inputs: { x }, labels: [1] })).toMatch(/1 labels for 3 samples/);
    expect(await calibrated({ inputs: { x }, output: 'z', labels: [1] })).toMatch(/no output "z"/);
    expect(await calibrated({ inputs: { x }, labels: [0, 69, 70] })).toMatch(
      /a label 70, but the output has 70 classes/,
    );
    const unlabelled = { data: { inputs: { x } }, runner };
    expect(await problem({ options: sensitivity, calibration: unlabelled })).toMatch(/needs labels/);
    expect(await problem({ options: { prune: 0.5 }, signal: AbortSignal.abort() })).toMatch(/aborted/);
  });
});

describe('by sensitivity', () => {
  // The second half of the inputs is always zero: no loss depends on its weights, which are the largest.
  const weights = noise(64 * 10, 3).map((w, i) => (i < 320 ? w : 10 + w));
  const samples = noise(40 * 64, 4).map((v, i) => (i % 64 < 32 ? v : 0));
  const data = {
    inputs: { x: ndarray('float32', [40, 64], samples) },
    labels: Array.from({ length: 40 }, (_, i) => i % 10),
  };
  /** MatMul → Softmax, and what else comes behind it. */
  const pruned = (sparsity: number, behind: readonly string[] = []) => {
    const nodes = ['Softmax', ...behind].map((op, i, all) => ({
      op,
      inputs: [`s${i}`, ...(op === 'Reshape' ? ['shape'] : [])],
      outputs: [i === all.length - 1 ? 'y' : `s${i + 1}`],
      ...(op === 'Cast' && { attributes: { to: { int: 1 } } }),
    }));
    const model = makeModel({
      nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['s0'] }, ...nodes],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 64] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 10] }],
      initializers: [
        { name: 'w', dtype: 'float32', dims: [64, 10], data: weights },
        { name: 'shape', dtype: 'int64', dims: [2], data: [-1, 10] },
      ],
    });
    const options: CompressOptions = { prune: { sparsity, criterion: 'sensitivity' } };
    return compressModel(model, { options, calibration: { data, runner } });
  };

  test('what the loss does not depend on goes first, large as it may be', async () => {
    const { report } = await pruned(0.5);
    expect(report.layers[0]?.after.nonZeros).toBe(320);
    expect(report.calibration?.outputErrors.y).toBe(0);
  });

  test('a Softmax is found behind what only passes its result on', async () => {
    const plain = (await pruned(0.8)).report.calibration?.outputErrors.y;
    const wrapped = await pruned(0.8, ['Identity', 'Cast', 'Reshape', 'Flatten']);
    expect(wrapped.report.calibration?.outputErrors.y).toBe(plain);
    const twice = await pruned(0.8, ['Abs']);
    expect(twice.report.calibration?.outputErrors.y).not.toBe(plain);
  });
});

describeWithData('an MNIST classifier', () => {
  const folder = dataPath('models', 'mnist-onnxzoo');

  test('pruned and quantised: errors, accuracy, times, and a page that says so', async () => {
    const model = new Uint8Array(readFileSync(`${folder}/model.onnx`));
    const idx = (name: string) => new Uint8Array(gunzipSync(readFileSync(dataPath('datasets', 'mnist', `${name}.gz`))));
    const [images, labels] = [idx('t10k-images-idx3-ubyte'), idx('t10k-labels-idx1-ubyte')];
    const count = 20;
    const data = {
      inputs: { Input3: ndarray('float32', [count, 28, 28], images.subarray(16, 16 + count * 784)) },
      labels: labels.subarray(8, 8 + count),
    };
    const options: CompressOptions = { prune: { sparsity: 0.6, scope: 'layer' }, quantize: 'int8' };
    const { bytes, report } = await compressModel(model, { options, calibration: { data, runner } });
    const feeds = { Input3: ndarray('float32', [1, 1, 28, 28], images.subarray(16, 800)) };
    const [own, theirs] = [await runOnHost(bytes, feeds), await ortRun(bytes, feeds)];
    const [name] = Object.keys(own) as [string];
    expect(apart(theirs[name] as NDArray, own[name] as NDArray)).toBeLessThan(1e-4);
    expect(report.layers).toHaveLength(3);
    expect(bytes.length).toBeLessThan(model.length / 2.5);
    const { accuracy, outputErrors, samples, time } = report.calibration as NonNullable<typeof report.calibration>;
    expect(samples).toBe(count);
    expect(accuracy?.before).toBeGreaterThanOrEqual(0.95);
    expect(accuracy?.after).toBeGreaterThanOrEqual(0.85);
    expect(outputErrors[name]).toBeGreaterThan(0);
    expect(outputErrors[name]).toBeLessThan(0.5);
    for (const layer of report.layers) expect(layer.outputError).toBeLessThan(0.6);
    expect(Math.min(time.before, time.after, time.runs)).toBeGreaterThan(0);
    const html = reportHtml(report, 'mnist <small>');
    expect(html).toContain('mnist &#60;small&#62;');
    expect(html).not.toMatch(/https?:|src=|href=/);
    for (const layer of report.layers) expect(html).toContain(layer.name);
  });
});
