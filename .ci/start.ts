// `npm start`: serves the demo and prints its address. With --check it opens the page in a headless browser,
// lets it run its built-in sample, prints the answer and the timings, and ends with status 0 or 1.

import { join } from 'node:path';
import { createServer } from 'vite';
import { startDevServer } from '../e2e/support/dev-server';
import { findBrowser } from '../e2e/support/find-browser';
import { openBrowser } from '../e2e/support/open-browser';
import type { CheckResult } from '../src/demo/check';
import { root } from './command';
import installBrowsers from './install-browsers';

const checkTimeout = 120_000;

export default async function start(args: readonly string[]): Promise<number> {
  if (args.includes('--check')) return checkDemo();
  const server = await createServer({ root, configFile: join(root, 'vite.config.ts'), configLoader: 'runner' });
  await server.listen();
  server.printUrls();
  await new Promise((stop) => process.once('SIGINT', stop).once('SIGTERM', stop));
  await server.close();
  return 0;
}

async function checkDemo(): Promise<number> {
  if (!findBrowser('chromium') && (await installBrowsers()) !== 0) return 1;
  const server = await startDevServer(root);
  const browser = await openBrowser('chromium');
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/?check=1`);
    const finished = await page
      .waitForFunction(() => document.documentElement.dataset.check, undefined, checkTimeout)
      .then(
        () => true,
        () => false,
      );
    const result = await page.evaluate(() => globalThis.__leptonCheck);
    if (finished && result?.ok) {
      printResult(result);
      return 0;
    }
    const { error } = result ?? {};
    console.error(error ? `${error.code}: ${error.message}` : `No answer within ${checkTimeout / 1000} s.`);
    for (const text of [...page.errors, ...page.console.map((message) => message.text)]) console.error(`  ${text}`);
    return 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

function printResult({ model, answer, origin, timings }: CheckResult): void {
  const rows = [
    ['model', model],
    ['answer', answer],
    ['weights from', origin],
    ...Object.entries(timings).map(([name, ms]) => [name, `${ms.toFixed(1)} ms`]),
  ] as const;
  const width = Math.max(...rows.map(([name]) => (name as string).length));
  for (const [name, value] of rows) console.log(`${(name as string).padEnd(width)}  ${value}`);
}
