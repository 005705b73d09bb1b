// The harness itself: both drivers do what TestPage promises, contexts are isolated, profiles persist.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { describeBrowsers, openBrowser, type TestPage } from './browsers';
import { findBrowser, wantedBrowsers } from './find-browser';
import { temporaryFiles } from './temporary-files';

const blank = () => `${inject('server')}/e2e/support/blank.html`;
const remember = (page: TestPage) => page.evaluate(() => localStorage.setItem('seen', 'yes'));
const recall = (page: TestPage) => page.evaluate(() => localStorage.getItem('seen'));

describeBrowsers(
  'test pages',
  (browser) => {
    test('offer WebGPU, in workers too', async () => {
      const page = await browser.newPage();
      await page.goto(blank());
      const found = await page.evaluate(async () => {
        const adapter = await navigator.gpu.requestAdapter();
        const source = 'navigator.gpu.requestAdapter().then((a) => postMessage(a !== null))';
        const worker = new Worker(URL.createObjectURL(new Blob([source])));
        const inWorker = await new Promise((resolve) => {
          worker.onmessage = (event) => resolve(event.data);
        });
        return { page: adapter !== null, inWorker };
      });
      expect(found).toEqual({ page: true, inWorker: true });
      await page.close();
    });

    test('import modules of src', async () => {
      const page = await browser.newPage();
      await page.goto(blank());
      const bytes = await page.evaluate(async (url) => {
        const { deviceBytes } = await import(url);
        return deviceBytes('float32', 5);
      }, '/src/base/dtype.ts');
      expect(bytes).toBe(32);
      await page.close();
    });

    test('collect messages and errors', async () => {
      const page = await browser.newPage();
      await page.goto(blank());
      await page.evaluate((text) => {
        console.warn(text);
        setTimeout(() => {
          throw new Error('thrown late');
        });
      }, 'take care');
      await page.waitForFunction((ms) => performance.now() > ms, (await page.evaluate(() => performance.now())) + 200);
      expect(page.console.map((m) => m.text)).toContain('take care');
      expect(page.errors.join()).toContain('thrown late');
      await page.close();
    });

    test('take files, keys, sizes and colour schemes', async () => {
      const page = await browser.newPage();
      await page.goto(blank());
      await page.setViewport(390, 700);
      await page.evaluate(() => {
        document.body.innerHTML = '<input type="file" id="file"><input id="text"><button id="go">Go</button>';
        document.getElementById('go')?.addEventListener('click', () => {
          document.body.dataset.clicked = 'yes';
        });
      });
      await page.setInputFiles('#file', temporaryFiles({ 'words.txt': 'some words' }));
      await page.click('#text');
      await page.type('abc');
      await page.press('Backspace');
      await page.click('#go');
      const state = await page.evaluate(async () => ({
        file: await (document.getElementById('file') as HTMLInputElement).files?.[0]?.text(),
        text: (document.getElementById('text') as HTMLInputElement).value,
        clicked: document.body.dataset.clicked,
        width: innerWidth,
        dark: matchMedia('(prefers-color-scheme: dark)').matches,
      }));
      expect(state).toEqual({ file: 'some words', text: 'ab', clicked: 'yes', width: 390, dark: true });
      expect((await page.screenshot()).length).toBeGreaterThan(100);
      await page.close();
    });

    test('share storage within a context only', async () => {
      const context = await browser.newContext();
      const [first, second, stranger] = [await context.newPage(), await context.newPage(), await browser.newPage()];
      for (const page of [first, second, stranger]) await page.goto(blank());
      await remember(first);
      expect(await recall(second)).toBe('yes');
      expect(await recall(stranger)).toBe(null);
      await stranger.close();
      await context.close();
    });
  },
  { colorScheme: 'dark' },
);

describe('profiles', () => {
  test.each(wantedBrowsers().filter((name) => findBrowser(name)))('outlive the browser [%s]', async (name) => {
    const profile = await mkdtemp(join(tmpdir(), 'lepton-profile-'));
    for (const expected of [null, 'yes']) {
      const browser = await openBrowser(name, { profile });
      const page = await browser.newPage();
      await page.goto(blank());
      expect(await recall(page)).toBe(expected);
      await remember(page);
      await browser.close();
    }
    await rm(profile, { recursive: true, force: true });
  });
});
