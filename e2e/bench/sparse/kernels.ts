// The page that times the kernels of a shape's weights alone, and what the command asks of it.

import type { TestBrowser } from '../../support/open-browser';
import type { KernelsPage } from '../pages/sparse-kernels';
import { firstLine, limited } from '../runtime-page';
import { median } from '../statistics';

declare const kernels: KernelsPage;

/** Repeated within a pass, dispatches vary less than runs do. */
const mostRounds = 3;

const openLimit = 180_000;
const roundLimit = 90_000;

/** Milliseconds of each case's kernels, or why there are none. */
export type KernelTimes = readonly number[] | { readonly problem: string };

/** Opens a page for the cases in `folders`; every round times each of them once, and the medians count. */
export async function timeKernels(
  { browser, url }: { readonly browser: TestBrowser; readonly url: string },
  folders: readonly string[],
  rounds: number,
): Promise<KernelTimes> {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction(() => 'kernels' in globalThis);
    await limited(
      page.evaluate((folders) => kernels.open(folders), folders),
      openLimit,
    );
    const times: number[][] = folders.map(() => []);
    for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
      const found = await limited(
        page.evaluate((first) => kernels.time(first), round),
        roundLimit,
      );
      for (const [i, time] of found.entries()) times[i]?.push(time);
    }
    return times.map(median);
  } catch (error) {
    return { problem: firstLine(error) };
  } finally {
    await page.close();
  }
}
