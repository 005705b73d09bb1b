// The weight store: files by URL, from IndexedDB where they are, from the network where they are not.
// In goes a URL, out comes an OpenFile that can be read at once. Invariants: one download per URL at a
// time among all pages and workers of the origin; a file is in the store whole or not at all.

import { LeptonError, throwIfAborted } from '../base/errors';
import { bufferPool } from './buffers';
import { type Cache, openCached, type Wanted } from './cached';
import { weightDatabase } from './database';
import type { Connection } from './download';
import type { Progress } from './ingest';
import { parseIntegrity } from './integrity';
import { lockNames } from './locks';
import { type CachedFile, describe, heldBytes, type Manifest } from './manifest';
import { type OpenFile, openDownload } from './open-file';
import { estimateOf, quotaKeeper } from './quota';
import { Shelf } from './shelf';

export { blobSource } from './blob-source';
export type { Derived } from './derived';
export type { Progress } from './ingest';
export { verifyIntegrity } from './integrity';
export type { CachedFile } from './manifest';
export type { OpenFile } from './open-file';

export interface OpenOptions {
  /** False neither reads nor writes the store: the bytes are kept until the file is closed. */
  cache: boolean;
  /** "sha256-", "sha384-" or "sha512-" and the base64 of the whole file's digest. */
  integrity?: string | undefined;
  /** Aborts opening, waiting for another tab's download, and the download itself. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Called as soon as it is certain that the file, or the rest of it, must be downloaded. */
  onMissing?: (() => void) | undefined;
}

export interface WeightStore {
  /**
   * Resolves once the file is found in the store or a server has answered with it. A stored copy that
   * contradicts `integrity` is dropped and downloaded again. Where the page may not store anything, the
   * file is as with `cache: false`. Throws ABORTED, CACHE_CORRUPT, INTEGRITY_MISMATCH, INVALID_ARGUMENT,
   * NETWORK, STORAGE_QUOTA.
   */
  open(url: string, options: OpenOptions): Promise<OpenFile>;
  /** Whether no file is stored, as on a visitor's first visit. */
  isEmpty(): Promise<boolean>;
  /** Complete files, least recently used first. */
  list(): Promise<CachedFile[]>;
  /** Whether there was such a file, or an unfinished download of it. */
  delete(url: string): Promise<boolean>;
  clear(): Promise<void>;
  /** Bytes of complete files, of what was derived from them, and of unfinished downloads, the origin's quota, and how many complete files. */
  usage(): Promise<{ bytes: number; quota: number | undefined; files: number }>;
}

export interface StoreDependencies {
  databaseName: string;
  chunkBytes: number;
  fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  now(): number;
  locks: LockManager | undefined;
  storage: StorageManager | undefined;
  /** Milliseconds before each further try of a download that makes no progress. */
  retryDelays: readonly number[];
}

export function createWeightStore(dependencies: Partial<StoreDependencies> = {}): WeightStore {
  const { databaseName, chunkBytes, fetch, now, locks, storage, retryDelays }: StoreDependencies = {
    databaseName: 'lepton-weights',
    chunkBytes: 4 << 20,
    fetch: globalThis.fetch,
    now: Date.now,
    locks: navigator.locks,
    storage: navigator.storage,
    retryDelays: [300, 1000, 3000],
    ...dependencies,
  };
  const pool = bufferPool();
  const database = weightDatabase(databaseName);
  const cache = locks && globalThis.crypto.subtle && createCache(locks);

  function createCache(locks: LockManager): Cache {
    const names = lockNames(databaseName);
    const quota = quotaKeeper({ database, storage, locks, lockNames: names });
    return {
      storage: { database, quota },
      locks,
      lockNames: names,
      now,
      newManifest: (url) => newManifest(crypto.randomUUID(), url),
      // What the store keeps need not be kept by the HTTP cache too.
      connectionTo: (url) => connectionTo(url, 'no-store'),
    };
  }

  /** False where the page may not store: it is not secure, or IndexedDB is missing or forbidden. */
  async function isAvailable(): Promise<boolean> {
    if (!cache) return false;
    return database.file('').then(
      () => true,
      () => false,
    );
  }

  function connectionTo(url: string, cache: RequestCache): Connection {
    return { url, fetch, signal: undefined, retryDelays, cache, pool };
  }

  function newManifest(id: string, url: string): Manifest {
    const time = now();
    const unknown = { size: undefined, validator: undefined, digests: [], integrity: {} };
    return { id, url, chunkBytes, ...unknown, storedAt: time, lastUsedAt: time };
  }

  function openUncached(wanted: Wanted): Promise<OpenFile> {
    const { url } = wanted;
    wanted.onMissing?.();
    const connection = connectionTo(url, 'default');
    const shelf = new Shelf(newManifest('', url), connection, undefined);
    const nothing = () => undefined;
    return openDownload(
      { url, shelf, pool, derived: undefined, onClose: nothing },
      { ...wanted, connection, onEnd: nothing },
    );
  }

  async function open(given: string, options: OpenOptions): Promise<OpenFile> {
    const url = absolute(given);
    const { signal, onProgress, onMissing } = options;
    const integrity = options.integrity === undefined ? undefined : parseIntegrity(options.integrity);
    const missing = once(onMissing);
    const wanted = { url, integrity, signal, onProgress, onMissing: missing };
    throwIfAborted(signal, `Loading ${url}`);
    // Addresses of other kinds (blob:, data:) mean something else the next time, or nothing.
    if (!cache || !options.cache || !/^https?:/.test(url)) return openUncached(wanted);
    // In this order: to look for the file makes the database.
    void database.exists().then((exists) => exists || missing());
    return openCached(cache, wanted).catch((error: unknown) => {
      if (error instanceof LeptonError) throw error;
      return openUncached(wanted); // the database failed, or is forbidden
    });
  }

  async function list(): Promise<CachedFile[]> {
    if (!(await isAvailable())) return [];
    const files = (await database.files()).map(describe);
    return files.sort((a, b) => a.lastUsedAt - b.lastUsedAt);
  }

  return {
    open,
    list,
    async isEmpty() {
      // In this order: to list the files makes the database.
      const [exists, files] = [database.exists(), list()];
      files.catch(() => {});
      return !(await exists) || (await files).length === 0;
    },
    async delete(url) {
      return (await isAvailable()) && database.remove(absolute(url));
    },
    async clear() {
      if (await isAvailable()) await database.clear();
    },
    async usage() {
      const { quota } = await estimateOf(storage);
      if (!(await isAvailable())) return { bytes: 0, quota, files: 0 };
      const [files, parts] = await Promise.all([database.files(), database.parts()]);
      const bytes = [...files, ...parts].reduce((sum, manifest) => sum + heldBytes(manifest), 0);
      return { bytes, quota, files: files.length };
    },
  };
}

/** What is called as soon as one of several finds out does its work then, and never again. */
function once(act: (() => void) | undefined): () => void {
  let done = false;
  return () => {
    if (!done) act?.();
    done = true;
  };
}

/** The form in which the store knows a file: absolute, without a fragment. */
function absolute(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.hash = '';
    return parsed.href;
  } catch (cause) {
    throw new LeptonError('INVALID_ARGUMENT', `"${url}" is not an absolute URL.`, { cause, details: { url } });
  }
}
