// The built demo in real browsers, served as any host of files would. Every page that a suite opens is a new visitor's.

import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { describeBrowsers, type OpenOptions, type TestPage } from '../support/browsers';
import { dist } from '../support/lepton-page';
import { startServer, type TestServer } from '../support/server';

/** Opens a page of the site; it closes with the test. */
export type OpenPage = (path: string) => Promise<TestPage>;

/** As `describeBrowsers`; the library lies under /dist/. */
export function describeSite(name: string, suite: (open: OpenPage) => void, options?: OpenOptions): void {
  describeBrowsers(
    name,
    (browser) => {
      let server: TestServer;
      const pages: TestPage[] = [];
      beforeAll(async () => {
        server = await startSite();
      });
      afterEach(async () => {
        for (const page of pages.splice(0)) await page.close();
      });
      afterAll(() => server.close());
      suite(async (path) => {
        const page = await browser.newPage();
        pages.push(page);
        await page.goto(`${server.url}/${path}`);
        return page;
      });
    },
    options,
  );
}

async function startSite(): Promise<TestServer> {
  if (!existsSync(`${dist}/site/index.html`)) throw new Error('The demo is not built: npm run build.');
  const server = await startServer();
  server.mount('', `${dist}/site`);
  server.mount('/dist', dist);
  return server;
}
