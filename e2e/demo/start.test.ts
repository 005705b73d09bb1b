// The pages from the sources, as `npm start` serves them; the other tests of the demo take what is built. Chromium only: how
// they are served is the same for all.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openBrowser, type TestBrowser } from '../support/browsers';
import { findBrowser } from '../support/find-browser';
import { says } from './page-text';

describe.skipIf(!findBrowser('chromium') && !process.env.CI)('the demo from its sources', () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await openBrowser('chromium');
  });
  afterAll(() => browser.close());

  test.each([
    ['index.html', ['status', '^shapes 1$']],
    ['digits.html', ['fact-origin', '^As shipped$']],
    ['compress.html', ['status', '^Measured']],
  ])('%s', async (path, said) => {
    const page = await browser.newPage();
    await page.goto(`${inject('server')}/${path}`);
    await page.waitForFunction(says, said, 90_000);
    expect(page.errors).toEqual([]);
    await page.close();
  });
});
