// Runs in a test's page or worker: the weight store behind calls whose arguments and results are JSON.
// Open files are kept under names; a failed call gives `{ error }` with the LeptonError's facts.

import type { ByteSource } from '../../src/base/bytes';
import { LeptonError } from '../../src/base/errors';
import {
  blobSource,
  createWeightStore,
  type OpenFile,
  type StoreDependencies,
  type WeightStore,
} from '../../src/store';
import { createHasher } from '../../src/store/integrity';

export interface Setup {
  chunkBytes?: number;
  databaseName?: string;
  retryDelays?: number[];
  /** What the clock says; it advances by one with each look. */
  now?: number;
  /** What navigator.storage.estimate() is made to say, less what is removed later; null leaves it out. */
  estimate?: { quota: number; usage: number } | null;
}

export interface OpenSettings {
  cache?: boolean;
  integrity?: string;
}

export interface Failure {
  error: { code: string; message: string; details: Record<string, unknown> };
}
export type Outcome<T> = { value: T } | Failure;

export interface Opened {
  origin: 'network' | 'store';
  stored: boolean;
  size: number | null;
}

interface Kept {
  file: OpenFile | undefined;
  controller: AbortController;
  progress: { loaded: number; total: number | null; origin: string }[];
}

export type Driver = ReturnType<typeof createDriver>;

