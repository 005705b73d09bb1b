// Bad input and bad luck: each ends in a LeptonError with a stable code and a message that names the thing.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeBrowsers, openBrowser, type TestPage } from '../support/browsers';
import { findBrowser } from '../support/find-browser';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import { makeModel } from '../support/onnx-writer';
import type { TestServer } from '../support/server';
import { addOne, dense, large, unknownOperators } from './models';

declare const lepton: typeof import('../../src/api');

/** Fills 1 GiB: within what some adapters say they bind, beyond what they allocate. */
const huge = makeModel({
  nodes: [{ op: 'Expand', name: 'blow up', inputs: ['x', 'shape'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [268435456] }],
  initializers: [{ name: 'shape', dtype: 'int64', dims: [1], data: [268435456] }],
});

/** Takes pictures of any size. */
const window = makeModel({
  nodes: [{ op: 'Conv', name: 'window', inputs: ['x', 'w'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 1, 'height', 'width'] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1, 1, 'h', 'w'] }],
  initializers: [{ name: 'w', dtype: 'float32', dims: [1, 1, 3, 3], data: Array.from({ length: 9 }, () => 1) }],
});

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

describeBrowsers('faults', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    server.put('/unknown.onnx', { bytes: unknownOperators });
    server.put('/cut.onnx', { bytes: dense.slice(0, dense.length - 40) });
    server.put('/noise.onnx', { bytes: Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251) });
    server.put('/page.onnx', { text: '<!DOCTYPE html><title>Not found</title>' });
    server.put('/huge.onnx', { bytes: huge });
    server.put('/window.onnx', { bytes: window });
    page = await openLeptonPage(browser, server);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  const failing = (url: string, options: Parameters<typeof lepton.load>[1] = {}): Promise<Failure> =>
    page.evaluate(
      ({ url, options }) =>
        lepton.load(url, options).then(
          () => ({ name: 'none', code: 'none', message: 'it loaded' }),
          ({ name, code, message }) => ({ name, code, message }),
        ),
      { url, options },
    );

  test('a model with missing operators names them all, before its weights are there', async () => {
    const { name, code, message } = await failing('/unknown.onnx');
    expect({ name, code }).toEqual({ name: 'LeptonError', code: 'UNSUPPORTED_MODEL' });
    for (const part of ['Frobnicate', '"first"', '"second"', 'Twist', '"third"']) expect(message).toContain(part);
    expect(message).not.toContain('Relu');
  });

  test('truncated and random bytes, and pages instead of models, are invalid', async () => {
    for (const [url, part] of [
      ['/cut.onnx', 'byte'],
      ['/noise.onnx', 'byte'],
      ['/page.onnx', 'page'],
    ] as const) {
      const { code, message } = await failing(url, { cache: false });
      expect(code, url).toBe('INVALID_MODEL');
      expect(message, url).toContain(part);
    }
  });

  test('a missing file is a network error that names URL and status', async () => {
    const { code, message } = await failing('/nowhere.onnx');
    expect(code).toBe('NETWORK');
    expect(message).toContain('/nowhere.onnx');
    expect(message).toContain('404');
  });

  test('a wrong digest is an error, and nothing is kept', async () => {
    const { code } = await failing('/dense.onnx', { integrity: `sha256-${btoa('0'.repeat(32))}` });
    expect(code).toBe('INTEGRITY_MISMATCH');
    const kept = await page.evaluate(async () => (await lepton.cache.list()).map((file) => file.url));
    expect(kept.filter((url) => url.endsWith('/dense.onnx'))).toEqual([]);
  });

  test('a wrong digest of bytes in memory is an error too', async () => {
    const code = await page.evaluate(
      async (integrity) => {
        const bytes = await (await fetch('/dense.onnx')).arrayBuffer();
        return lepton.load(bytes, { integrity }).catch((e) => e.code);
      },
      `sha256-${btoa('0'.repeat(32))}`,
    );
    expect(code).toBe('INTEGRITY_MISMATCH');
  });

  test('wrong arguments', async () => {
    expect((await failing('/dense.onnx', { backend: 'gpu' as 'cpu' })).message).toContain('"webgpu"');
    expect((await failing('/dense.onnx', { integrity: 'md5-xyz' })).code).toBe('INVALID_ARGUMENT');
    expect((await failing('http://[nonsense')).code).toBe('INVALID_ARGUMENT');
  });

  test('wrong and unknown options, and addresses that lead nowhere, before anything is fetched', async () => {
    server.forgetRequests();
    const seen = await page.evaluate(async () => {
      const uncaught: string[] = [];
      addEventListener('error', ({ message }) => uncaught.push(message));
      addEventListener('unhandledrejection', ({ reason }) => uncaught.push(String(reason)));
      const load = lepton.load as (source: unknown, options?: unknown) => Promise<unknown>;
      const image = lepton.image as (source: unknown, options?: unknown) => unknown;
      const failure = (work: () => unknown) =>
        Promise.resolve()
          .then(work)
          .then(
            () => 'none',
            (e) => `${e.code}: ${e.message}`,
          );
      const url = '/dense.onnx';
      const canvas = document.createElement('canvas');
      return {
        null: await failure(() => load(url, null)),
        text: await failure(() => load(url, 'cpu')),
        signal: await failure(() => load(url, { signal: 5 })),
        window: await failure(() => load(url, { signal: window })),
        progress: await failure(() => load(url, { onProgress: 1 })),
        unknown: await failure(() => load(url, { bakend: 'cpu' })),
        cache: await failure(() => load(url, { cache: 'yes' })),
        strict: await failure(() => load(url, { strict: 1 })),
        empty: await failure(() => load('')),
        blank: await failure(() => load('   ')),
        disk: await failure(() => load('file:///models/dense.onnx')),
        size: await failure(() => image(canvas, { size: 28 })),
        mean: await failure(() => image(canvas, { mean: [1, 2] })),
        std: await failure(() => image(canvas, { std: 0 })),
        men: await failure(() => image(canvas, { men: [0.5] })),
        uncaught,
      };
    });
    expect(seen).toEqual({
      null: 'INVALID_ARGUMENT: load() takes its options as an object, not null.',
      text: 'INVALID_ARGUMENT: load() takes its options as an object, not "cpu".',
      signal: 'INVALID_ARGUMENT: load() has the option signal = 5; expected an AbortSignal.',
      window: 'INVALID_ARGUMENT: load() has the option signal = [object Window]; expected an AbortSignal.',
      progress: 'INVALID_ARGUMENT: load() has the option onProgress = 1; expected a function.',
      unknown: expect.stringContaining('load() has no option "bakend"; it has cache,'),
      cache: 'INVALID_ARGUMENT: load() has the option cache = "yes"; expected true or false.',
      strict: 'INVALID_ARGUMENT: load() has the option strict = 1; expected true or false.',
      empty: 'INVALID_ARGUMENT: load(): source is an empty address.',
      blank: 'INVALID_ARGUMENT: load(): source is an empty address.',
      disk: expect.stringMatching(/^INVALID_ARGUMENT: .*file:.*HTTP.*File/),
      size: 'INVALID_ARGUMENT: image() has the option size = 28; expected [height, width] in whole pixels.',
      mean: 'INVALID_ARGUMENT: image() has the option mean = [1,2]; expected a number or 3 numbers.',
      std: expect.stringContaining('std = 0; expected a number or 3 numbers other than 0'),
      men: expect.stringContaining('image() has no option "men"; it has size,'),
      uncaught: [],
    });
    expect(server.requests.filter(({ path }) => path !== '/dist/lepton-compiler.js')).toEqual([]);
  });

  test('wrong input names, types, shapes and lengths', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const { Tensor } = lepton;
      const good = new Tensor('float32', new Float32Array(3), [1, 3]);
      const failure = (work: () => unknown) =>
        Promise.resolve()
          .then(work)
          .then(
            () => 'none',
            (e) => `${e.code}: ${e.message}`,
          );
      const failures = {
        missing: await failure(() => model.run({})),
        unknown: await failure(() => model.run({ x: good, z: good })),
        type: await failure(() => model.run({ x: new Tensor('int32', new Int32Array(3), [1, 3]) })),
        rank: await failure(() => model.run({ x: new Tensor('float32', new Float32Array(3), [3]) })),
        size: await failure(() => model.run({ x: new Tensor('float32', new Float32Array(4), [1, 4]) })),
        length: await failure(() => new Tensor('float32', new Float32Array(5), [2, 3])),
        kind: await failure(() => new Tensor('float32', new Float64Array(3) as unknown as Float32Array, [3])),
        output: await failure(() => model.run({ x: good }, { outputs: ['nothing'] })),
        nothing: await failure(() => model.run(undefined as unknown as { x: typeof good })),
        array: await failure(() => model.run({ x: [1, 2, 3] as unknown as typeof good })),
        tensor: await failure(() => model.run(good as unknown as { x: typeof good })),
        place: await failure(() => model.run({ x: good }, { location: 'webgpu' as 'gpu' })),
        option: await failure(() => model.run({ x: good }, { signl: 1 } as object)),
      };
      const { y } = await model.run({ x: good });
      await model.dispose();
      return {
        ...failures,
        still: [...(y!.data as Float32Array)],
        disposed: await failure(() => model.run({ x: good })),
      };
    });
    expect(seen.missing).toMatch(/^INVALID_INPUT: .*"x".*float32 \[batch, 3\]/);
    expect(seen.unknown).toMatch(/^INVALID_INPUT: .*"z".*"x"/);
    expect(seen.type).toMatch(/^INVALID_INPUT: .*"x".*float32.*int32/);
    expect(seen.rank).toMatch(/^INVALID_INPUT: .*\[batch, 3\].*\[3\]/);
    expect(seen.size).toMatch(/^INVALID_INPUT: .*dimension 1 is 4 instead of 3/);
    expect(seen.length).toMatch(/^INVALID_ARGUMENT: .*6 elements.*5/);
    expect(seen.kind).toMatch(/^INVALID_ARGUMENT: .*Float32Array.*Float64Array/);
    expect(seen.output).toMatch(/^INVALID_ARGUMENT: .*"nothing".*"y"/);
    expect(seen.nothing).toMatch(/^INVALID_INPUT: /);
    expect(seen.array).toMatch(/^INVALID_INPUT: .*"x"/);
    expect(seen.tensor).toBe(seen.nothing);
    expect(seen.place).toMatch(/^INVALID_ARGUMENT: .*location = "webgpu"; expected "cpu", "gpu" or a list/);
    expect(seen.option).toMatch(/^INVALID_ARGUMENT: run\(\) has no option "signl"/);
    expect(seen.still).toEqual([0.5, 0.25]);
    expect(seen.disposed).toMatch(/^DISPOSED/);
  });

  test('an input without elements is blamed for what a node cannot do with it', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/window.onnx');
      const run = (size: number) =>
        model.run({ x: new lepton.Tensor('float32', new Float32Array(size ** 2).fill(1), [1, 1, size, size]) });
      const failure = await run(0).catch(({ code, message }) => `${code}: ${message}`);
      return { failure, sum: [...((await run(3)).y!.data as Float32Array)] };
    });
    expect(seen.failure).toMatch(/^INVALID_INPUT: Input "x" is \[1, 1, 0, 0\], .*window/);
    expect(seen.sum).toEqual([9]);
  });

  test('a load can be aborted, and tried again', async () => {
    server.setFault(({ path, earlier }) => (path === '/dense.onnx' && earlier === 0 ? 'hang' : undefined));
    server.forgetRequests();
    const seen = await page.evaluate(async () => {
      const code = await lepton.load('/dense.onnx', { cache: false, signal: AbortSignal.timeout(300) }).then(
        () => 'none',
        (e) => e.code,
      );
      const model = await lepton.load('/dense.onnx', { cache: false });
      return { code, again: model.inputs.length };
    });
    server.setFault(undefined);
    expect(seen).toEqual({ code: 'ABORTED', again: 1 });
  });

  test('a tensor too large for the GPU is an error that says how large, not a crash', async () => {
    const { code, message } = await failing('/huge.onnx');
    expect(['OUT_OF_MEMORY', 'UNSUPPORTED_MODEL']).toContain(code);
    expect(message).toMatch(/1073741824 bytes|1024\.0 MiB/);
    const after = await page.evaluate(async () => (await lepton.load('/dense.onnx')).inputs.length);
    expect(after).toBe(1);
  });
});

