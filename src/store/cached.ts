// Opening a file that is to be cached: from the store if it is there, else by the one download that its
// lock allows, which goes on from what an interrupted one left. Invariant: every open file holds the
// shared lock of its id until it is closed, so that making room under quota leaves it alone.

import { abortError } from '../base/errors';
import { type Derived, derivedFrom } from './derived';
import type { Connection } from './download';
import type { Progress } from './ingest';
import { createHasher, type Integrity } from './integrity';
import { acquire, type LockNames } from './locks';
import { type CompleteManifest, type Manifest, resumable } from './manifest';
import { type OpenFile, openDownload, openStored } from './open-file';
import { Shelf, type Storage } from './shelf';

/** What is wanted: one file, by its absolute URL. */
export interface Wanted {
  readonly url: string;
  readonly integrity: Integrity | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly onMissing: (() => void) | undefined;
}

export interface Cache {
  readonly storage: Storage;
  readonly locks: LockManager;
  readonly lockNames: LockNames;
  /** Milliseconds since the epoch. */
  now(): number;
  newManifest(url: string): Manifest;
  connectionTo(url: string): Connection;
}

/** Rejects with a LeptonError, or with the browser's own error where the database fails. */
export async function openCached(cache: Cache, wanted: Wanted): Promise<OpenFile> {
  const { storage, lockNames } = cache;
  const { url } = wanted;
  for (;;) {
    const found = await storage.database.file(url);
    const stored = found && (await openFound(cache, wanted, found));
    if (stored) return stored;
    wanted.onMissing?.();
    const release = await lock(cache, wanted, lockNames.download(url), 'exclusive');
    const started = await startDownload(cache, wanted, release).catch((error) => {
      release();
      throw error;
    });
    if (started) return started;
    release();
  }
}

/** Undefined if the stored file is not what `integrity` asks for; it is removed then. */
async function openFound(cache: Cache, wanted: Wanted, manifest: CompleteManifest): Promise<OpenFile | undefined> {
  const { database } = cache.storage;
  const { integrity, signal, onProgress } = wanted;
  const { url, id, size } = manifest;
  const onClose = await lock(cache, wanted, cache.lockNames.use(id), 'shared');
  const connection = cache.connectionTo(url);
  const shelf = new Shelf(manifest, connection, cache.storage);
  const derived = derivedOf(cache, manifest, connection);
  const file = openStored({ url, shelf, pool: connection.pool, derived, onClose }, size);
  try {
    const digests = { ...manifest.integrity };
    if (integrity) {
      digests[integrity.algorithm] ??= await digestOf(file, size, integrity, signal);
      if (digests[integrity.algorithm] !== integrity.digest) {
        file.close();
        await database.remove(url, id);
        return undefined;
      }
    }
    const change = { lastUsedAt: cache.now(), integrity: digests };
    // Nobody waits for it: a failure costs only the order of eviction.
    void database.amend(manifest, change).catch(() => undefined);
  } catch (error) {
    file.close();
    throw error;
  }
  onProgress?.({ loaded: size, total: size, origin: 'store' });
  return file;
}

/** Undefined if another tab has stored the file while this one waited for its turn. */
async function startDownload(cache: Cache, wanted: Wanted, onEnd: () => void): Promise<OpenFile | undefined> {
  const { url } = wanted;
  const { database } = cache.storage;
  const use = ({ id }: Manifest) => lock(cache, wanted, cache.lockNames.use(id), 'shared');
  const fresh = cache.newManifest(url);
  const using = use(fresh);
  // Each is a way to another process and back, and the request waits for all of them: so they go together.
  const looked = Promise.all([database.file(url), database.part(url), using]);
  const [appeared, left, release] = await looked.catch((error) => {
    void using.then((release) => release()).catch(() => undefined);
    throw error;
  });
  const resumed = left && resumable(left.part, left.present);
  if (appeared || resumed) release();
  if (appeared) return undefined;
  const manifest = resumed ? { ...resumed, lastUsedAt: cache.now() } : fresh;
  const onClose = resumed ? await use(manifest) : release;
  const connection = cache.connectionTo(url);
  const shelf = new Shelf(manifest, connection, cache.storage);
  const derived = derivedOf(cache, manifest, connection);
  return openDownload({ url, shelf, pool: connection.pool, derived, onClose }, { ...wanted, connection, onEnd });
}

function derivedOf({ storage, now }: Cache, manifest: Manifest, { pool }: Connection): (build: string) => Derived {
  return (build) => derivedFrom({ database: storage.database, manifest, pool, now, build });
}

async function lock({ locks }: Cache, { url, signal }: Wanted, name: string, mode: LockMode): Promise<() => void> {
  try {
    const release = await acquire(locks, name, signal ? { mode, signal } : { mode });
    return release as () => void; // only `ifAvailable` can be answered without one
  } catch (error) {
    throw signal?.aborted ? abortError(signal, `Loading ${url}`) : error;
  }
}

async function digestOf(
  file: OpenFile,
  size: number,
  { algorithm }: Integrity,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hasher = createHasher(algorithm);
  for await (const { bytes } of file.stream(0, size, signal)) hasher.update(bytes);
  return hasher.digest();
}
