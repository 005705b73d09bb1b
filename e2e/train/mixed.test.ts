// Mixed precision in real browsers: where the GPU has float16 it learns as float32 does, and its scale follows the gradients;
// where it has not, training says so.

import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import type { checkLayers } from './mixed-layers-page';
import type * as Page from './mixed-page';

const without = 'this browser has no float16 here';
const scaling = { initialScale: 32768, dynamicGrowthSteps: 2000 };

describeBrowsers('mixed precision', (browser) => {
  let page: TestPage;
  let capable: boolean;
  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
    capable = await call('hasFloat16');
  });
  afterAll(() => page.close());

  /** One of the page's functions. */
  const call = <K extends keyof typeof Page>(name: K, ...args: Parameters<(typeof Page)[K]>) =>
    page.evaluate(async ({ url, name, args }) => (await import(/* @vite-ignore */ url))[name](...args), {
      url: '/e2e/train/mixed-page.ts',
      name,
      args,
    }) as Promise<Awaited<ReturnType<(typeof Page)[K]>>>;

  test('without float16 there is no silent float32', async ({ skip }) => {
    if (capable) skip('this browser has float16');
    const error = await call('losses', 'mlp', 1, scaling).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain('compile without mixedPrecision');
  });

  test.for(['mlp', 'cnn'])('learns as float32 does: %s', async (network, { skip }) => {
    if (!capable) skip(without);
    const [single, mixed] = [await call('losses', network, 30), await call('losses', network, 30, scaling)];
    const late = (list: number[]) => list.slice(-6).reduce((sum, loss) => sum + loss, 0) / 6;
    expect(late(single)).toBeLessThan(0.8 * (single[0] as number));
    expect(Math.abs(late(mixed) / late(single) - 1)).toBeLessThan(0.03);
    expect(mixed[0]).not.toBe(single[0]);
  });

  test('a step through every layer gives what it gives on the host', async ({ skip }) => {
    if (!capable) skip(without);
    const { failures, operators } = await page.evaluate(
      async (url) => (await import(/* @vite-ignore */ url)).checkLayers() as ReturnType<typeof checkLayers>,
      '/e2e/train/mixed-layers-page.ts',
    );
    expect(failures).toEqual([]);
    const some = ['AveragePool', 'Conv', 'ConvTranspose', 'MaxPool', 'Tanh', 'Transpose', 'lepton.ConvWeightGradient'];
    expect(operators).toEqual(expect.arrayContaining(some));
    expect(operators).not.toContain('Softmax');
  });

  test('a scale that is too large is halved until a step can be taken', async ({ skip }) => {
    if (!capable) skip(without);
    const seen = await call('overflowing', 40, 2 ** 40);
    const first = seen.findIndex(({ steps }) => steps > 0);
    expect(first).toBeGreaterThan(5);
    seen.slice(0, first).forEach(({ loss, scale, good }, i) => {
      expect([loss, scale, good]).toEqual([seen[0]?.loss, 2 ** (39 - i), 0]);
    });
    expect(seen.at(-1)?.loss).toBeLessThan(seen[0]?.loss as number);
    expect(seen.at(-1)?.scale).toBeLessThan(2 ** 34);
  });

  test('the scale is saved with the optimiser', async ({ skip }) => {
    if (!capable) skip(without);
    const [one, other] = await call('savedBetween');
    expect(one).toEqual(other);
    expect(one?.kept).toMatchObject({ scale: 2 ** 14, good: 0, steps: 6 });
  });

  test('numbers beyond float16 end in an error that says so', async ({ skip }) => {
    if (!capable) skip(without);
    const { code, message } = await call('hugeInput', 1e6);
    expect(code).toBe('NOT_FINITE');
    expect(message).toContain('numbers beyond 65504 are infinite');
  });
});
