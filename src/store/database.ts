// The weight store's records in IndexedDB. One object store:
//   ['file', url] → Manifest of a complete file     ['part', url] → Manifest of an unfinished download
//   ['chunk', id, index] → Blob
//   ['derived', id, build, key] → DerivedRecord      ['derived', id, build, key, index] → Blob
// Invariant: every method is one transaction, and no chunk is written whose manifest is gone, so a file
// deleted under a running download stays deleted. Methods reject with the browser's own errors.

import { promisifyRequest, type UseStore } from 'idb-keyval';
import type { CompleteManifest, DerivedRecord, Manifest } from './manifest';
import { openStore } from './open-store';

/** Where something derived from the file of this id is. */
export interface DerivedPlace {
  readonly id: string;
  readonly build: string;
  readonly key: string;
}

export interface WeightDatabase {
  /** Whether there is such a database, without making one, which takes several times as long; true where unknown. */
  exists(): Promise<boolean>;
  file(url: string): Promise<CompleteManifest | undefined>;
  /** An unfinished download and the indices of those chunks that are there. */
  part(url: string): Promise<{ part: Manifest; present: number[] } | undefined>;
  /** Makes `part` the record of its URL, without any chunk stored under its id. */
  begin(part: Manifest): Promise<void>;
  /** Stores a chunk and the state of its download. False, and nothing stored, if its record is gone. */
  addChunk(part: Manifest, index: number, blob: Blob): Promise<boolean>;
  /** Turns the part of this id into a complete file. False if its record is gone. */
  commit(manifest: CompleteManifest): Promise<boolean>;
  chunk(id: string, index: number): Promise<Blob | undefined>;
  /** Replaces a damaged chunk, if its file is still there. */
  replaceChunk(manifest: Manifest, index: number, blob: Blob): Promise<void>;
  /** Changes the complete file of this id, if it is still there. */
  amend(manifest: Manifest, change: Partial<Pick<Manifest, 'lastUsedAt' | 'integrity'>>): Promise<void>;
  /** A record and its chunks as they are together, whatever is put in their place while they are read. */
  derived(place: DerivedPlace): Promise<{ record: DerivedRecord; chunks: (Blob | undefined)[] } | undefined>;
  /**
   * Makes room for a record: removes what is there under its key, and everything that other builds made of the
   * file. False if the complete file of this id is gone, as in the next two.
   */
  beginDerived(place: DerivedPlace, url: string): Promise<boolean>;
  addDerivedChunk(place: DerivedPlace, url: string, index: number, blob: Blob): Promise<boolean>;
  /** As the other three, of a record that is one chunk: nobody finds it missing. */
  putDerived(place: DerivedPlace, url: string, record: DerivedRecord, blob: Blob): Promise<boolean>;
  /** Makes a record visible. The oldest of the file's go where they are many. */
  commitDerived(place: DerivedPlace, url: string, record: DerivedRecord): Promise<boolean>;
  removeDerived(place: DerivedPlace): Promise<void>;
  files(): Promise<CompleteManifest[]>;
  parts(): Promise<Manifest[]>;
  /** Removes the file and any unfinished download; with an id, only the one of that id. False if none was there. */
  remove(url: string, id?: string): Promise<boolean>;
  clear(): Promise<void>;
}

type Kind = 'file' | 'part';
type DerivedKey = ['derived', string, string, string];

/** Records that one file may have: a model meets few adapters and shapes. */
const mostDerived = 32;

