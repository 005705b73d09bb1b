// The examples of docs/training.md, exactly as they stand there, one after another as one script on one page.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';

const guide = readFileSync(fileURLToPath(new URL('../../docs/training.md', import.meta.url)), 'utf8');
const examples = [...guide.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code as string);

describeBrowsers('the guide to training', (browser) => {
  test('its examples run', async () => {
    const page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/proofs/guide.html`);
    const script = examples.map((code, i) => `globalThis.example = ${i + 1};\n${code}`).join('');
    const failure = await page.evaluate(async (text) => {
      const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
      try {
        await import(/* @vite-ignore */ url);
        return undefined;
      } catch (error) {
        return `example ${(globalThis as { example?: number }).example}: ${error}`;
      }
    }, script);
    expect(failure).toBeUndefined();
    expect(page.errors).toEqual([]);
    const said = page.console.map(({ text }) => text);
    const number = (label: string) =>
      Number(new RegExp(`^${label} ([\\d.]+)$`).exec(said.find((t) => t.startsWith(label)) ?? '')?.[1]);
    expect(number('accuracy')).toBeGreaterThan(0.9);
    expect(number('after the reload')).toBeGreaterThan(0.9);
    await page.close();
  });
});
