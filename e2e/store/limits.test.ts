// The weight store at its limits: the origin's quota, as estimated and as the browser enforces it, and the
// JS heap, which must not grow with the file.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bench, bytes, content, describeStore, digest, failure, size, value } from './bench';

// Firefox grants one site a fifth of the limit given here in KiB, but no less than 10 MiB.
const tightFirefox = { 'dom.quotaManager.temporaryStorage.fixedLimit': 51_200 };

// On disk, because Chromium's private windows do not free what is removed.
const profile = mkdtempSync(join(tmpdir(), 'lepton-store-'));
afterAll(() => rmSync(profile, { recursive: true, force: true }));

const names = ['a', 'b', 'c'].map((name) => `/files/${name}.bin`);

function urlsOf(bench: Bench): [string, string, string] {
  return names.map((name) => bench.server.url + name) as [string, string, string];
}

const stored = async (bench: Bench) => (await bench.list()).map((file) => file.url);

describeStore('weight store: limits', (bench) => {
  describe('the estimated quota', () => {
    test('makes what was used longest ago go, but nothing that is open', async () => {
      await bench.setUp({ now: 1000 });
      for (const name of names) bench.put({}, name);
      bench.put();
      const [a, b, c] = urlsOf(bench);
      for (const url of [b, c, a]) await bench.load(url);
      value(await bench.page.evaluate((url) => driver.open('in use', url), b));
      await bench.load(c);
      await bench.load(a);
      await bench.setUp({ now: 2000, estimate: { quota: 10 * size, usage: 9 * size + 5 } });
      await bench.expectDownload();
      expect((await stored(bench)).sort()).toEqual([a, b, bench.url].sort());
      await bench.page.evaluate(() => driver.close('in use'));
      await bench.remove();
      await bench.setUp({ now: 3000, estimate: { quota: 10 * size, usage: 9 * size + 5 } });
      await bench.expectDownload();
      expect((await stored(bench)).sort()).toEqual([a, bench.url].sort());
    });

    test('makes unfinished downloads go too', async () => {
      await bench.interrupt(size - 1);
      bench.put({}, names[0]);
      await bench.setUp({ now: Date.now() + 1000, estimate: { quota: 10 * size, usage: 9 * size + 5 } });
      await bench.expectDownload(bytes, urlsOf(bench)[0]);
      expect(await bench.usage()).toMatchObject({ bytes: size, files: 1 });
    });

    test('too small is STORAGE_QUOTA, says how much was needed, keeps nothing and removes nothing', async () => {
      bench.put({}, names[0]);
      bench.put();
      const [a] = urlsOf(bench);
      await bench.load(a);
      await bench.setUp({ estimate: { quota: 10 * size, usage: 10 * size + 5 } });
      const { code, details, message } = failure(await bench.open('x'));
      expect(code).toBe('STORAGE_QUOTA');
      expect(details).toMatchObject({ url: bench.url, needed: size });
      for (const part of [bench.url, `${size} bytes`, 'cache: false']) expect(message).toContain(part);
      expect(await stored(bench)).toEqual([a]);
      expect(await bench.chunks()).toBe(11);
      expect(value(await bench.load(bench.url, { cache: false })).sha256).toBe(digest(bytes));
    });
  });

  describe('the heap', () => {
    test('holds a few chunks, whatever the size of the file', async ({ skip }) => {
      if (bench.browser.name !== 'chromium') skip('only Chromium tells the size of array buffers');
      const length = 64 << 20;
      const large = Buffer.alloc(length, content(6));
      bench.put({ bytes: large });
      await bench.setUp({ chunkBytes: 4 << 20 });
      const cdp = await bench.page.cdp();
      let peak = 0;
      let polling = true;
      const poll = async () => {
        while (polling) {
          const usage: unknown = await cdp.send('Runtime.getHeapUsage');
          peak = Math.max(peak, (usage as { backingStorageSize: number }).backingStorageSize);
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
      };
      const polled = poll();
      await bench.expectDownload(large);
      await bench.expectStored(large);
      polling = false;
      await polled;
      expect(peak).toBeGreaterThan(4 << 20);
      expect(peak).toBeLessThan(32 << 20);
    });
  });
});

describeStore(
  'weight store: the enforced quota',
  (bench) => {
    const part = content(3, 3 << 20);

    test('makes room while the browser refuses to store, and ends in STORAGE_QUOTA', async () => {
      if (bench.browser.name === 'chromium') {
        // Before the first write, because Chromium remembers for a while how much room there was.
        const cdp = await (await bench.newTab()).cdp();
        await cdp.send('Storage.overrideQuotaForOrigin', { origin: bench.server.url, quotaSize: 10 << 20 });
      }
      // Without an estimate, only the browser's refusal tells.
      await bench.setUp({ chunkBytes: 1 << 20, estimate: null, now: 1000 });
      const [a, b, c] = urlsOf(bench);
      for (const name of names) bench.put({ bytes: part }, name);
      for (const url of [a, b, c]) await bench.expectDownload(part, url);
      // Firefox frees a removed Blob only when no page has a handle of it any more.
      await bench.revisit();
      await bench.setUp({ chunkBytes: 1 << 20, estimate: null, now: 2000 });
      value(await bench.page.evaluate((url) => driver.open('in use', url), a));
      const large = content(4, 6 << 20);
      bench.put({ bytes: large });
      await bench.expectDownload(large);
      expect((await stored(bench)).sort()).toEqual([a, bench.url].sort());

      // With everything in use there is nothing to wait for.
      value(await bench.open('in use too'));
      await bench.setUp({ chunkBytes: 1 << 20, estimate: null, now: 3000 });
      bench.put({ bytes: content(5, 20 << 20) }, '/files/huge.bin');
      const error = failure(await bench.load(`${bench.server.url}/files/huge.bin`));
      expect(error.code).toBe('STORAGE_QUOTA');
      expect(error.details).toMatchObject({ needed: 20 << 20 });
      expect((await stored(bench)).sort()).toEqual([a, bench.url].sort());
      expect(await bench.chunks()).toBe(9);
      await bench.page.evaluate(() => driver.close('in use'));
    });
  },
  { prefs: tightFirefox, profile },
);
