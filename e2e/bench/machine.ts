// What the results file says of the machine: adapter, browser, processor.

import { arch, cpus, platform } from 'node:os';
import type { TestBrowser } from '../support/open-browser';
import type { BenchResults } from './results';

export interface Machine {
  readonly described: Pick<BenchResults, 'date' | 'adapter' | 'browser' | 'system'>;
  readonly features: ReadonlySet<string>;
}

export async function describeMachine(browser: TestBrowser, url: string): Promise<Machine> {
  const page = await browser.newPage();
  // WebGPU exists on secure pages only; what the server has to say there does not matter.
  await page.goto(`${url}/blank`);
  const seen = await page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) return undefined;
    const { vendor, architecture, description } = adapter.info;
    return { adapter: { vendor, architecture, description }, features: [...adapter.features] as string[] };
  });
  const cdp = await page.cdp();
  const { product } = await cdp.send('Browser.getVersion');
  await page.close();
  if (!seen) throw new Error('The browser has no WebGPU adapter.');
  const processors = cpus();
  const system = `${platform()} ${arch()}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`;
  return {
    described: { date: new Date().toISOString().slice(0, 10), adapter: seen.adapter, browser: product, system },
    features: new Set(seen.features),
  };
}
