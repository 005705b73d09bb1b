// The weight store over a network that fails: interrupted downloads, and those that recover by themselves.

import { describe, expect, test } from 'vitest';
import { bytes, chunk, describeStore, digest, failure, otherBytes, size, value } from './bench';

const lastModified = 'Tue, 01 Jan 2030 00:00:00 GMT';

describeStore('weight store: downloads', (bench) => {
  describe('an interrupted download', () => {
    test('goes on from its finished chunks, under If-Range', async () => {
      await bench.interrupt(4 * chunk + 100);
      expect(await bench.list()).toEqual([]);
      expect((await bench.usage()).bytes).toBe(4 * chunk);
      await bench.revisit();
      await bench.expectDownload();
      const { path } = bench;
      expect(bench.server.requests).toEqual([{ method: 'GET', path, range: `bytes=${4 * chunk}-`, ifRange: '"v1"' }]);
      await bench.expectStored();
    });

    test('goes on by Last-Modified where the ETag is weak', async () => {
      await bench.interrupt(2 * chunk, { etag: 'W/"v1"', lastModified });
      await bench.expectDownload();
      expect(bench.server.requests[0]).toMatchObject({ range: `bytes=${2 * chunk}-`, ifRange: lastModified });
    });

    test('asks for a last piece that is no whole chunk', async () => {
      await bench.interrupt(size - 1);
      await bench.expectDownload();
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${10 * chunk}-` }]);
    });

    test('asks for nothing where only the commit was missing', async () => {
      bench.put();
      await bench.load();
      await bench.page.evaluate((url) => driver.uncommit(url), bench.url);
      expect(await bench.list()).toEqual([]);
      bench.server.requests.length = 0;
      await bench.expectDownload();
      expect(bench.server.requests).toEqual([]);
      await bench.expectStored();
    });

    test('starts over where nothing tells versions apart', async () => {
      await bench.interrupt(2 * chunk, { etag: undefined });
      await bench.expectDownload();
      expect(bench.server.requests).toMatchObject([{ range: undefined }]);
      await bench.expectStored();
    });

    test('starts over when the file has changed', async () => {
      await bench.interrupt(4 * chunk);
      bench.put({ bytes: otherBytes, etag: '"v2"' });
      await bench.expectDownload(otherBytes);
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${4 * chunk}-`, ifRange: '"v1"' }]);
      expect(await bench.chunks()).toBe(11);
      await bench.expectStored(otherBytes);
    });

    test('starts over when the file has changed and the server ignores If-Range', async () => {
      await bench.interrupt(4 * chunk);
      bench.put({ bytes: otherBytes, etag: '"v2"', ifRange: false });
      await bench.expectDownload(otherBytes);
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${4 * chunk}-` }, { range: undefined }]);
      await bench.expectStored(otherBytes);
    });

    test('starts over when the file is shorter now', async () => {
      await bench.interrupt(4 * chunk);
      const short = bytes.subarray(0, 3 * chunk);
      bench.put({ bytes: short, ifRange: false });
      await bench.expectDownload(short);
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${4 * chunk}-` }, { range: undefined }]);
      await bench.expectStored(short);
    });

    test('takes the whole file from a server that ignores Range', async () => {
      await bench.interrupt(4 * chunk, { ranges: false });
      await bench.expectDownload();
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${4 * chunk}-` }]);
      await bench.expectStored();
    });

    test('goes on from before a chunk that was lost', async () => {
      await bench.interrupt(4 * chunk);
      await bench.damage(1, 'remove', 'part');
      await bench.expectDownload();
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${chunk}-` }]);
      await bench.expectStored();
    });

    test('goes on across origins without a preflight, unless the file has changed', async () => {
      bench.url = bench.elsewhere.url + bench.path;
      const { elsewhere, path, url } = bench;
      const file = { bytes, etag: '"v1"', lastModified, cors: true };
      const begin = async () => {
        elsewhere.files.set(path, { ...file, holdAt: 4 * chunk });
        value(await bench.open('a'));
        value(await bench.read('a', 4 * chunk - 1, 1));
        await bench.page.evaluate(() => driver.close('a'));
        await bench.complete('a');
        elsewhere.requests.length = 0;
      };
      await begin();
      elsewhere.files.set(path, file);
      await bench.expectDownload();
      expect(elsewhere.requests).toEqual([{ method: 'GET', path, range: `bytes=${4 * chunk}-`, ifRange: undefined }]);
      await bench.remove(url);
      await begin();
      elsewhere.files.set(path, { ...file, bytes: otherBytes, lastModified: 'Wed, 02 Jan 2030 00:00:00 GMT' });
      await bench.expectDownload(otherBytes);
    });
  });

  describe('a network that fails', () => {
    test('is resumed within one download, at the byte reached', async () => {
      bench.put({ cuts: [3 * chunk + 7, 100, 5 * chunk] });
      await bench.expectDownload();
      expect(bench.server.requests.map((request) => request.range)).toEqual([
        undefined,
        `bytes=${3 * chunk + 7}-`,
        `bytes=${3 * chunk + 107}-`,
        `bytes=${8 * chunk + 107}-`,
      ]);
      await bench.expectStored();
    });

    test('is resumed by skipping what is there where the server ignores Range', async () => {
      bench.put({ ranges: false, cuts: [3 * chunk + 7, 4 * chunk] });
      await bench.expectDownload();
      expect(bench.server.requests.length).toBe(3);
      await bench.expectStored();
    });

    test('starts over where the file changes before anybody read it', async () => {
      bench.put({ holdAt: 3 * chunk, cuts: [3 * chunk + 7] });
      value(await bench.open('a'));
      bench.put({ bytes: otherBytes, etag: '"v2"' });
      bench.server.release(bench.path);
      value(await bench.complete('a'));
      expect(value(await bench.digest('a'))).toBe(digest(otherBytes));
      await bench.expectStored(otherBytes);
    });

    test('never mixes two versions in what a reader got', async () => {
      bench.put({ holdAt: 3 * chunk, cuts: [3 * chunk + 7] });
      value(await bench.open('a'));
      value(await bench.read('a', 0, 10));
      bench.put({ bytes: otherBytes, etag: '"v2"' });
      bench.server.release(bench.path);
      const error = failure(await bench.complete('a'));
      expect(error.code).toBe('NETWORK');
      expect(error.message).toMatch(/changed on its server/);
      expect(value(await bench.read('a', chunk, 3))).toEqual([...bytes.subarray(chunk, chunk + 3)]);
      await bench.expectDownload(otherBytes);
    });

    test('ends in NETWORK with what was received, from which the next attempt goes on', async () => {
      const file = bench.put({ cuts: [2 * chunk + 7] });
      value(await bench.open('a'));
      file.statuses = [503, 503, 503];
      const { code, details, message } = failure(await bench.complete('a'));
      expect(code).toBe('NETWORK');
      expect(details).toEqual({ url: bench.url, status: 503, received: 2 * chunk + 7, total: size });
      for (const part of [bench.url, 'HTTP 503', `${2 * chunk + 7} of ${size} bytes`]) expect(message).toContain(part);
      bench.server.requests.length = 0;
      file.statuses = [];
      await bench.expectDownload();
      expect(bench.server.requests).toMatchObject([{ range: `bytes=${2 * chunk}-` }]);
    });

    test('is tried again while the server is overloaded', async () => {
      bench.put({ statuses: [503, 429] });
      await bench.expectDownload();
      expect(bench.server.requests.length).toBe(3);
    });

    test('is not tried again where the file is missing', async () => {
      const error = failure(await bench.open('a'));
      expect(error.code).toBe('NETWORK');
      expect(error.details).toMatchObject({ url: bench.url, status: 404, received: 0 });
      expect(error.message).toContain('404');
      expect(bench.server.requests.length).toBe(1);
      bench.put();
      await bench.expectDownload();
    });

    test('is told apart from a server that is not there', async () => {
      const error = failure(await bench.load('http://localhost:9/none.bin'));
      expect(error.code).toBe('NETWORK');
      expect(error.message).toContain('no answer');
    });

    test('is noticed by a body shorter than Content-Length', async () => {
      bench.put({ overstate: 1000 });
      const error = failure(await bench.load());
      expect(error.code).toBe('NETWORK');
      expect(error.details).toMatchObject({ received: size, total: size + 1000 });
      expect(await bench.list()).toEqual([]);
    });

    test('is not touched by what is aborted at once', async () => {
      bench.put();
      const outcome = bench.page.evaluate((url) => {
        const opening = driver.open('a', url);
        driver.abort('a');
        return opening;
      }, bench.url);
      expect(failure(await outcome).code).toBe('ABORTED');
      await bench.expectDownload();
    });
  });
});
