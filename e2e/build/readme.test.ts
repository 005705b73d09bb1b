// The example of the README, exactly as it stands there, on a page that has nothing else.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { dataPath, describeWithData } from '../support/data';
import { dist } from '../support/lepton-page';
import { startServer } from '../support/server';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

const examples = [...readme.matchAll(/```html\n([\s\S]*?)```/g)].map(([, text]) => text as string);

describeWithData('README', () => {
  describeBrowsers('example', (browser) => {
    test('works as pasted', async () => {
      const server = await startServer();
      server.mount('/dist', dist);
      server.put('/', { text: `<!doctype html>\n${examples[0]}`, headers: { 'Content-Type': 'text/html' } });
      server.put('/mnist-8.onnx', { bytes: readFileSync(dataPath('models', 'mnist-opt-wonnx', 'mnist-8.onnx')) });
      const page = await browser.newPage();
      await page.goto(`${server.url}/`);
      const said = () => page.console.map((m) => m.text).find((text) => text.startsWith('This is a'));
      await expect.poll(said, { timeout: 30_000 }).toBe('This is a 1');
      expect(page.errors).toEqual([]);
      await page.close();
      await server.close();
    });

    test('of training works as pasted', async () => {
      const server = await startServer();
      server.mount('/dist', dist);
      server.put('/', { text: `<!doctype html>\n${examples[1]}`, headers: { 'Content-Type': 'text/html' } });
      const page = await browser.newPage();
      await page.goto(`${server.url}/`);
      const said = () =>
        Number(page.console.map((m) => /^The middle is inside with (\d+) %/.exec(m.text)?.[1]).find(Boolean));
      await expect.poll(said, { timeout: 60_000 }).toBeGreaterThan(80);
      expect(page.errors).toEqual([]);
      await page.close();
      await server.close();
    });
  });
});
