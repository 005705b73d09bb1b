// A browser that is killed in the middle of a save, or a tab that is closed in it: what is loaded afterwards is the model of
// the save before, or the one of this save, whole.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser, wantedBrowsers } from '../support/find-browser';
import { startLeptonServer } from '../support/lepton-page';
import { chromiumArgs } from '../support/open-browser';
import type { TestServer } from '../support/server';

declare const lepton: typeof import('../../src/api') & typeof import('../../src/api/training');
declare let model: import('../../src/api/training').Network;

const executablePath = findBrowser('chromium');
/** Bytes of the weights of the model below. */
const size = 4 * (2 * 1024 * 2048 + 1024 + 2048);

describe.skipIf(!executablePath || !wantedBrowsers().includes('chromium'))('a save that is killed [chromium]', () => {
  let server: TestServer;
  let profile: string;
  let browser: Browser | undefined;
  let page: Page;
  /** What all weights are in the last save that is known to be there. */
  let kept = 1;

  beforeAll(async () => {
    profile = mkdtempSync(join(tmpdir(), 'lepton-profile-'));
    server = await startLeptonServer();
    const scripts = ['lepton.js', 'lepton-training.js'].map((file) => `<script src="/dist/${file}"></script>`);
    const headers = { 'Content-Type': 'text/html' };
    server.put('/train', { text: `<!doctype html><title>Saving</title>${scripts.join('')}`, headers });
    await open();
    await page.evaluate(async () => {
      const { layers, sequential } = lepton;
      const made = sequential([layers.dense({ units: 2048, inputShape: [1024] }), layers.dense({ units: 1024 })]);
      made.compile({ optimizer: { name: 'sgd', learningRate: 0.001 }, loss: 'meanSquaredError' });
      const row = { type: 'float32' as const, dims: [1, 1024], data: new Float32Array(1024).fill(0.1) };
      await made.trainOnBatch(row, row);
      Object.assign(globalThis, { model: made });
    });
    await fill(kept);
    await page.evaluate(() => model.save('indexeddb://large'));
  });
  afterAll(async () => {
    kill();
    await server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  async function open(): Promise<void> {
    browser ??= await puppeteer.launch({
      browser: 'chrome',
      executablePath: executablePath as string,
      userDataDir: profile,
      headless: true,
      args: chromiumArgs(),
    });
    page = await browser.newPage();
    await page.goto(`${server.url}/train`);
  }

  /** With all its processes, and without a word to any of them. */
  function kill(): void {
    const { pid } = browser?.process() ?? {};
    browser = undefined;
    if (pid === undefined) return;
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  }

  function fill(value: number): Promise<void> {
    return page.evaluate(async (all) => {
      const filled = (...dims: number[]) => {
        const data = new Float32Array(dims.reduce((a, b) => a * b)).fill(all);
        return { type: 'float32' as const, dims, data };
      };
      await model.setWeights({
        ...{ 'dense/kernel': filled(1024, 2048), 'dense/bias': filled(2048) },
        ...{ 'dense_1/kernel': filled(2048, 1024), 'dense_1/bias': filled(1024) },
      });
    }, value);
  }

  /** The model of the last save, to go on with: the numbers that are in it. */
  function load(): Promise<number[]> {
    return page.evaluate(async () => {
      Object.assign(globalThis, { model: await lepton.loadModel('indexeddb://large') });
      const weights = Object.values(await model.getWeights());
      return [...new Set(weights.flatMap(({ data }) => [...new Set(data)]))];
    });
  }

  /** Begins to save; answers once so many more bytes are in the database, with what tells how the save goes. */
  async function beginSave(bytes: number): Promise<void> {
    const folder = join(profile, 'Default', 'IndexedDB');
    const before = bytesIn(folder);
    const saving = page.evaluate(() => model.save('indexeddb://large'));
    let ended = false;
    const end = () => {
      ended = true;
    };
    saving.then(end, end);
    while (!ended && bytesIn(folder) < before + bytes) await new Promise((resume) => setImmediate(resume));
  }

  const found: ('old' | 'new')[] = [];
  test.each([
    ['the browser, when the first bytes are written', 1, 'browser'],
    ['the browser, half-way', size / 2, 'browser'],
    ['the browser, when almost all is there', 0.99 * size, 'browser'],
    ['the tab, half-way', size / 2, 'tab'],
  ] as const)('%s', async (_moment, bytes, victim) => {
    await fill(kept + 1);
    await beginSave(bytes);
    if (victim === 'tab') await page.close();
    else kill();
    await open();
    const numbers = await load();
    expect([[kept], [kept + 1]]).toContainEqual(numbers);
    found.push(numbers[0] === kept ? 'old' : 'new');
    kept = numbers[0] as number;
  });

  test('some of them were in the middle', () => {
    expect(found).toHaveLength(4);
    expect(found).toContain('old');
  });
});

function bytesIn(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // What the browser has removed meanwhile counts no more.
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stats?.isFile()) bytes += stats.size;
  }
  return bytes;
}
