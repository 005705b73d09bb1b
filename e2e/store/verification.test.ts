// The weight store when bytes are not what they should be: damaged or lost chunks, and `integrity`.

import { describe, expect, test } from 'vitest';
import { bytes, chunk, describeStore, digest, failure, otherBytes, size, value } from './bench';

describeStore('weight store: verification', (bench) => {
  describe('a damaged chunk', () => {
    for (const how of ['flip', 'truncate', 'remove'] as const) {
      test(`is fetched again by itself and put back (${how})`, async () => {
        bench.put();
        await bench.load();
        await bench.damage(3, how);
        await bench.damage(10, how);
        const { path, server } = bench;
        server.requests.length = 0;
        expect(value(await bench.load())).toMatchObject({ origin: 'store', sha256: digest(bytes) });
        expect(server.requests).toEqual([
          { method: 'GET', path, range: `bytes=${3 * chunk}-${4 * chunk - 1}`, ifRange: '"v1"' },
          { method: 'GET', path, range: `bytes=${10 * chunk}-${size - 1}`, ifRange: '"v1"' },
        ]);
        await bench.expectStored();
      });
    }

    test('is taken out of the whole file where the server ignores Range', async () => {
      bench.put({ ranges: false });
      await bench.load();
      await bench.damage(3, 'flip');
      expect(value(await bench.load()).sha256).toBe(digest(bytes));
      await bench.expectStored();
    });

    test('is fetched again over a connection that breaks', async () => {
      const file = bench.put();
      await bench.load();
      await bench.damage(3, 'flip');
      file.cuts = [1000];
      expect(value(await bench.load()).sha256).toBe(digest(bytes));
      await bench.expectStored();
    });

    for (const [name, now] of [
      ['the server knows', { bytes: otherBytes, etag: '"v2"' }],
      ['only the digest shows it', { bytes: otherBytes }],
      ['it has another length', { bytes: otherBytes.subarray(0, 5 * chunk), etag: '"v2"', ifRange: false }],
    ] as const) {
      test(`is CACHE_CORRUPT, and the file dropped, where the file has changed (${name})`, async () => {
        bench.put();
        await bench.load();
        await bench.damage(3, 'flip');
        bench.put(now);
        const error = failure(await bench.load());
        expect(error.code).toBe('CACHE_CORRUPT');
        expect(error.message).toMatch(/Load it again/);
        expect(await bench.usage()).toMatchObject({ bytes: 0, files: 0 });
        await bench.expectDownload(now.bytes);
      });
    }

    test('is CACHE_CORRUPT, and the file kept, where the server does not give it', async () => {
      bench.put();
      await bench.load();
      await bench.damage(3, 'flip');
      bench.server.files.delete(bench.path);
      const error = failure(await bench.load());
      expect(error.code).toBe('CACHE_CORRUPT');
      expect(error.message).toContain('404');
      bench.put();
      expect(value(await bench.load())).toMatchObject({ origin: 'store', sha256: digest(bytes) });
    });
  });

  describe('integrity', () => {
    for (const algorithm of ['sha256', 'sha384', 'sha512']) {
      test(`holds for the right ${algorithm}, from network and store`, async () => {
        bench.put();
        const integrity = `${algorithm}-${digest(bytes, algorithm)}`;
        expect(value(await bench.load(bench.url, { integrity })).origin).toBe('network');
        expect(value(await bench.load(bench.url, { integrity })).origin).toBe('store');
        expect(value(await bench.load(bench.url, { integrity, cache: false })).stored).toBe(false);
      });
    }

    for (const cache of [true, false]) {
      test(`wrong is INTEGRITY_MISMATCH, and nothing is kept (cache: ${cache})`, async () => {
        bench.put();
        const integrity = `sha256-${digest(otherBytes)}`;
        const got = `sha256-${digest(bytes)}`;
        value(await bench.open('a', { integrity, cache }));
        const error = failure(await bench.complete('a'));
        expect(error.code).toBe('INTEGRITY_MISMATCH');
        expect(error.details).toEqual({ url: bench.url, expected: integrity, got });
        for (const part of [bench.url, integrity, got]) expect(error.message).toContain(part);
        expect(failure(await bench.read('a', 0, 1)).code).toBe('INTEGRITY_MISMATCH');
        expect(await bench.usage()).toMatchObject({ bytes: 0, files: 0 });
        expect(await bench.chunks()).toBe(0);
      });
    }

    test('wrong for the stored copy drops it and asks the server', async () => {
      bench.put();
      await bench.load();
      const integrity = `sha256-${digest(otherBytes)}`;
      expect(failure(await bench.load(bench.url, { integrity })).code).toBe('INTEGRITY_MISMATCH');
      expect(await bench.usage()).toMatchObject({ bytes: 0, files: 0 });
      // The page wants a newer version than the one stored.
      await bench.load(bench.url, { integrity: `sha256-${digest(bytes)}` });
      bench.put({ bytes: otherBytes, etag: '"v2"' });
      const newer = value(await bench.load(bench.url, { integrity }));
      expect(newer).toMatchObject({ origin: 'network', sha256: digest(otherBytes) });
    });

    test('is worked out for a file stored without it', async () => {
      bench.put();
      await bench.load();
      const integrity = `sha512-${digest(bytes, 'sha512')}`;
      expect(value(await bench.load(bench.url, { integrity })).origin).toBe('store');
      expect(value(await bench.load(bench.url, { integrity })).origin).toBe('store');
      expect(bench.server.requests.length).toBe(1);
    });

    test('covers what an interrupted download left', async () => {
      const integrity = `sha256-${digest(bytes)}`;
      await bench.interrupt(4 * chunk);
      expect(value(await bench.load(bench.url, { integrity })).origin).toBe('network');
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${4 * chunk}-` }]);
      await bench.clear();
      // The server claims that nothing has changed, and serves the rest of another file.
      await bench.interrupt(4 * chunk, { bytes: otherBytes });
      bench.put();
      expect(failure(await bench.load(bench.url, { integrity })).code).toBe('INTEGRITY_MISMATCH');
      expect(await bench.chunks()).toBe(0);
      expect(value(await bench.load(bench.url, { integrity })).origin).toBe('network');
    });

    test('starts over where what an interrupted download left is damaged beyond repair', async () => {
      await bench.interrupt(4 * chunk);
      await bench.damage(2, 'flip', 'part');
      bench.put({ bytes: otherBytes, etag: '"v2"' });
      const loaded = await bench.load(bench.url, { integrity: `sha256-${digest(otherBytes)}` });
      expect(value(loaded)).toMatchObject({ stored: true, sha256: digest(otherBytes) });
      await bench.expectStored(otherBytes);
    });

    test('malformed is INVALID_ARGUMENT, as is a relative URL', async () => {
      expect(failure(await bench.open('a', { integrity: 'md5-abc' })).code).toBe('INVALID_ARGUMENT');
      expect(failure(await bench.load('model.onnx')).code).toBe('INVALID_ARGUMENT');
      expect(bench.server.requests).toEqual([]);
    });
  });
});
