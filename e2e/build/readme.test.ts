// The example of the README, exactly as it stands there, on a page that has nothing else.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { dataPath, describeWithData } from '../support/data';
import { startServer } from '../support/server';
import { dist } from './pages';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

describeWithData('README', () => {
  describeBrowsers('example', (browser) => {
    test('works as pasted', async () => {
      const example = /```html\n([\s\S]*?)```/.exec(readme)?.[1];
      if (!example) throw new Error('README.md has no html example.');
      const server = await startServer();
      server.mount('/dist', dist);
      server.put('/', { text: `<!doctype html>\n${example}`, headers: { 'Content-Type': 'text/html' } });
      server.put('/mnist-8.onnx', { bytes: readFileSync(dataPath('models', 'mnist-opt-wonnx', 'mnist-8.onnx')) });
      const page = await browser.newPage();
      await page.goto(`${server.url}/`);
      const said = () => page.console.map((m) => m.text).find((text) => text.startsWith('This is a'));
      await expect.poll(said, { timeout: 30_000 }).toBe('This is a 1');
      expect(page.errors).toEqual([]);
      await page.close();
      await server.close();
    });
  });
});
