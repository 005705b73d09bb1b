// The picture of the crossover: how many times faster than dense weights a product runs, by the share of zeros.

import type { TestBrowser } from '../../support/open-browser';
import type { TestServer } from '../../support/server';
import type { Lines } from '../pages/crossover';
import type { SparseResult } from './run';
import { timeOf } from './table';

declare const drawLines: (lines: Lines) => void;

const [width, height] = [1100, 640];
const colours = ['#d1495b', '#2e6f95', '#edae49', '#66a182', '#7d4f9e', '#8d6346', '#5b6770', '#c45ab3'];

/** Of lines that have a colour in common. */
const dashes = [[], [7, 4], [2, 3]];

/** @param server one that has the built page script at /crossover/page.js */
export async function takeCrossover(
  results: readonly SparseResult[],
  title: string,
  { browser, server, path }: { browser: TestBrowser; server: TestServer; path: string },
): Promise<void> {
  const lines: Lines = { title, series: seriesOf(results) };
  const page = await browser.newPage();
  await page.setViewport(width, height);
  const style = `body{margin:0;background:#fff;width:${width}px;height:${height}px}`;
  server.put('/crossover.html', {
    text: `<!doctype html><meta charset="utf-8"><style>${style}</style><script type="module" src="/crossover/page.js"></script>`,
    headers: { 'Content-Type': 'text/html' },
  });
  await page.goto(`${server.url}/crossover.html`);
  await page.waitForFunction(() => 'drawLines' in globalThis);
  await page.evaluate((lines) => drawLines(lines), lines);
  await page.screenshot({ path });
  await page.close();
}

/** A line for each shape that was measured at several shares of zeros. */
function seriesOf(results: readonly SparseResult[]): Lines['series'] {
  const lines = results.flatMap(({ shape, dense, levels }) => {
    const own = timeOf(dense.lepton.result);
    const points = levels.flatMap(({ structure, zeros, result }) => {
      const time = timeOf(result);
      return structure === 'random' && own !== undefined && time !== undefined
        ? [{ x: 100 * zeros, y: own / time }]
        : [];
    });
    return points.length > 1 ? [{ name: shape, points }] : [];
  });
  return lines.map((line, i) => ({
    ...line,
    colour: colours[i % colours.length] as string,
    dash: dashes[Math.floor(i / colours.length) % dashes.length] as readonly number[],
  }));
}
