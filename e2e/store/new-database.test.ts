// The weight store on a first visit: making the database takes long, and the server is asked meanwhile. What turns up
// in the database all the same is taken from there.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytes, chunk, describeStore, digest, failure, size, value } from './bench';

declare global {
  var openDatabases: (() => void) | undefined;
}

describeStore('weight store: a database that is not there yet', (bench) => {
  /** Databases open when the test says so; until then a page hears of none. */
  const hold = () =>
    bench.page.evaluate(() => {
      const { open, databases } = IDBFactory.prototype;
      const opened = new Promise<void>((resolve) => {
        globalThis.openDatabases = () => {
          Object.assign(IDBFactory.prototype, { open, databases });
          resolve();
        };
      });
      IDBFactory.prototype.databases = async () => [];
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args);
        return new Proxy(request, {
          get: (target, key) => target[key as keyof IDBOpenDBRequest],
          set(target, key, listener: (event: Event) => void) {
            const late = (event: Event) => void opened.then(() => listener(event));
            return Reflect.set(target, key, key === 'onsuccess' ? late : listener);
          },
        });
      };
    });
  const release = () => bench.page.evaluate(() => globalThis.openDatabases?.());
  const asked = () => expect.poll(() => bench.server.requests.length, { timeout: 20_000 }).toBe(1);

  beforeEach(() => {
    bench.put();
  });
  // A test that failed must not hold up the next.
  afterEach(release);

  test('the server is asked once, before there is a database', async () => {
    await hold();
    const loading = bench.load();
    await asked();
    await release();
    expect(value(await loading)).toMatchObject({ origin: 'network', stored: true, sha256: digest(bytes) });
    expect(bench.server.requests.length).toBe(1);
    await bench.expectStored();
  });

  test('an answer with an error is that of the file', async () => {
    bench.server.files.clear();
    await hold();
    const loading = bench.load();
    await asked();
    await release();
    expect(failure(await loading)).toMatchObject({ code: 'NETWORK', details: { status: 404 } });
  });

  test('a connection that broke meanwhile is made again', async () => {
    bench.put({ cuts: [2 * chunk] });
    await hold();
    const loading = bench.load();
    await asked();
    await release();
    expect(value(await loading)).toMatchObject({ stored: true, sha256: digest(bytes) });
  });

  test('an abort ends the request', async () => {
    bench.put({ holdAt: 1 });
    await hold();
    const opening = bench.open('a');
    await asked();
    await bench.page.evaluate(() => driver.abort('a'));
    await release();
    expect(failure(await opening).code).toBe('ABORTED');
    bench.server.release(bench.path);
    bench.put();
    await bench.expectDownload();
  });

  test('a file that is stored after all is taken from the store', async () => {
    await bench.expectDownload();
    await bench.revisit();
    bench.server.requests.length = 0;
    await hold();
    const loading = bench.load();
    await asked();
    await release();
    expect(value(await loading)).toMatchObject({ origin: 'store', size, sha256: digest(bytes) });
  });

  test('what an interrupted download left is gone on from', async () => {
    await bench.interrupt(3 * chunk + 5);
    await bench.revisit();
    bench.put();
    await hold();
    const loading = bench.load();
    await asked();
    await release();
    expect(value(await loading)).toMatchObject({ origin: 'network', sha256: digest(bytes) });
    expect(bench.server.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${3 * chunk}-`]);
  });
});
