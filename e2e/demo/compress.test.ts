// The page of smaller networks in real browsers: the slider and the precision change download, time and accuracy, the chart
// fills, and what it hands out is a model.

import { expect, it } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import type { TestPage } from '../support/browsers';
import { makeModel, tensorOf } from '../support/onnx-writer';
import { ortRun } from '../support/oracle';
import { temporaryFiles } from '../support/temporary-files';
import { downloaded, says, text } from './page-text';
import { describeSite } from './site';

const measured = 90_000;

describeSite('page of smaller networks', (open) => {
  it('measures what zeros and precision make of a network', async () => {
    const page = await open('compress.html');
    await hasMeasured(page);
    expect(await numberIn(page, 'fact-quality')).toBeGreaterThan(97);
    expect(await numberIn(page, 'fact-size-note')).toBe(100);

    await choose(page, 'zeros', '90');
    await hasMeasured(page);
    expect(await text(page, 'zeros-shown')).toBe('90 %');
    expect(await numberIn(page, 'fact-size-note')).toBeLessThan(25);
    expect(await text(page, 'fact-weights-note')).toBe('of 535,040');
    const sparse = await numberIn(page, 'fact-size-note');

    await choose(page, 'precision', 'int8');
    await hasMeasured(page);
    expect(await numberIn(page, 'fact-size-note')).toBeLessThan(sparse);
    expect(await text(page, 'chart')).toBe('');
    expect(await page.evaluate(() => document.getElementById('chart')?.getAttribute('aria-label'))).toMatch(
      /^1 points?\. At 90 %/,
    );

    const onnx = await downloaded(page);
    const outputs = await ortRun(Uint8Array.from(onnx), { input: ndarray('float32', [1, 28, 28, 1]) });
    expect(Object.values(outputs)[0]?.dims).toEqual([1, 10]);
    expect(page.errors).toEqual([]);
  });

  it('makes a network smaller that it has no inputs for, and says what stays open', async () => {
    const page = await open('compress.html');
    await page.setInputFiles('#model-file', temporaryFiles({ 'stateful.onnx': statefulModel() }));
    await page.waitForFunction(says, ['status', 'knows rows of samples only'], measured);
    expect(await text(page, 'fact-weights-note')).toBe('of 2,048');
    expect([await text(page, 'fact-time'), await text(page, 'fact-quality')]).toEqual(['–', '–']);
    expect((await downloaded(page)).length).toBeGreaterThan(8000);
  });

  it('fits a phone', async () => {
    const page = await open('compress.html');
    await page.setViewport(360, 740);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it('says what is wrong with a file, under whose name nothing of the network before stays', async () => {
    const page = await open('compress.html');
    await hasMeasured(page);
    await page.setInputFiles('#model-file', [new URL('../../public/icon.svg', import.meta.url).pathname]);
    await page.waitForFunction(() => !document.getElementById('alert')?.hidden, undefined, measured);
    expect(await text(page, 'alert-title')).toBe('This is not a model');
    expect(await text(page, 'fact-size')).toBe('–');
    expect(await page.evaluate(() => document.getElementById('chart')?.getAttribute('aria-label'))).toBe(
      'Nothing is measured yet',
    );
    const buttons = ['sweep', 'download', 'report'];
    expect(
      await page.evaluate(
        (ids) => ids.map((id) => (document.getElementById(id) as HTMLButtonElement).disabled),
        buttons,
      ),
    ).toEqual([true, true, true]);
  });
});

describeSite(
  'page of smaller networks without a GPU',
  (open) => {
    it('shows sizes, and hands out the file', async () => {
      const page = await open('compress.html');
      await page.waitForFunction(says, ['status', 'no GPU here'], measured);
      await choose(page, 'zeros', '90');
      await page.waitForFunction(says, ['status', 'no GPU here'], measured);
      expect(await numberIn(page, 'fact-size-note')).toBeLessThan(25);
      expect((await downloaded(page)).length).toBeGreaterThan(100_000);
      expect(await page.evaluate(() => document.getElementById('alert')?.hidden)).toBe(true);
    });
  },
  { webgpu: false },
);

/** As networks over time are: a state beside the input, and no samples along a common axis. */
function statefulModel(): Uint8Array {
  const weights = Float32Array.from({ length: 64 * 32 }, (_, i) => Math.sin(i));
  return makeModel({
    inputs: [
      { name: 'x', dtype: 'float32', shape: [1, 64] },
      { name: 'state', dtype: 'float32', shape: [2, 32] },
    ],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2, 32] }],
    initializers: [tensorOf('w', ndarray('float32', [64, 32], weights))],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Add', inputs: ['state', 'h'], outputs: ['y'] },
    ],
  });
}

/** Waits until the page has measured what is chosen. What it could not do instead is in the failure. */
async function hasMeasured(page: TestPage): Promise<void> {
  const isDone = () =>
    /^Measured/.test(document.getElementById('status')?.textContent ?? '') || !document.getElementById('alert')?.hidden;
  await page.waitForFunction(isDone, undefined, measured);
  expect(await text(page, 'alert-message')).toBe('');
}

async function numberIn(page: TestPage, id: string): Promise<number> {
  return Number.parseFloat(await text(page, id));
}

/** Sets a control as a visitor would, and waits until the page has noticed. */
async function choose(page: TestPage, id: string, value: string): Promise<void> {
  await page.evaluate(
    ([name, to]) => {
      const control = document.getElementById(name as string) as HTMLInputElement;
      control.value = to as string;
      document.getElementById('status')!.textContent = '';
      control.dispatchEvent(new Event(control.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
    },
    [id, value],
  );
}
