// Test suites in browsers: `describeBrowsers` declares a suite once for each browser asked for.

import { afterAll, describe } from 'vitest';
import { type BrowserName, findBrowser, wantedBrowsers } from './find-browser';
import { type OpenOptions, openBrowser, type TestBrowser } from './open-browser';

export type { TestContext, TestPage } from './browser-pages';
export type { BrowserName } from './find-browser';
export { type OpenOptions, openBrowser, type TestBrowser } from './open-browser';

/**
 * Declares the suite once per browser. The browser given starts with the first page asked for and closes
 * after the suite. Where a browser is missing the suite is skipped with a message, or fails where CI is set.
 */
export function describeBrowsers(name: string, suite: (browser: TestBrowser) => void, options: OpenOptions = {}): void {
  for (const browserName of wantedBrowsers()) {
    if (!findBrowser(browserName) && !process.env.CI) {
      describe.skip(`${name} [${browserName}: not installed]`, () => suite(lazyBrowser(browserName, options)));
      continue;
    }
    describe(`${name} [${browserName}]`, () => {
      const browser = lazyBrowser(browserName, options);
      afterAll(() => browser.close());
      suite(browser);
    });
  }
}

function lazyBrowser(name: BrowserName, options: OpenOptions): TestBrowser {
  let opening: Promise<TestBrowser> | undefined;
  const open = () => {
    opening ??= openBrowser(name, options);
    return opening;
  };
  return {
    name,
    newPage: async () => (await open()).newPage(),
    newContext: async () => (await open()).newContext(),
    close: async () => {
      const browser = opening;
      opening = undefined;
      await (await browser)?.close();
    },
  };
}
