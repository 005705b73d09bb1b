// Choosing kernels by measuring, on the built library in real browsers: `tune: 'full'` measures once per adapter,
// whatever page or visit it is, says how far it is, can be given up, and shows what it chose.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import type { TestServer } from '../support/server';
import { dense, softmax } from '../tune/models';

declare const lepton: typeof import('../../src/api');

interface Seen {
  /** Kernels to measure, by the largest total that progress told; undefined where it told of none. */
  readonly measured: number | undefined;
  readonly kernels: readonly string[];
  readonly chosenBy: readonly (string | undefined)[];
  readonly values: readonly number[];
}

describeBrowsers('tuning', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    server.put('/softmax.onnx', { bytes: softmax(9) });
    page = await openLeptonPage(browser, server);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });
  beforeEach(async () => {
    await page.evaluate(() => lepton.cache.clear());
    await page.reload();
  });

  const visit = (tune: 'auto' | 'off' | 'full', cache = false) =>
    page.evaluate(loadAndProfile, { tune, cache }) as Promise<Seen>;

  test('measures once, for this visit and the next, with the same answers', async () => {
    const plain = await visit('off');
    expect(plain.measured).toBeUndefined();
    expect(plain.chosenBy).toEqual(['estimate', 'estimate']);
    const first = await visit('full');
    expect(first.measured).toBe(2);
    expect(first.chosenBy).toEqual(['measurement', 'measurement']);
    expectSameAnswer(first, plain);
    await page.reload();
    const second = await visit('full');
    expect({ ...second, values: first.values }).toEqual({ ...first, measured: 0 });
    expectSameAnswer(second, plain);
    // What was measured is made use of without asking for more.
    const third = await visit('auto');
    expect({ ...third, values: first.values }).toEqual({ ...first, measured: undefined });
    expectSameAnswer(third, plain);
    const last = await visit('off');
    expect({ ...last, values: plain.values }).toEqual(plain);
    await page.evaluate(() => lepton.cache.clear());
    await page.reload();
    expect((await visit('auto')).chosenBy).toEqual(['estimate', 'estimate']);
  });

  test('a plan in the store keeps what was chosen', async () => {
    const first = await visit('full', true);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    await page.reload();
    const second = await visit('full', true);
    expect(second.kernels).toEqual(first.kernels);
    expect(second.chosenBy).toEqual(['measurement', 'measurement']);
  });

  test('an abort ends the load, and the next one measures', async () => {
    const code = await page.evaluate(async () => {
      const stop = new AbortController();
      const onProgress = ({ stage }: { stage: string }) => {
        if (stage === 'tune') stop.abort();
      };
      const loading = lepton.load('/dense.onnx', { cache: false, tune: 'full', signal: stop.signal, onProgress });
      return loading.then(
        () => 'loaded',
        (error) => error.code as string,
      );
    });
    expect(code).toBe('ABORTED');
    expect((await visit('full')).chosenBy).toEqual(['measurement', 'measurement']);
  });

  test('two models are tuned at once', async () => {
    const sums = await page.evaluate(async () => {
      const options = { cache: false, tune: 'full' } as const;
      const models = await Promise.all(['/dense.onnx', '/softmax.onnx'].map((url) => lepton.load(url, options)));
      const sums: number[] = [];
      for (const model of models) {
        const shape = model.inputs[0]?.shape as number[];
        const size = shape.reduce((a, b) => a * b, 1);
        const { y } = await model.run({ x: new lepton.Tensor('float32', new Float32Array(size), shape) });
        sums.push((y!.data as Float32Array).reduce((a, b) => a + b, 0));
        await model.dispose();
      }
      return sums;
    });
    expect(sums[0]).toBeCloseTo(1, 4);
    expect(sums[1]).toBeCloseTo(9, 3);
  });

  test('refuses what is no way to tune', async () => {
    const error = await page.evaluate(() =>
      lepton.load('/dense.onnx', { tune: 'always' as 'full' }).then(
        () => undefined,
        ({ code, message }) => ({ code, message }),
      ),
    );
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"always"') });
  });
});

/** A first run may be done by kernels that compile sooner, so the last bits may differ. */
function expectSameAnswer(got: Seen, expected: Seen): void {
  expect(got.values).toHaveLength(expected.values.length);
  got.values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected.values[i] as number, 5);
  });
}

async function loadAndProfile({ tune, cache }: { tune: 'auto' | 'off' | 'full'; cache: boolean }): Promise<Seen> {
  let measured: number | undefined;
  const model = await lepton.load('/dense.onnx', {
    cache,
    tune,
    onProgress: ({ stage, total }) => {
      if (stage === 'tune') measured = Math.max(measured ?? 0, total ?? 0);
    },
  });
  const data = Float32Array.from({ length: 67 }, (_, i) => Math.sin(i));
  const feeds = { x: new lepton.Tensor('float32', data, [1, 67]) };
  const { y } = await model.run(feeds);
  // The plan of the first run may be replaced soon after it.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { nodes } = await model.profile(feeds);
  await model.dispose();
  return {
    measured,
    kernels: nodes.map((n) => n.kernel),
    chosenBy: nodes.map((n) => n.chosenBy),
    values: [...(y!.data as Float32Array)],
  };
}
