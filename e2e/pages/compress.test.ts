// compress() on the built library in real browsers: what comes back runs, is as far from the original as the report says,
// and mistakes are told by name.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CompressOptions } from '../../src/api/compress';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { startLeptonServer } from '../support/lepton-page';
import { makeModel } from '../support/onnx-writer';
import { mulberry32 } from '../support/random';
import type { TestServer } from '../support/server';

declare const lepton: typeof import('../../src/api') & typeof import('../../src/api/training');

const random = mulberry32(5);
const noise = (count: number) => Float32Array.from({ length: count }, () => (2 * random() - 1) ** 3);

/** Conv → Relu → Flatten → Gemm → Relu → MatMul, with more weights in the Gemm than are folded on the host. */
const network = makeModel({
  nodes: [
    { op: 'Conv', name: 'conv', inputs: ['x', 'k', 'c'], outputs: ['a'] },
    { op: 'Relu', name: 'relu', inputs: ['a'], outputs: ['b'] },
    { op: 'Flatten', name: 'flat', inputs: ['b'], outputs: ['f'] },
    { op: 'Gemm', name: 'gemm', inputs: ['f', 'g', 'h'], outputs: ['d'], attributes: { transB: { int: 1 } } },
    { op: 'Relu', name: 'relu2', inputs: ['d'], outputs: ['e'] },
    { op: 'MatMul', name: 'product', inputs: ['e', 'w'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 14, 14] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 10] }],
  initializers: [
    { name: 'k', dtype: 'float32', dims: [16, 3, 3, 3], data: noise(432) },
    { name: 'c', dtype: 'float32', dims: [16], data: noise(16) },
    { name: 'g', dtype: 'float32', dims: [64, 2304], data: noise(64 * 2304) },
    { name: 'h', dtype: 'float32', dims: [64], data: noise(64) },
    { name: 'w', dtype: 'float32', dims: [64, 10], data: noise(640) },
  ],
});

const choices: readonly CompressOptions[] = [
  { prune: 0.9 },
  { prune: { sparsity: 0.8, structure: '4x4' }, quantize: 'int8' },
  { prune: { structure: '2:4' }, quantize: 'int8' },
  { quantize: { type: 'int4', blockSize: 64, symmetric: false } },
  { quantize: 'dynamic-int8' },
];

describeBrowsers('compress() in a page', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/network.onnx', { bytes: network });
    const scripts = ['lepton.js', 'lepton-training.js'].map((file) => `<script src="/dist/${file}"></script>`);
    server.put('/compress', {
      text: `<!doctype html><title>Compress</title>${scripts.join('')}`,
      headers: { 'Content-Type': 'text/html' },
    });
    page = await browser.newPage();
    await page.goto(`${server.url}/compress`);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test.each(choices)('%j', async (options) => {
    const seen = await page.evaluate(async (options) => {
      const data = Float32Array.from({ length: 40 * 588 }, (_, i) => Math.sin(0.37 * i) * Math.cos(0.011 * i));
      const x = new lepton.Tensor('float32', data, [40, 3, 14, 14]);
      const original = await lepton.load('/network.onnx');
      const { y } = await original.run({ x });
      const labels = Array.from({ length: 40 }, (_, i) => {
        const row = [...(y!.data as Float32Array).subarray(10 * i, 10 * i + 10)];
        return row.indexOf(Math.max(...row));
      });
      const stages = new Set<string>();
      let [answered, late] = [false, 0];
      const { bytes, report, html } = await lepton.compress('/network.onnx', {
        ...options,
        calibration: { inputs: x, labels },
        onProgress: ({ stage }) => {
          stages.add(stage);
          late += Number(answered);
        },
      });
      answered = true;
      const smaller = await lepton.load(bytes);
      const { y: z } = await smaller.run({ x });
      const norm = (values: Iterable<number>) => Math.hypot(...values);
      const [a, b] = [y!.data as Float32Array, z!.data as Float32Array];
      const error = norm(a.map((v, i) => v - b[i]!)) / norm(a);
      return { size: bytes.length, report, html, error, stages: [...stages], late };
    }, options);
    const { report } = seen;
    expect(report.bytes).toEqual({ before: network.length, after: seen.size });
    expect(seen.late).toBe(0);
    expect(seen.size).toBeLessThan(0.9 * network.length);
    expect(report.layers.map(({ name }) => name)).toEqual(['conv', 'gemm', 'product']);
    const { calibration } = report;
    expect(calibration?.samples).toBe(40);
    expect(calibration?.accuracy?.before).toBe(1);
    // Weights of noise say nothing twice: only integers leave the answers as they were.
    expect(calibration?.accuracy?.after).toBeGreaterThanOrEqual(options.prune ? 0 : 0.8);
    expect(Math.abs((calibration?.outputErrors.y as number) - seen.error)).toBeLessThan(2e-3);
    expect(calibration?.time.runs).toBeGreaterThan(0);
    expect(seen.html).toContain('network.onnx');
    expect(seen.stages).toEqual(expect.arrayContaining(['quantize', 'write', 'calibrate', 'time']));
  });

  test('mistakes are told by name, and it can be given up', async () => {
    const problems = await page.evaluate(async () => {
      const problem = async (options: object) => {
        try {
          await lepton.compress('/network.onnx', options);
          return 'none';
        } catch (error) {
          const { code, message } = error as InstanceType<typeof lepton.LeptonError>;
          return `${code}: ${message}`;
        }
      };
      const x = new lepton.Tensor('float32', new Float32Array(588), [1, 3, 14, 14]);
      return [
        await problem({ prune: 2 }),
        await problem({ prune: 0.5, skip: ['dense'] }),
        await problem({ prune: 0.5, calibration: { inputs: { z: x } } }),
        await problem({ prune: 0.5, signal: AbortSignal.abort() }),
      ];
    });
    expect(problems[0]).toMatch(/^INVALID_ARGUMENT: compress\(\): prune.sparsity must be a share/);
    expect(problems[1]).toMatch(/^INVALID_ARGUMENT: .*no layer "dense"; there are "conv", "gemm", "product"/);
    expect(problems[2]).toMatch(/^INVALID_ARGUMENT: .*is for an input "z"/);
    expect(problems[3]).toMatch(/^ABORTED/);
  });
});
