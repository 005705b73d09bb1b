// Random cases of every operator against its reference: in Node on Dawn, and a quarter as many in each browser. They
// are the same at every run:
//
//   LEPTON_SEED   another number draws other ones; a failure names the one to give
//   LEPTON_RUNS   how many of each operator; default 8

import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Device, openDevice } from '../../src/gpu/device';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { describeDawn } from '../support/dawn';
import { casesOf } from './cases';
import { checkProperty } from './properties';

const seed = Number(process.env.LEPTON_SEED ?? 1);
const runs = Number(process.env.LEPTON_RUNS ?? 8);
/** Leaves a failure time to shrink. */
const limit = 60_000;

describeDawn('random cases of operators', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });

  it.each([...casesOf.keys()])('%s', async (op) => {
    const problem = await checkProperty(device, op, { seed, runs, limit });
    if (problem) expect.fail(problem);
  });
});

describeBrowsers('random cases of operators', (browser) => {
  let page: TestPage;
  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
  });
  afterAll(() => page.close());

  it.each([...casesOf.keys()])('%s', async (op) => {
    const problem: string | null = await page.evaluate(
      async ({ url, op, options }) => (await import(/* @vite-ignore */ url)).checkRandomCases(op, options),
      { url: '/e2e/ops/page.ts', op, options: { seed, runs: Math.ceil(runs / 4), limit } },
    );
    if (problem) expect.fail(problem);
  });
});
