// The examples of the guides, exactly as they stand there, one after another as one script on one page.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { describeBrowsers, type TestBrowser } from '../support/browsers';

function examplesOf(page: string): string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8');
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code as string);
}

/** What the examples have logged: the number behind a label. */
async function runExamples(browser: TestBrowser, examples: readonly string[]): Promise<(label: string) => number> {
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
  await page.close();
  return (label) => Number(new RegExp(`^${label} ([\\d.]+)$`).exec(said.find((t) => t.startsWith(label)) ?? '')?.[1]);
}

describeBrowsers('guides', (browser) => {
  test('the examples of training run', async () => {
    const number = await runExamples(browser, examplesOf('training.md'));
    expect(number('accuracy')).toBeGreaterThan(0.9);
    expect(number('after the reload')).toBeGreaterThan(0.9);
  });

  test('the examples of compressing a model, and of sparse matrices in models, run', async () => {
    const number = await runExamples(browser, examplesOf('sparse.md'));
    expect(number('times smaller')).toBeGreaterThan(3);
    expect(number('accuracy')).toBeGreaterThan(0.9);
    expect(number('characters of the report')).toBeGreaterThan(2000);
    expect(number('entries')).toBe(82);
    expect(number('circles')).toBeGreaterThan(0.9);
  });
});
