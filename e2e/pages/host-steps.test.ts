// Where a node runs is never a surprise: host steps in the report and the profile, and what `strict` refuses.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import { makeModel } from '../support/onnx-writer';
import type { TestServer } from '../support/server';

declare const lepton: typeof import('../../src/api');

/** The places where 2x - 1 is positive, and float64 to see what is said of it. */
const places = makeModel({
  nodes: [
    { op: 'Sub', name: 'shift', inputs: ['x', 'half'], outputs: ['s'] },
    { op: 'Relu', name: 'positive', inputs: ['s'], outputs: ['r'] },
    { op: 'NonZero', name: 'find', inputs: ['r'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }],
  outputs: [{ name: 'y', dtype: 'int64', shape: [1, 'k'] }],
  initializers: [{ name: 'half', dtype: 'float32', dims: [], data: [0.5] }],
});
const double = makeModel({
  nodes: [{ op: 'Add', name: 'sum', inputs: ['x', 'x'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float64', shape: [2] }],
  outputs: [{ name: 'y', dtype: 'float64', shape: [2] }],
});

describeBrowsers('host steps', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/places.onnx', { bytes: places });
    server.put('/double.onnx', { bytes: double });
    page = await openLeptonPage(browser, server);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test('are in the report and the profile, each with its reason', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/places.onnx');
      const x = new lepton.Tensor('float32', Float32Array.of(0, 1, 0.2, 3), [4]);
      const { y } = await model.run({ x });
      const onGpu = await model.run({ x }, { location: 'gpu' });
      const kept = [...((await onGpu.y!.read()) as BigInt64Array)].map(Number);
      const { nodes } = await model.profile({ x });
      await model.dispose();
      return {
        dims: y!.dims,
        data: [...(y!.data as BigInt64Array)].map(Number),
        kept,
        report: model.report.hostSteps,
        profile: nodes.map(({ op, kernel, reason }) => ({ op, onHost: kernel === 'host', why: reason !== undefined })),
      };
    });
    expect(seen).toMatchObject({ dims: [1, 2], data: [1, 3], kept: [1, 3] });
    expect(seen.report).toEqual([{ name: 'find', op: 'NonZero', reason: expect.stringContaining('data') }]);
    expect(seen.profile.at(-1)).toEqual({ op: 'NonZero', onHost: true, why: true });
    expect(seen.profile.some((node) => !node.onHost)).toBe(true);
  });

  test('with much to look at are refused where strict is asked for', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/places.onnx', { backend: 'webgpu', strict: true });
      const run = (n: number) => model.run({ x: new lepton.Tensor('float32', new Float32Array(n).fill(1), [n]) });
      const small = (await run(3)).y!.dims;
      const large = await run(100_000).catch((error) => ({ code: error.code, message: error.message }));
      await model.dispose();
      return { small, large };
    });
    expect(seen.small).toEqual([1, 3]);
    expect(seen.large).toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      message: expect.stringMatching(/NonZero node "find".*100000 elements/),
    });
  });

  test('float64 is computed as float32 only where that is allowed', async () => {
    const seen = await page.evaluate(async () => {
      const refused = await lepton.load('/double.onnx').then(
        () => undefined,
        (error) => ({ code: error.code, message: error.message }),
      );
      const model = await lepton.load('/double.onnx', { allowPrecisionLoss: true });
      const { y } = await model.run({ x: new lepton.Tensor('float64', Float64Array.of(1.5, -2), [2]) });
      await model.dispose();
      return { refused, type: y!.type, data: [...(y!.data as Float64Array)] };
    });
    expect(seen.refused).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('allowPrecisionLoss'),
    });
    expect(seen).toMatchObject({ type: 'float64', data: [3, -4] });
  });
});
