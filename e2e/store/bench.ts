// What every test of the weight store starts from: a page and a server that misbehaves, on one origin, and
// for each test its own address and database. Chunks are 64 KiB here. `bench.server.requests` tells what
// really went over the network; after each test the page must have had no unhandled rejection.

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import {
  describeBrowsers,
  type OpenOptions,
  type TestBrowser,
  type TestContext,
  type TestPage,
} from '../support/browsers';
import type { Failure, Opened, OpenSettings, Outcome, Setup } from './driver';
import { type FaultyFile, type FaultyServer, startFaultyServer } from './faulty-server';

export const chunk = 65_536;
/** Ten chunks and a short one. */
export const size = 10 * chunk + 1234;

/** Bytes that differ from seed to seed and from chunk to chunk. */
export function content(seed: number, length = size): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export const bytes = content(1);
export const otherBytes = content(2);

export function digest(data: Buffer, algorithm = 'sha256'): string {
  return createHash(algorithm).update(data).digest('base64');
}

export function failure(outcome: Outcome<unknown>): Failure['error'] {
  if (!('error' in outcome)) throw new Error(`succeeded: ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

export function value<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.value;
}

export function describeStore(name: string, suite: (bench: Bench) => void, options: OpenOptions = {}): void {
  const withBench = (browser: TestBrowser) => {
    const bench = new Bench(browser);
    beforeAll(() => bench.start());
    afterAll(() => bench.stop());
    beforeEach(() => bench.beginTest());
    afterEach(() => bench.endTest());
    suite(bench);
  };
  describeBrowsers(name, withBench, options);
}

export class Bench {
  readonly browser: TestBrowser;
  /** Serves the page too. */
  server!: FaultyServer;
  /** Another origin. */
  elsewhere!: FaultyServer;
  page!: TestPage;
  /** Of the file of this test, on `server`. */
  url = '';
  path = '';
  databaseName = 'none';
  #context!: TestContext;
  #tests = 0;
  #earlierErrors = 0;

  constructor(browser: TestBrowser) {
    this.browser = browser;
  }

  async start(): Promise<void> {
    this.server = await startFaultyServer(inject('server'));
    this.elsewhere = await startFaultyServer(inject('server'));
    this.#context = await this.browser.newContext();
    this.page = await this.newTab();
  }

  async stop(): Promise<void> {
    await this.#context?.close();
    await this.server?.close();
    await this.elsewhere?.close();
  }

  async beginTest(): Promise<void> {
    this.databaseName = `test-${++this.#tests}`;
    this.path = `/files/model-${this.#tests}.bin`;
    this.url = this.server.url + this.path;
    this.#earlierErrors = this.page.errors.length;
    await this.setUp();
  }

  async endTest(): Promise<void> {
    await this.clear();
    for (const { files, requests } of [this.server, this.elsewhere]) {
      files.clear();
      requests.length = 0;
    }
    expect(this.page.errors.slice(this.#earlierErrors)).toEqual([]);
  }

  async newTab(): Promise<TestPage> {
    const tab = await this.#context.newPage();
    await tab.goto(`${this.server.url}/e2e/store/page.html`);
    await tab.waitForFunction(() => globalThis.driver !== undefined);
    await this.setUp({}, tab);
    return tab;
  }

  /** The visitor comes back. */
  async revisit(): Promise<void> {
    await this.page.close();
    this.page = await this.newTab();
    this.#earlierErrors = 0;
  }

  setUp(setup: Omit<Setup, 'databaseName'> = {}, tab = this.page): Promise<void> {
    return tab.evaluate((given) => driver.setUp(given), { ...setup, databaseName: this.databaseName });
  }

  /** Puts the file of this test on the server. */
  put(file: Partial<FaultyFile> = {}, path = this.path): FaultyFile {
    const whole: FaultyFile = { bytes, etag: '"v1"', ...file };
    this.server.files.set(path, whole);
    return whole;
  }

  /** Opens, waits for all of it, hashes what streams out, and closes. */
  load(url = this.url, settings: OpenSettings = {}): Promise<Outcome<Opened & { sha256: string }>> {
    return this.page.evaluate(([url, settings]) => driver.load(url, settings), [url, settings] as const);
  }

  /** Opens the file of this test under a name. */
  open(name: string, settings: OpenSettings = {}, tab = this.page): Promise<Outcome<Opened>> {
    return tab.evaluate(([name, url, settings]) => driver.open(name, url, settings), [
      name,
      this.url,
      settings,
    ] as const);
  }

  complete(name: string): Promise<Outcome<void>> {
    return this.page.evaluate((name) => driver.complete(name), name);
  }

  read(name: string, offset: number, length: number): Promise<Outcome<number[]>> {
    const range = [name, offset, length] as const;
    return this.page.evaluate(([name, offset, length]) => driver.read(name, offset, length), range);
  }

  digest(name: string, start = 0, end = size): Promise<Outcome<string>> {
    const range = [name, start, end] as const;
    return this.page.evaluate(([name, start, end]) => driver.digest(name, start, end), range);
  }

  list() {
    return this.page.evaluate(() => driver.list());
  }

  usage() {
    return this.page.evaluate(() => driver.usage());
  }

  /** How many chunks are in the database. */
  chunks(): Promise<number> {
    return this.page.evaluate(() => driver.chunks());
  }

  clear(): Promise<void> {
    return this.page.evaluate(() => driver.clear());
  }

  remove(url = this.url): Promise<boolean> {
    return this.page.evaluate((url) => driver.remove(url), url);
  }

  damage(index: number, how: 'flip' | 'truncate' | 'remove', record: 'file' | 'part' = 'file'): Promise<void> {
    const what = [this.url, index, how, record] as const;
    return this.page.evaluate(([url, index, how, record]) => driver.damage(url, index, how, record), what);
  }

  /** A download that stops after so many bytes and leaves its finished chunks in the store. */
  async interrupt(after: number, file: Partial<FaultyFile> = {}): Promise<void> {
    const { bytes: sent } = this.put({ ...file, holdAt: after });
    value(await this.open('interrupted'));
    expect(value(await this.read('interrupted', after - 1, 1))).toEqual([sent[after - 1]]);
    await this.page.evaluate(() => driver.abort('interrupted'));
    expect(failure(await this.complete('interrupted')).code).toBe('ABORTED');
    await this.page.evaluate(() => driver.close('interrupted'));
    this.server.release(this.path);
    this.server.requests.length = 0;
  }

  /** Expects a load to come from the network with these bytes. */
  async expectDownload(data = bytes, url = this.url): Promise<void> {
    const wanted = { origin: 'network', stored: true, size: data.length, sha256: digest(data) };
    expect(value(await this.load(url))).toEqual(wanted);
  }

  /** Expects the file to come out of the store whole, without a request. */
  async expectStored(data = bytes, url = this.url): Promise<void> {
    this.server.requests.length = 0;
    const wanted = { origin: 'store', stored: true, size: data.length, sha256: digest(data) };
    expect(value(await this.load(url))).toEqual(wanted);
    expect(this.server.requests).toEqual([]);
  }
}
