// The digits page in real browsers: it reads what is drawn, trains with live curves, pauses and goes on, learns from a
// correction, hands out its network, and comes back as it was left.

import { expect, it } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import type { TestPage } from '../support/browsers';
import { ortRun } from '../support/oracle';
import { temporaryFiles } from '../support/temporary-files';
import { downloaded, says, text } from './page-text';
import { describeSite } from './site';

const answered = 90_000;
const one = [
  [0.5, 0.2],
  [0.51, 0.4],
  [0.53, 0.6],
  [0.54, 0.8],
] as const;

describeSite('digits page', (openPage) => {
  const open = async (): Promise<TestPage> => {
    const page = await openPage('digits.html');
    await untilReady(page);
    return page;
  };

  it('reads what is drawn', async () => {
    const page = await open();
    expect(await text(page, 'headline')).toBe('Draw a digit');
    await draw(page, one);
    await page.waitForFunction(says, ['headline', '^It is a 1$'], answered);
    expect(await text(page, 'scores')).toMatch(/^0.*1(100|9\d(\.\d)?) %2/);
    await page.click('#clear');
    await page.waitForFunction(says, ['headline', '^Draw a digit$']);
    await page.click('#write');
    await page.waitForFunction(says, ['headline', '^It is a \\d$'], answered);
    expect(page.errors).toEqual([]);
  });

  it('trains, pauses, is corrected, hands out ONNX, and is there again on the next visit', async () => {
    const page = await open();
    await page.click('#fresh');
    await page.waitForFunction(says, ['fact-origin', '^Random$'], answered);
    await untilReady(page);
    await page.click('#train');
    await page.waitForFunction(counts, 5, answered);
    const first = Number(await text(page, 'fact-loss'));
    await page.waitForFunction(counts, 45, answered);
    expect(Number(await text(page, 'fact-loss'))).toBeLessThan(first - 0.1);
    expect(await text(page, 'fact-rate')).toMatch(/^[\d.]+ batches\/s$/);
    await page.waitForFunction(() =>
      document.getElementById('curve-loss')?.getAttribute('aria-label')?.startsWith('Loss over'),
    );
    expect(await inked(page, 'curve-loss')).toBeGreaterThan(100);

    await page.click('#pause');
    await page.waitForFunction(says, ['train-status', '^Paused$']);
    await page.waitForFunction(says, ['kept-note', 'Last saved'], answered);
    // Batches that were sent before still arrive.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    const paused = await text(page, 'fact-batches');
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    expect(await text(page, 'fact-batches')).toBe(paused);

    await draw(page, one);
    await page.waitForFunction(says, ['headline', '^It is a \\d$'], answered);
    const wrong = (await text(page, 'headline')).endsWith('7') ? 9 : 7;
    await page.click(`#keys button:nth-child(${wrong + 1})`);
    await page.waitForFunction(says, ['lesson', `it reads this as a ${wrong} now`], answered);
    await page.waitForFunction(says, ['headline', `^It is a ${wrong}$`], answered);

    await page.click('#pause');
    await page.waitForFunction(counts, Number(paused) + 3, answered);
    await page.click('#stop');
    await page.waitForFunction(says, ['train-status', '^Stopped after'], answered);

    const onnx = await downloaded(page);
    await untilReady(page);
    expect(await answers(page, onnx)).toBe(10);
    const outputs = await ortRun(Uint8Array.from(onnx), { input: ndarray('float32', [1, 28, 28, 1]) });
    expect(Object.values(outputs)[0]?.dims).toEqual([1, 10]);

    const batches = await text(page, 'fact-batches');
    await page.reload();
    await untilReady(page);
    expect(await text(page, 'train-status')).toContain(`last visit, after ${batches} batches and 1 correction`);
    expect(await text(page, 'fact-origin')).toBe('Your own');
    await draw(page, one);
    await page.waitForFunction(says, ['headline', `^It is a ${wrong}$`], answered);
    await page.click('#train');
    await page.waitForFunction(counts, Number(batches) + 3, answered);
    await page.click('#stop');
    await page.waitForFunction(says, ['train-status', '^Stopped after'], answered);

    await page.click('#forget');
    await page.waitForFunction(says, ['fact-origin', '^As shipped$'], answered);
    await untilReady(page);
    await page.waitForFunction(says, ['headline', '^It is a 1$'], answered);
    expect(page.errors).toEqual([]);
  });

  it('trains on test files that come alone', async () => {
    const page = await open();
    await page.setInputFiles('#idx-files', idxFiles(60));
    await page.waitForFunction(says, ['source-note', 't10k-images-idx3-ubyte, t10k-labels-idx1-ubyte']);
    expect(await page.evaluate(() => document.getElementById('alert')?.hidden)).toBe(true);
    await page.click('#train');
    await page.waitForFunction(counts, 3, answered);
    await page.click('#stop');
    await page.waitForFunction(says, ['train-status', '^Stopped after'], answered);
    expect(page.errors).toEqual([]);
  });

  it('says what is wrong with files', async () => {
    const page = await open();
    await page.setInputFiles('#idx-files', [new URL('../../public/icon.svg', import.meta.url).pathname]);
    await page.waitForFunction(() => !document.getElementById('alert')?.hidden);
    expect(await text(page, 'alert-message')).toContain('one of labels');
  });

  it('fits a phone, and can be used by keyboard', async () => {
    const page = await open();
    await page.setViewport(360, 740);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const stops: string[] = [];
    while (stops.at(-1) !== 'forget' && stops.length < 30) {
      await page.press('Tab');
      stops.push(await page.evaluate(() => document.activeElement?.id ?? ''));
    }
    for (const id of ['theme', 'clear', 'write', 'download', 'train', 'source', 'idx-files', 'fresh', 'forget']) {
      expect(stops).toContain(id);
    }
  });
});

