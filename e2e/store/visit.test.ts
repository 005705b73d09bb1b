// The weight store when all goes well: what a visit downloads, what the next one does not, how files are
// read while they arrive and afterwards, and how several tabs and workers share them.

import { describe, expect, test } from 'vitest';
import { bytes, chunk, describeStore, digest, failure, otherBytes, size, value } from './bench';

describeStore('weight store', (bench) => {
  describe('visits', () => {
    test('the first visit downloads once; the second makes no request', async () => {
      bench.put();
      await bench.expectDownload();
      expect(bench.server.requests).toEqual([
        { method: 'GET', path: bench.path, range: undefined, ifRange: undefined },
      ]);
      expect(await bench.chunks()).toBe(11);
      await bench.revisit();
      await bench.expectStored();
    });

    test('list, usage, delete and clear go by whole files', async () => {
      await bench.setUp({ now: 1000, estimate: { quota: 1e9, usage: 0 } });
      const other = `${bench.server.url}/files/b.bin`;
      bench.put();
      bench.put({ bytes: otherBytes }, '/files/b.bin');
      expect(await bench.list()).toEqual([]);
      await bench.load();
      await bench.load(other);
      await bench.load(`${bench.url}#fragment`);
      const files = await bench.list();
      expect(files.map((file) => [file.url, file.bytes])).toEqual([
        [other, size],
        [bench.url, size],
      ]);
      expect(files[1]!.storedAt).toBe(1000);
      expect(files[1]!.lastUsedAt).toBeGreaterThan(files[0]!.lastUsedAt);
      expect(await bench.usage()).toEqual({ bytes: 2 * size, quota: 1e9, files: 2 });
      expect(await bench.remove()).toBe(true);
      expect(await bench.remove()).toBe(false);
      expect((await bench.list()).length).toBe(1);
      expect(await bench.chunks()).toBe(11);
      await bench.clear();
      expect(await bench.usage()).toEqual({ bytes: 0, quota: 1e9, files: 0 });
      expect(await bench.chunks()).toBe(0);
    });

    test('progress is told in bytes, from either origin', async () => {
      bench.put();
      value(await bench.open('a'));
      value(await bench.complete('a'));
      const network = await bench.page.evaluate(() => driver.progress('a'));
      expect(network[0]).toEqual({ loaded: 0, total: size, origin: 'network' });
      expect(network.at(-1)).toEqual({ loaded: size, total: size, origin: 'network' });
      const loaded = network.map((step) => step.loaded);
      expect(loaded).toEqual([...new Set(loaded)].sort((a, b) => a - b));
      value(await bench.open('b'));
      const fromStore = await bench.page.evaluate(() => driver.progress('b'));
      expect(fromStore).toEqual([{ loaded: size, total: size, origin: 'store' }]);
    });

    test('a body may be of unknown length, or empty', async () => {
      bench.put({ chunked: true });
      expect(value(await bench.open('a')).size).toBeNull();
      value(await bench.complete('a'));
      expect((await bench.page.evaluate(() => driver.state('a'))).size).toBe(size);
      await bench.expectStored();
      const empty = `${bench.server.url}/files/empty`;
      bench.put({ bytes: Buffer.alloc(0) }, '/files/empty');
      await bench.expectDownload(Buffer.alloc(0), empty);
      await bench.expectStored(Buffer.alloc(0), empty);
    });

    test('cache: false neither reads nor writes the store', async () => {
      bench.put();
      const uncached = { origin: 'network', stored: false, size, sha256: digest(bytes) };
      expect(value(await bench.load(bench.url, { cache: false }))).toEqual(uncached);
      expect(await bench.usage()).toMatchObject({ bytes: 0, files: 0 });
      await bench.load();
      expect(value(await bench.load(bench.url, { cache: false }))).toEqual(uncached);
      expect(bench.server.requests.length).toBe(3);
    });

    test('where IndexedDB is forbidden, files load all the same and say that nothing is stored', async () => {
      bench.put({ cors: true });
      // A sandboxed frame has an opaque origin: indexedDB.open throws, locks are refused.
      await bench.page.evaluate(async () => {
        const frame = document.createElement('iframe');
        frame.setAttribute('sandbox', 'allow-scripts');
        frame.srcdoc = `<script type="module">
        await import('${location.origin}/e2e/store/page.ts');
        addEventListener('message', async ({ data: [call, ...args] }) =>
          parent.postMessage({ result: await driver[call](...args) }, '*'));
        parent.postMessage({ result: 'ready' }, '*');
      </script>`;
        const ready = new Promise((resolve) => addEventListener('message', resolve, { once: true }));
        document.body.append(frame);
        await ready;
      });
      const inFrame = (...call: unknown[]) =>
        bench.page.evaluate((call) => {
          const answer = new Promise<unknown>((resolve) => {
            addEventListener('message', ({ data }) => resolve(data.result), { once: true });
          });
          frames[0]!.postMessage(call, '*');
          return answer;
        }, call);
      const loaded = { origin: 'network', stored: false, size, sha256: digest(bytes) };
      expect(await inFrame('load', bench.url)).toEqual({ value: loaded });
      expect(await inFrame('list')).toEqual([]);
      expect(await inFrame('remove', bench.url)).toBe(false);
      expect(await inFrame('usage')).toMatchObject({ bytes: 0, files: 0 });
      await inFrame('clear');
      await bench.page.evaluate(() => document.querySelector('iframe')!.remove());
    });

    test('a database taken away in the middle of a download costs only the storing', async ({ skip }) => {
      if (bench.browser.name !== 'chromium') skip('only Chromium clears a site while its page is open, on request');
      bench.put({ holdAt: 5 * chunk });
      value(await bench.open('a'));
      value(await bench.read('a', 5 * chunk - 1, 1));
      const cdp = await bench.page.cdp();
      await cdp.send('Storage.clearDataForOrigin', { origin: bench.server.url, storageTypes: 'indexeddb' });
      bench.server.release(bench.path);
      value(await bench.complete('a'));
      expect((await bench.page.evaluate(() => driver.state('a'))).stored).toBe(false);
      expect(value(await bench.digest('a'))).toBe(digest(bytes));
      await bench.expectDownload();
      await bench.expectStored();
    });
  });

  describe('reading', () => {
    test('bytes are given as soon as they are there, and waited for before', async () => {
      bench.put({ holdAt: 3 * chunk + 500 });
      expect(value(await bench.open('a'))).toEqual({ origin: 'network', stored: true, size });
      expect(value(await bench.read('a', 0, 8))).toEqual([...bytes.subarray(0, 8)]);
      // Across a finished chunk and the one being gathered.
      expect(value(await bench.read('a', 3 * chunk - 5, 300))).toEqual([
        ...bytes.subarray(3 * chunk - 5, 3 * chunk + 295),
      ]);
      expect(value(await bench.digest('a', 5, 3 * chunk + 500))).toBe(digest(bytes.subarray(5, 3 * chunk + 500)));
      const late = bench.page.evaluate((offset) => driver.readFor('a', offset, 10, 100), 3 * chunk + 495);
      expect(failure(await late).code).toBe('ABORTED');
      const waiting = bench.read('a', size - 4, 100);
      bench.server.release(bench.path);
      expect(value(await waiting)).toEqual([...bytes.subarray(size - 4)]);
      expect(value(await bench.digest('a', 0, 1e9))).toBe(digest(bytes));
      expect(value(await bench.read('a', size, 5))).toEqual([]);
      value(await bench.complete('a'));
    });

    for (const cache of [true, false]) {
      test(`a cancelled download keeps what it had readable (cache: ${cache})`, async () => {
        bench.put({ holdAt: 2 * chunk + 9 });
        value(await bench.open('a', { cache }));
        value(await bench.read('a', 2 * chunk, 9));
        const waiting = bench.read('a', 0, 1e6);
        await bench.page.evaluate(() => driver.cancel('a'));
        expect(failure(await waiting).code).toBe('ABORTED');
        expect(failure(await bench.complete('a')).code).toBe('ABORTED');
        expect(value(await bench.digest('a', 0, 2 * chunk))).toBe(digest(bytes.subarray(0, 2 * chunk)));
        expect(failure(await bench.read('a', 2 * chunk, 9)).code).toBe('ABORTED');
        expect(await bench.list()).toEqual([]);
        expect((await bench.usage()).bytes).toBe(cache ? 2 * chunk : 0);
        await bench.page.evaluate(() => driver.close('a'));
        expect(failure(await bench.read('a', 0, 1)).code).toBe('DISPOSED');
      });
    }

    test('pieces are at most a chunk, of any range, and a stream may be left', async () => {
      bench.put();
      await bench.load();
      value(await bench.open('a'));
      const pieces = await bench.page.evaluate(([a, b]) => driver.pieces('a', a, b), [
        chunk - 1,
        2 * chunk + 7,
      ] as const);
      expect(value(pieces)).toEqual([
        [chunk - 1, 1],
        [chunk, chunk],
        [2 * chunk, 7],
      ]);
      value(await bench.page.evaluate(() => driver.leaveStreams('a', 20, 2)));
      expect(value(await bench.digest('a', 70_000, 400_000))).toBe(digest(bytes.subarray(70_000, 400_000)));
      expect(failure(await bench.read('a', -1, 5)).code).toBe('INVALID_ARGUMENT');
    });

    test('streams that run at the same time do not share buffers', async () => {
      bench.put();
      await bench.load();
      value(await bench.open('a'));
      const ranges = [
        [0, size],
        [chunk + 1, 5 * chunk],
        [3, 9 * chunk],
      ] as const;
      const digests = await bench.page.evaluate(
        (ranges) => Promise.all(ranges.map(([start, end], i) => driver.slowDigest('a', start, end, 5 * i))),
        ranges,
      );
      expect(digests.map(value)).toEqual(ranges.map(([start, end]) => digest(bytes.subarray(start, end))));
    });

    test('a Blob is read the same way', async () => {
      const data = [...bytes.subarray(0, 50)];
      const result = await bench.page.evaluate((data) => driver.blob(data, 45, 10, 3, 99), data);
      expect(result).toEqual({ size: 50, read: data.slice(45), streamed: data.slice(3) });
      const large = 9_000_001;
      expect(await bench.page.evaluate((n) => driver.blobDigest(n), large)).toBe(digest(Buffer.alloc(large)));
    });
  });

  describe('several at once', () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 200));

    test('two in one page share one download', async () => {
      bench.put();
      const both = await bench.page.evaluate((url) => Promise.all([driver.load(url), driver.load(url)]), bench.url);
      expect(both.map((one) => value(one).origin).sort()).toEqual(['network', 'store']);
      expect(bench.server.requests.length).toBe(1);
    });

    test('two tabs share one download; the second waits and may be aborted', async () => {
      bench.put({ holdAt: 5 * chunk });
      value(await bench.open('a'));
      const second = await bench.newTab();
      const waiting = second.evaluate((url) => driver.load(url), bench.url);
      const aborted = bench.open('b', {}, second);
      await pause();
      await second.evaluate(() => driver.abort('b'));
      expect(failure(await aborted).code).toBe('ABORTED');
      bench.server.release(bench.path);
      expect(value(await waiting)).toMatchObject({ origin: 'store', sha256: digest(bytes) });
      expect(bench.server.requests.length).toBe(1);
      expect(second.errors).toEqual([]);
      await second.close();
    });

    test('when the first tab goes away, the second goes on', async () => {
      bench.put({ holdAt: 5 * chunk });
      const first = await bench.newTab();
      value(await bench.open('a', {}, first));
      value(await first.evaluate((n) => driver.read('a', n - 1, 1), 5 * chunk));
      const waiting = bench.load();
      await pause();
      await first.close();
      bench.server.release(bench.path);
      expect(value(await waiting)).toMatchObject({ origin: 'network', sha256: digest(bytes) });
      expect(bench.server.requests.length).toBe(2);
      expect(bench.server.requests[1]!.range).toMatch(/^bytes=\d+-$/);
      await bench.expectStored();
    });

    test('two workers share one download', async () => {
      bench.put();
      const both = await bench.page.evaluate(
        async ([url, name]) => {
          await Promise.all([startWorker(), startWorker()]);
          await Promise.all(workers.map((worker) => worker.setUp({ databaseName: name })));
          return Promise.all(workers.map((worker) => worker.load(url)));
        },
        [bench.url, bench.databaseName] as const,
      );
      expect(both.map((one) => value(one).origin).sort()).toEqual(['network', 'store']);
      expect(both.map((one) => value(one).sha256)).toEqual([digest(bytes), digest(bytes)]);
      expect(bench.server.requests.length).toBe(1);
    });

    describe('a file deleted', () => {
      test('under a running download stays deleted, and can be read', async () => {
        bench.put({ holdAt: 5 * chunk });
        value(await bench.open('a'));
        value(await bench.read('a', 5 * chunk - 1, 1));
        await bench.clear();
        bench.server.release(bench.path);
        value(await bench.complete('a'));
        expect((await bench.page.evaluate(() => driver.state('a'))).stored).toBe(false);
        expect(value(await bench.digest('a'))).toBe(digest(bytes));
        expect(await bench.list()).toEqual([]);
        expect(await bench.chunks()).toBe(0);
      });

      test('while it is open can still be read', async () => {
        bench.put();
        await bench.load();
        value(await bench.open('a'));
        await bench.clear();
        expect(value(await bench.digest('a'))).toBe(digest(bytes));
        expect(await bench.chunks()).toBe(0);
      });
    });
  });
});
