// The demo page in real browsers, with what ships in public/ alone: it finds the shapes that its sample
// pictures were drawn with, takes files, says what failed, and can be used by keyboard and on a phone.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { TestPage } from '../support/browsers';
import { temporaryFiles } from '../support/temporary-files';
import { drawSamples, truthOf } from './glyphs/samples';
import { says, text } from './page-text';
import { describeSite } from './site';

const publicFile = (path: string) => fileURLToPath(new URL(`../../public/${path}`, import.meta.url));
const answered = 90_000;

describeSite('demo page', (open) => {
  it('opens with its own model and finds the shapes that are in the picture', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    expect(mistakes(await found(page), truthOf(drawSamples()[0]!))).toEqual([]);
    expect(await text(page, 'fact-origin')).toBe('Network');
    expect(await text(page, 'fact-first')).toMatch(/\d m?s$/);
    expect(page.errors).toEqual([]);
  });

  it('takes the weights from IndexedDB on a second visit', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    await page.reload();
    await untilMeasured(page);
    expect(await text(page, 'fact-origin')).toBe('IndexedDB');
    // The storage is asked after the answer is shown.
    await page.waitForFunction(() => document.getElementById('storage-note')?.textContent?.startsWith('1 model, '));
    await page.click('#forget');
    await page.waitForFunction(() => document.getElementById('storage-note')?.textContent?.startsWith('Nothing yet'));
  });

  it('?check=1 leaves its result where a script can read it', async () => {
    const page = await open('index.html?check=1');
    await page.waitForFunction(() => document.documentElement.dataset.check, undefined, answered);
    const result = await page.evaluate(() => globalThis.__leptonCheck);
    expect(result).toMatchObject({ ok: true, origin: 'network', answer: expect.stringMatching(/^\d+ shapes: /) });
    expect(result?.timings.firstAnswer).toBeGreaterThan(0);
  });

  it('takes a model and a picture as files', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    await page.setInputFiles('#picture-file', [publicFile('pictures/shapes-2.png')]);
    await page.waitForFunction(
      () => document.getElementById('status')?.textContent === 'shapes-2.png',
      undefined,
      answered,
    );
    expect(mistakes(await found(page), truthOf(drawSamples()[1]!))).toEqual([]);
    await page.setInputFiles('#model-file', [publicFile('models/glyphs.onnx')]);
    await page.waitForFunction(
      () => document.getElementById('fact-origin')?.textContent === 'Your file',
      undefined,
      answered,
    );
  });

  it('loads again what was cancelled, and answers for the picture that is chosen meanwhile', async () => {
    const page = await open('index.html');
    await page.waitForFunction(() => document.getElementById('cancel')?.hidden === false);
    await page.evaluate(() => {
      document.getElementById('cancel')?.focus();
      document.getElementById('cancel')?.click();
    });
    await page.waitForFunction(() => document.activeElement?.id === 'again');
    expect(await text(page, 'headline')).toBe('Cancelled');
    await page.waitForFunction(() => document.querySelectorAll('#pictures button').length === 3);
    const before = await page.evaluate(() => {
      document.getElementById('again')?.click();
      (document.querySelectorAll('#pictures button')[1] as HTMLButtonElement).click();
      const { disabled } = document.getElementById('camera') as HTMLButtonElement;
      return { headline: document.getElementById('headline')?.textContent, disabled };
    });
    expect(before).toEqual({ headline: 'Loading', disabled: true });
    await untilMeasured(page);
    expect(await page.evaluate(() => document.getElementById('again')?.hidden)).toBe(true);
    expect(await text(page, 'status')).toBe('shapes 2');
    expect(mistakes(await found(page), truthOf(drawSamples()[1]!))).toEqual([]);
    expect(await page.evaluate(() => (document.getElementById('camera') as HTMLButtonElement).disabled)).toBe(false);
  });

  it('says what is wrong with a file, and goes on', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    await page.setInputFiles('#model-file', temporaryFiles({ 'broken.onnx': 'this is no model' }));
    await page.waitForFunction(() => !document.getElementById('alert')?.hidden, undefined, answered);
    expect(await text(page, 'alert-code')).toBe('INVALID_MODEL');
    expect((await text(page, 'alert-advice')).length).toBeGreaterThan(10);
    await choose(page, 'glyphs');
    await untilMeasured(page);
    expect(await page.evaluate(() => document.getElementById('alert')?.hidden)).toBe(true);
  });

  it('keeps its pictures when one cannot be opened, takes one model at a time, and notices what another tab forgets', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    await page.setInputFiles('#picture-file', temporaryFiles({ 'broken.png': 'this is no picture' }));
    await page.waitForFunction(says, ['alert-message', 'not a picture']);
    expect(await page.evaluate(() => document.querySelectorAll('#pictures button').length)).toBe(3);
    expect(mistakes(await found(page), truthOf(drawSamples()[0]!))).toEqual([]);
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      for (const name of ['one.onnx', 'two.onnx']) dataTransfer.items.add(new File(['x'], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await page.waitForFunction(says, ['alert-message', 'one model and one picture at a time.*one.onnx, two.onnx']);
    await page.waitForFunction(says, ['storage-note', '^1 model, ']);
    await page.evaluate(async () => {
      const { cache } = (await import('/dist/lepton.mjs' as string)) as typeof import('../../src/api');
      await cache.clear();
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.waitForFunction(says, ['storage-note', '^Nothing yet']);
  });

  it('can be used by keyboard', async () => {
    const page = await open('index.html');
    await untilMeasured(page);
    const stops: { id: string; ringed: boolean }[] = [];
    for (let i = 0; i < 18; i++) {
      await page.press('Tab');
      const stop = await page.evaluate(focused);
      if (stop.id === 'theme') await page.press('Enter');
      stops.push(stop);
    }
    const controls = ['theme', 'shapes 1', 'picture-file', 'camera', 'sample', 'model-file', 'profile', 'forget'];
    for (const id of controls) expect(stops, id).toContainEqual({ id, ringed: true });
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toMatch(/^(dark|light)$/);
  });

  it('fits a phone, in light and in dark', async () => {
    const page = await open('index.html');
    await page.setViewport(360, 740);
    await untilMeasured(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await ground();
    await page.click('#theme');
    expect(await ground()).not.toBe(before);
  });
});

describeSite(
  'demo page without a GPU',
  (open) => {
    it('asks before it uses the CPU, and remembers the answer', async () => {
      const page = await open('index.html');
      await page.waitForFunction(() => document.getElementById('alert-cpu')?.hidden === false, undefined, answered);
      expect(await text(page, 'alert-message')).not.toContain('backend');
      await page.click('#alert-cpu');
      await page.waitForFunction(says, ['status', '^shapes 1$'], answered);
      expect(await text(page, 'fact-backend')).toBe('CPU');
      await page.setInputFiles('#model-file', [publicFile('models/glyphs.onnx')]);
      await page.waitForFunction(says, ['fact-origin', '^Your file$'], answered);
      expect(await text(page, 'fact-backend')).toBe('CPU');
      expect(await page.evaluate(() => document.getElementById('alert')?.hidden)).toBe(true);
    });
  },
  { webgpu: false },
);

/** The first answer is there, and the later runs and the profile are done. */
async function untilMeasured(page: TestPage): Promise<void> {
  await page.waitForFunction(
    () => !(document.getElementById('profile') as HTMLButtonElement | null)?.disabled,
    undefined,
    answered,
  );
}

async function choose(page: TestPage, id: string): Promise<void> {
  await page.evaluate((value) => {
    const select = document.getElementById('sample') as HTMLSelectElement;
    select.value = value;
    select.dispatchEvent(new Event('change'));
  }, id);
}

/** In the page: what has the focus, and whether it (or its label, for a hidden file input) shows that. */
function focused(): { id: string; ringed: boolean } {
  const element = document.activeElement as HTMLElement;
  const shown = element.closest('label') ?? element;
  return { id: element.id || (element.dataset.title ?? ''), ringed: getComputedStyle(shown).outlineStyle !== 'none' };
}

/** The boxes that the canvas's description names. */
async function found(page: TestPage): Promise<Place[]> {
  const sentence = await page.evaluate(() => document.getElementById('canvas')?.getAttribute('aria-label') ?? '');
  return [...sentence.matchAll(/(\w+) [\d.]+ at \((\d+), (\d+)\)/g)].map(([, label, x, y]) => ({
    label: label!,
    x: Number(x),
    y: Number(y),
  }));
}

interface Place {
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

/** Glyphs not found with their class within 8 pixels, and boxes where there is no such glyph. */
function mistakes(boxes: readonly Place[], truth: readonly Place[]): Place[] {
  const near = (a: Place) => (b: Place) => a.label === b.label && Math.hypot(a.x - b.x, a.y - b.y) < 8;
  return [...truth.filter((glyph) => !boxes.some(near(glyph))), ...boxes.filter((box) => !truth.some(near(box)))];
}
