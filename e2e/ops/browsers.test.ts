// Every operator's cases on two independent implementations of WebGPU: all kernel variants against the
// references, in real browsers.

import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { casesOf } from './cases';
import type { OpReport } from './page';

describeBrowsers('operators', (browser) => {
  let page: TestPage;
  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
  });
  afterAll(() => page.close());

  for (const op of casesOf.keys()) {
    test(op, async () => {
      const report: OpReport = await page.evaluate(
        async ({ url, op }) => (await import(/* @vite-ignore */ url)).checkOp(op),
        { url: '/e2e/ops/page.ts', op },
      );
      expect(report.failures).toEqual([]);
      expect(report.runs).toBeGreaterThan(0);
    });
  }
});
