// The picture of the results: chart.js in a page of the same browser, and a screenshot of it.

import type { TestBrowser } from '../support/open-browser';
import type { TestServer } from '../support/server';
import type { Picture } from './pages/picture';
import { type BenchResults, isTimed, type RuntimeName, rowsOf } from './results';

declare const draw: (picture: Picture) => void;

const colours: Readonly<Record<RuntimeName, string>> = {
  lepton: '#d1495b',
  'ort-webgpu': '#2e6f95',
  'ort-wasm': '#9bb8c9',
  'tfjs-webgpu': '#edae49',
  'jax-webgpu': '#66a182',
};
const [width, barHeight, margin] = [1100, 9, 150];

/** @param server one that has the built page script at /picture/page.js */
export async function takePicture(
  results: BenchResults,
  runtimes: readonly RuntimeName[],
  { browser, server, path }: { browser: TestBrowser; server: TestServer; path: string },
): Promise<void> {
  const rows = rowsOf(results);
  const { adapter, date } = results;
  const picture: Picture = {
    title: `Time of a run on ${adapter.vendor} ${adapter.architecture}, ${date}`,
    labels: rows.map(({ name }) => name),
    series: runtimes.map((runtime) => ({
      name: runtime,
      colour: colours[runtime],
      values: rows.map(({ results }) => {
        const result = results[runtime];
        return isTimed(result) ? result.median : null;
      }),
    })),
  };
  const height = margin + rows.length * (runtimes.length + 1.5) * barHeight;
  await takeScreenshot('picture', (picture) => draw(picture), picture, { browser, server, path, width, height });
}

export interface Shot {
  readonly browser: TestBrowser;
  readonly server: TestServer;
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

/** @param name of the page script, which the server has at /NAME/page.js and which `show` calls in the page */
export async function takeScreenshot<T>(
  name: string,
  show: (what: T) => void,
  what: T,
  { browser, server, path, width, height }: Shot,
): Promise<void> {
  const page = await browser.newPage();
  await page.setViewport(width, Math.ceil(height));
  const style = `body{margin:0;background:#fff;width:${width}px;height:${Math.ceil(height)}px}`;
  server.put(`/${name}.html`, {
    text: `<!doctype html><meta charset="utf-8"><style>${style}</style><script type="module" src="/${name}/page.js"></script>`,
    headers: { 'Content-Type': 'text/html' },
  });
  await page.goto(`${server.url}/${name}.html`);
  await page.waitForFunction(() => 'draw' in globalThis);
  await page.evaluate(show, what);
  await page.screenshot({ path });
  await page.close();
}