export function createDriver() {
  let databaseName = 'lepton-weights';
  let store: WeightStore = createWeightStore();
  const kept = new Map<string, Kept>();

  const fileOf = (name: string): OpenFile => {
    const file = kept.get(name)?.file;
    if (!file) throw new Error(`no open file ${name}`);
    return file;
  };

  return {
    setUp(setup: Setup): void {
      const given: Partial<StoreDependencies> = { chunkBytes: 65_536, retryDelays: [20, 40] };
      if (setup.chunkBytes) given.chunkBytes = setup.chunkBytes;
      if (setup.retryDelays) given.retryDelays = setup.retryDelays;
      if (setup.databaseName) given.databaseName = setup.databaseName;
      if (setup.now !== undefined) {
        let time = setup.now;
        given.now = () => time++;
      }
      if (setup.estimate === null) given.storage = undefined;
      else if (setup.estimate) {
        const { quota, usage } = setup.estimate;
        const { usage: measure } = createWeightStore({ databaseName: setup.databaseName, storage: undefined });
        const atFirst = measure();
        const removed = async () => (await atFirst).bytes - (await measure()).bytes;
        given.storage = { estimate: async () => ({ quota, usage: usage - (await removed()) }) } as StorageManager;
      }
      databaseName = setup.databaseName ?? databaseName;
      store = createWeightStore(given);
    },

    open(name: string, url: string, { cache = true, integrity }: OpenSettings = {}): Promise<Outcome<Opened>> {
      const entry: Kept = { file: undefined, controller: new AbortController(), progress: [] };
      kept.set(name, entry);
      return outcome(async () => {
        const file = await store.open(url, {
          cache,
          integrity,
          signal: entry.controller.signal,
          onProgress: ({ loaded, total, origin }) => entry.progress.push({ loaded, total: total ?? null, origin }),
        });
        entry.file = file;
        return { origin: file.origin, stored: file.stored, size: file.size ?? null };
      });
    },

    /** Opens, waits for all of it, hashes what streams out, and closes. */
    async load(url: string, settings: OpenSettings = {}): Promise<Outcome<Opened & { sha256: string }>> {
      const { cache = true, integrity } = settings;
      return outcome(async () => {
        const file = await store.open(url, { cache, integrity });
        try {
          await file.complete;
          const { origin, stored } = file;
          const sha256 = await digest(file, 0, file.size ?? 0);
          return { origin, stored, size: file.size ?? null, sha256 };
        } finally {
          file.close();
        }
      });
    },

    abort(name: string): void {
      kept.get(name)?.controller.abort();
    },
    cancel(name: string): void {
      fileOf(name).cancel();
    },
    close(name: string): void {
      fileOf(name).close();
    },
    progress: (name: string) => kept.get(name)?.progress ?? [],
    state: (name: string): Opened => {
      const { origin, stored, size } = fileOf(name);
      return { origin, stored, size: size ?? null };
    },

    complete: (name: string) => outcome(async () => void (await fileOf(name).complete)),
    read: (name: string, offset: number, length: number) =>
      outcome(async () => Array.from(await fileOf(name).read(offset, length))),
    /** Reads with a signal that fires after `milliseconds`. */
    readFor: (name: string, offset: number, length: number, milliseconds: number) =>
      outcome(async () => Array.from(await fileOf(name).read(offset, length, AbortSignal.timeout(milliseconds)))),
    /** SHA-256 (base64) of the bytes [start, end). */
    digest: (name: string, start: number, end: number) => outcome(() => digest(fileOf(name), start, end)),
    /** The same, by a reader that takes its time with every piece. */
    slowDigest: (name: string, start: number, end: number, milliseconds: number) =>
      outcome(() => digest(fileOf(name), start, end, milliseconds)),
    /** The offsets and lengths of the pieces that stream out. */
    pieces: (name: string, start: number, end: number) =>
      outcome(async () => {
        const pieces: [number, number][] = [];
        for await (const { offset, bytes } of fileOf(name).stream(start, end)) pieces.push([offset, bytes.length]);
        return pieces;
      }),
    /** Streams a file this often, giving up each time after `pieces` pieces. */
    leaveStreams: (name: string, times: number, pieces: number) =>
      outcome(async () => {
        for (let i = 0; i < times; i++) {
          let left = pieces;
          for await (const _ of fileOf(name).stream(0, Number.POSITIVE_INFINITY)) if (--left === 0) break;
        }
      }),

    list: () => store.list(),
    usage: () => store.usage(),
    remove: (url: string) => store.delete(url),
    clear: () => store.clear(),

    /** A Blob of these bytes through blobSource: a read, and what streams out of [start, end). */
    async blob(bytes: number[], offset: number, length: number, start: number, end: number) {
      const source = blobSource(new Blob([new Uint8Array(bytes)]));
      const streamed: number[] = [];
      for await (const piece of source.stream(start, end)) streamed.push(...piece.bytes);
      return { size: source.size, read: Array.from(await source.read(offset, length)), streamed };
    },
    /** SHA-256 of a Blob of so many zeroes, streamed through blobSource. */
    async blobDigest(size: number): Promise<string> {
      const source = blobSource(new Blob([new Uint8Array(size)]));
      return digest(source, 0, size);
    },

    /** Spoils a stored chunk behind the store's back. */
    async damage(
      url: string,
      index: number,
      how: 'flip' | 'truncate' | 'remove',
      record: 'file' | 'part' = 'file',
    ): Promise<void> {
      const objects = await objectStore(databaseName);
      const { id } = await settled<{ id: string }>(objects.get([record, url]));
      const key = ['chunk', id, index];
      if (how === 'remove') return settled(objects.delete(key));
      const blob = await settled<Blob>(objects.get(key));
      const bytes = new Uint8Array(await blob.arrayBuffer());
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      const spoilt = new Blob([how === 'flip' ? bytes : bytes.subarray(0, 1000)]);
      await settled((await objectStore(databaseName)).put(spoilt, key));
    },
    /** Makes a stored file one whose last chunk was written just before the page went away. */
    async uncommit(url: string): Promise<void> {
      const objects = await objectStore(databaseName);
      const manifest = await settled(objects.get(['file', url]));
      await Promise.all([settled(objects.put(manifest, ['part', url])), settled(objects.delete(['file', url]))]);
    },
    /** How many chunks, of any file, are in the database. */
    async chunks(): Promise<number> {
      const objects = await objectStore(databaseName);
      return settled(objects.count(IDBKeyRange.bound(['chunk'], ['chunk', []])));
    },
  };
}

async function outcome<T>(body: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await body() };
  } catch (error) {
    if (!(error instanceof LeptonError)) throw error;
    const { code, message, details } = error;
    return { error: { code, message, details: JSON.parse(JSON.stringify(details)) } };
  }
}

async function digest(source: ByteSource, start: number, end: number, delay?: number): Promise<string> {
  const hasher = createHasher('sha256');
  let expected = start;
  for await (const { offset, bytes } of source.stream(start, end)) {
    if (offset !== expected) throw new Error(`a piece at ${offset}, expected at ${expected}`);
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
    hasher.update(bytes);
    expected += bytes.length;
  }
  return hasher.digest();
}

async function objectStore(databaseName: string): Promise<IDBObjectStore> {
  const database = await settled<IDBDatabase>(indexedDB.open(databaseName));
  return database.transaction('weights', 'readwrite').objectStore('weights');
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error);
  });
}