describeSite(
  'digits page without a GPU',
  (open) => {
    it('reads on the CPU, and says that it cannot train', async () => {
      const page = await open('digits.html');
      await page.waitForFunction(() => document.getElementById('alert-cpu')?.hidden === false, undefined, answered);
      await page.click('#alert-cpu');
      await untilReady(page);
      await draw(page, one);
      await page.waitForFunction(says, ['headline', '^It is a 1$'], answered);
      expect(await text(page, 'train-status')).toContain('needs a GPU');
      const disabled = ['train', 'teach', 'fresh', 'forget'];
      const off = (ids: string[]) => ids.filter((id) => (document.getElementById(id) as HTMLButtonElement).disabled);
      expect(await page.evaluate(off, disabled)).toEqual(disabled);
    });
  },
  { webgpu: false },
);

/** Two files as MNIST's test digits come: their heads, and grey of all shades. */
function idxFiles(count: number): string[] {
  const idx = (dims: readonly number[]) => {
    const head = Buffer.alloc(4 + 4 * dims.length);
    head.set([0, 0, 8, dims.length]);
    dims.forEach((size, axis) => {
      head.writeUInt32BE(size, 4 + 4 * axis);
    });
    const values = Buffer.from(Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i % 10));
    return Buffer.concat([head, values]);
  };
  return temporaryFiles({ 't10k-images-idx3-ubyte': idx([count, 28, 28]), 't10k-labels-idx1-ubyte': idx([count]) });
}

/** In the page: so many batches are done. */
function counts(batches: number): boolean {
  return Number(document.getElementById('fact-batches')?.textContent) >= batches;
}

async function untilReady(page: TestPage): Promise<void> {
  await page.waitForFunction(
    () => !(document.getElementById('download') as HTMLButtonElement | null)?.disabled,
    undefined,
    answered,
  );
}

/** Draws on a cleared sheet. @param points in widths of the sheet */
async function draw(page: TestPage, points: readonly (readonly [number, number])[]): Promise<void> {
  await page.click('#clear');
  await page.evaluate((list) => {
    const pad = document.getElementById('pad') as HTMLCanvasElement;
    const { left, top, width, height } = pad.getBoundingClientRect();
    const fire = (type: string, [x, y]: readonly [number, number]) =>
      pad.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, clientX: left + x * width, clientY: top + y * height, bubbles: true }),
      );
    fire('pointerdown', list[0]!);
    for (const point of list.slice(1)) fire('pointermove', point);
    fire('pointerup', list.at(-1)!);
  }, points);
}

/** Pixels of a canvas that are drawn on. */
function inked(page: TestPage, id: string): Promise<number> {
  return page.evaluate((name) => {
    const canvas = document.getElementById(name) as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  }, id);
}

/** Numbers that the model answers when the library loads it. */
function answers(page: TestPage, onnx: readonly number[]): Promise<number> {
  return page.evaluate(async (bytes) => {
    const { load, Tensor } = (await import('/dist/lepton.mjs' as string)) as typeof import('../../src/api');
    const model = await load(Uint8Array.from(bytes));
    const feed = new Tensor('float32', new Float32Array(784), [1, 28, 28, 1]);
    const [output] = Object.values(await model.run({ [model.inputs[0]!.name]: feed }));
    await model.dispose();
    return output!.data.length;
  }, onnx);
}