describeBrowsers(
  'without WebGPU',
  (browser) => {
    test('load says so, and the cpu backend works when it is asked for', async () => {
      const server = await startLeptonServer();
      server.put('/add.onnx', { bytes: addOne(3) });
      const page = await openLeptonPage(browser, server);
      const seen = await page.evaluate(async () => {
        const unhandled: string[] = [];
        addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason)));
        void lepton.start();
        const started = await lepton.start().catch((e) => e.code);
        const { code, message } = await lepton.load('/add.onnx').catch((e) => e);
        const model = await lepton.load('/add.onnx', { backend: 'cpu' });
        const { y } = await model.run({ x: new lepton.Tensor('float32', [1, 2, 3], [3]) });
        const supported = await lepton.isSupported();
        return { code, message, started, unhandled, y: [...(y!.data as Float32Array)], supported };
      });
      expect(['NO_WEBGPU', 'NO_ADAPTER']).toContain(seen.code);
      expect(seen.started).toBe(seen.code);
      expect(seen.unhandled).toEqual([]);
      expect(seen.message).toContain('cpu');
      expect(seen.message).toContain('training needs a GPU');
      expect(seen.y).toEqual([2, 3, 4]);
      expect(seen.supported).toBe(false);
      await page.close();
      await server.close();
    });
  },
  { webgpu: false },
);

