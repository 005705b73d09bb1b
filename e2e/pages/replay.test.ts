// Running a plan again costs a submit and a read-back, and for every dispatch no more than its three calls:
// no JavaScript object is made per dispatch. Chromium only, since it counts what is allocated.

import type { CDPSession } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openBrowser, type TestBrowser, type TestPage } from '../support/browsers';
import { findBrowser } from '../support/find-browser';
import type { Chain } from './replay-page';

declare const chain: Chain;

const runs = 60;

describe.skipIf(!findBrowser('chromium') && !process.env.CI)('replay', () => {
  let browser: TestBrowser;
  let page: TestPage;
  let cdp: CDPSession;
  beforeAll(async () => {
    browser = await openBrowser('chromium');
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
    cdp = await page.cdp();
  });
  afterAll(() => browser.close());

  async function open(length: number): Promise<number> {
    return page.evaluate(
      async ({ url, length }) => {
        const { openChain } = await import(/* @vite-ignore */ url);
        Object.assign(globalThis, { chain: await openChain(length) });
        // Code that has not been compiled yet allocates while it is.
        await chain.run(40);
        return chain.dispatches;
      },
      { url: '/e2e/pages/replay-page.ts', length },
    );
  }

  /** Bytes of JavaScript objects that a run makes, those included that are collected again. */
  async function allocatedPerRun(): Promise<number> {
    await cdp.send('HeapProfiler.startSampling', {
      samplingInterval: 256,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await page.evaluate((times) => chain.run(times), runs);
    const { profile } = await cdp.send('HeapProfiler.stopSampling');
    return profile.samples.reduce((sum, sample) => sum + sample.size, 0) / runs;
  }

  test('nothing is allocated per dispatch', async () => {
    const measured: { dispatches: number; bytes: number }[] = [];
    for (const length of [10, 410]) {
      const dispatches = await open(length);
      measured.push({ dispatches, bytes: await allocatedPerRun() });
      await page.evaluate(() => chain.dispose());
    }
    const [short, long] = measured as [(typeof measured)[0], (typeof measured)[0]];
    expect(long.dispatches - short.dispatches).toBe(400);
    // An object would be 12 bytes at least.
    expect((long.bytes - short.bytes) / 400).toBeLessThan(4);
    expect(long.bytes).toBeLessThan(40_000);
  });
});