/** Opens nothing yet: the first method called does, and rejects where IndexedDB is unavailable. */
export function weightDatabase(name: string): WeightDatabase {
  const use = openStore(name, 'weights');
  return {
    async exists() {
      // Where IndexedDB is forbidden, Chromium throws and leaves a rejected promise that nobody can catch.
      if (globalThis.origin === 'null') return true;
      try {
        return (await indexedDB.databases()).some((database) => database.name === name);
      } catch {
        return true; // older browsers cannot say, or it is forbidden
      }
    },
    file: (url) => read(use, (store) => get<CompleteManifest>(store, 'file', url)),
    part: (url) =>
      read(use, async (store) => {
        const part = await get<Manifest>(store, 'part', url);
        if (!part) return undefined;
        const keys = (await promisifyRequest(store.getAllKeys(chunksOf(part.id)))) as [string, string, number][];
        return { part, present: keys.map((key) => key[2]) };
      }),
    begin: (part) =>
      write(use, async (store) => {
        const old = await get<Manifest>(store, 'part', part.url);
        if (old) store.delete(chunksOf(old.id));
        store.put(part, ['part', part.url]);
      }),
    addChunk: (part, index, blob) =>
      write(use, async (store) => {
        if ((await get<Manifest>(store, 'part', part.url))?.id !== part.id) return false;
        store.put(blob, ['chunk', part.id, index]);
        store.put(part, ['part', part.url]);
        return true;
      }),
    commit: (manifest) =>
      write(use, async (store) => {
        if ((await get<Manifest>(store, 'part', manifest.url))?.id !== manifest.id) return false;
        store.put(manifest, ['file', manifest.url]);
        store.delete(['part', manifest.url]);
        return true;
      }),
    chunk: (id, index) => read(use, (store) => promisifyRequest(store.get(['chunk', id, index]))),
    replaceChunk: ({ id, url }, index, blob) =>
      write(use, async (store) => {
        const owner = (await get<Manifest>(store, 'file', url)) ?? (await get<Manifest>(store, 'part', url));
        if (owner?.id === id) store.put(blob, ['chunk', id, index]);
      }),
    amend: ({ id, url }, change) =>
      write(use, async (store) => {
        const current = await get<Manifest>(store, 'file', url);
        if (current?.id === id) store.put({ ...current, ...change }, ['file', url]);
      }),
    derived: (place) =>
      read(use, async (store) => {
        const key = derivedKey(place);
        const record = (await promisifyRequest(store.get(key))) as DerivedRecord | undefined;
        if (!record) return undefined;
        const chunks = record.digests.map((_, index) => promisifyRequest(store.get([...key, index])));
        return { record, chunks: await Promise.all(chunks) };
      }),
    beginDerived: (place, url) =>
      write(use, async (store) => {
        if ((await get<Manifest>(store, 'file', url))?.id !== place.id) return false;
        makeRoom(store, place);
        return true;
      }),
    addDerivedChunk: (place, url, index, blob) =>
      write(use, async (store) => {
        if ((await get<Manifest>(store, 'file', url))?.id !== place.id) return false;
        store.put(blob, [...derivedKey(place), index]);
        return true;
      }),
    putDerived: (place, url, record, blob) =>
      write(use, async (store) => {
        const manifest = await get<Manifest>(store, 'file', url);
        if (manifest?.id !== place.id) return false;
        makeRoom(store, place);
        store.put(blob, [...derivedKey(place), 0]);
        await addRecord(store, place, manifest, record);
        return true;
      }),
    commitDerived: (place, url, record) =>
      write(use, async (store) => {
        const manifest = await get<Manifest>(store, 'file', url);
        if (manifest?.id !== place.id) return false;
        await addRecord(store, place, manifest, record);
        return true;
      }),
    removeDerived: (place) => write(use, async (store) => void store.delete(derivedRange(place))),
    files: () => read(use, (store) => all<CompleteManifest>(store, 'file')),
    parts: () => read(use, (store) => all<Manifest>(store, 'part')),
    remove: (url, id) =>
      write(use, async (store) => {
        let found = false;
        for (const kind of ['file', 'part'] as const) {
          const manifest = await get<Manifest>(store, kind, url);
          if (!manifest || (id !== undefined && manifest.id !== id)) continue;
          store.delete([kind, url]);
          store.delete(chunksOf(manifest.id));
          store.delete(derivedOf(manifest.id));
          found = true;
        }
        return found;
      }),
    clear: () => write(use, async (store) => void store.clear()),
  };
}

/** Whether a rejected method means that the origin's quota is used up. */
export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}

function read<T>(use: UseStore, body: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  return use('readonly', body);
}

// Waits for the commit and not only for the requests: a quota is often noticed only there. Listens to
// `abort` and not to `error`, because the transaction's own error is not set before it aborts.
function write<T>(use: UseStore, body: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  return use('readwrite', async (store) => {
    const { transaction } = store;
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([body(store), committed]);
    return result;
  });
}

function get<T>(store: IDBObjectStore, kind: Kind, url: string): Promise<T | undefined> {
  return promisifyRequest(store.get([kind, url]));
}

function all<T>(store: IDBObjectStore, kind: Kind): Promise<T[]> {
  return promisifyRequest(store.getAll(IDBKeyRange.bound([kind], [kind, []])));
}

/** Removes what is there under the key, and everything that other builds made of the file. */
function makeRoom(store: IDBObjectStore, place: DerivedPlace): void {
  store.delete(derivedRange(place));
  store.delete(IDBKeyRange.bound(['derived', place.id], ['derived', place.id, place.build], false, true));
  store.delete(IDBKeyRange.bound(['derived', place.id, place.build, []], ['derived', place.id, []]));
}

/** Makes a record visible, whose chunks are there. The oldest go where there are many. */
async function addRecord(
  store: IDBObjectStore,
  place: DerivedPlace,
  manifest: Manifest,
  record: DerivedRecord,
): Promise<void> {
  store.put(record, derivedKey(place));
  const keys = (await promisifyRequest(store.getAllKeys(derivedOf(place.id)))) as DerivedKey[];
  const records: { key: DerivedKey; record: DerivedRecord }[] = [];
  for (const key of keys.filter((k) => k.length === 4)) {
    records.push({ key, record: (await promisifyRequest(store.get(key))) as DerivedRecord });
  }
  records.sort((a, b) => a.record.storedAt - b.record.storedAt);
  for (const { key } of records.splice(0, records.length - mostDerived)) {
    store.delete(IDBKeyRange.bound(key, [...key, []]));
  }
  const derivedBytes = records.reduce((sum, { record: { size } }) => sum + size, 0);
  store.put({ ...manifest, derivedBytes }, ['file', manifest.url]);
}

function chunksOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound(['chunk', id], ['chunk', id, []]);
}

function derivedOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound(['derived', id], ['derived', id, []]);
}

function derivedKey({ id, build, key }: DerivedPlace): DerivedKey {
  return ['derived', id, build, key];
}

/** A record with its chunks. */
function derivedRange(place: DerivedPlace): IDBKeyRange {
  const key = derivedKey(place);
  return IDBKeyRange.bound(key, [...key, []]);
}
