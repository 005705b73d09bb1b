// Models whose shapes hang on data, in both browsers; and fifty sequence lengths in one page.

import { afterAll, beforeAll, inject, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import type { LengthsReport, StagedReport } from './check';
import { expectLengths, expectStaged, fiftyLengths } from './expectations';
import { stagedModels } from './models';

const url = '/e2e/stages/page.ts';

describeBrowsers('shapes that hang on data', (browser) => {
  let page: TestPage;
  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
  });
  afterAll(() => page.close());

  for (const staged of stagedModels) {
    test(staged.name, async () => {
      const report: StagedReport = await page.evaluate(
        async ({ url, name }) => (await import(/* @vite-ignore */ url)).staged(name),
        { url, name: staged.name },
      );
      expectStaged(staged, report);
    });
  }

  test('fifty lengths share pipelines and weights', async () => {
    const report: LengthsReport = await page.evaluate(
      async ({ url, list }) => (await import(/* @vite-ignore */ url)).lengths(list),
      { url, list: fiftyLengths },
    );
    expectLengths(report);
  });
});