describe.skipIf(!findBrowser('chromium') && !process.env.CI)('in Chromium, where the test can break things', () => {
  test('a lost device is replaced and the run is tried again; tensors on it are reported lost', async () => {
    const server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    const browser = await openBrowser('chromium');
    const page = await openLeptonPage(browser, server);
    await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const x = await new lepton.Tensor('float32', Float32Array.of(1, 1, 1), [1, 3]).upload();
      Object.assign(globalThis, { model, onGpu: x });
    });
    // Ends the process that all devices live in.
    await (await page.cdp()).send('Browser.crashGpuProcess');
    const seen = await page.evaluate(async () => {
      const { model, onGpu } = globalThis as unknown as {
        model: Awaited<ReturnType<typeof lepton.load>>;
        onGpu: InstanceType<typeof lepton.Tensor>;
      };
      const { y } = await model.run({ x: new lepton.Tensor('float32', Float32Array.of(1, 1, 1), [1, 3]) });
      const lost = await model.run({ x: onGpu }).then(
        () => 'none',
        (e) => e.code,
      );
      return { y: [...(y!.data as Float32Array)], lost };
    });
    expect(seen).toEqual({ y: [6.5, 0], lost: 'DEVICE_LOST' });
    await browser.close();
    await server.close();
  });

  test('a full quota is an error that says how much was needed', async () => {
    const server = await startLeptonServer();
    server.put('/large.onnx', { bytes: large(1, 4096) });
    server.put('/weights.bin', { size: 64 << 20, fill: () => {} });
    const browser = await openBrowser('chromium');
    const page = await openLeptonPage(browser, server);
    const cdp = await page.cdp();
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 8 << 20 });
    const failure = await page.evaluate(() =>
      lepton.load('/large.onnx').catch(({ code, message }) => ({ code, message })),
    );
    expect(failure).toMatchObject({ code: 'STORAGE_QUOTA' });
    expect((failure as Failure).message).toContain('cache: false');
    await browser.close();
    await server.close();
  });
});
